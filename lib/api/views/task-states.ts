/** Counts of shards by state, in the names of Flink's two spellings, and the state of a vertex that follows from its shards'. */
import type { ShardDetails, TaskState } from '../job-details.ts';

/** Flink's order; the last ones never occur here and are always counted as zero. */
const states = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'INITIALIZING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
  'RECONCILING',
] as const;

export function countByState(shards: readonly ShardDetails[]): Readonly<Record<string, number>> {
  return Object.fromEntries(states.map((state) => [state, shards.filter((shard) => shard.state === state).length]));
}

/** As in `/jobs/overview`: lower case, with a total. */
export function taskCounts(shards: readonly ShardDetails[]): Readonly<Record<string, number>> {
  const counts = Object.entries(countByState(shards)).map(([state, count]) => [state.toLowerCase(), count] as const);
  return { ...Object.fromEntries(counts), total: shards.length };
}

/** Flink's precedence: the worst of the shards, and finished only when all are. */
const precedence: readonly TaskState[] = ['FAILED', 'CANCELING', 'CANCELED', 'INITIALIZING', 'RUNNING'];

export function vertexState(shards: readonly ShardDetails[]): TaskState {
  const worst = precedence.find((state) => shards.some((shard) => shard.state === state));
  if (worst !== undefined) return worst;
  const finished = shards.filter(({ state }) => state === 'FINISHED').length;
  if (finished === 0) return 'CREATED';
  return finished === shards.length ? 'FINISHED' : 'RUNNING';
}
