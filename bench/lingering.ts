/** What a buffer timeout saves where commits are small and exchanges wide: 200 records a commit, dealt out to four shards, and by key to four. */
import { accumulatorSink, compileJob, defineJob, memoryText, type CompiledJob } from '../lib/index.ts';
import { runEngine } from './run-engine.ts';
import type { FlightRecord } from './workloads.ts';

const shards = 4;
const recordsPerCommit = 200;

function smallCommits(bufferTimeoutMs: number): CompiledJob {
  const job = defineJob({
    name: 'lingering',
    build(env) {
      env.setBufferTimeout(bufferTimeoutMs);
      env
        .fromSource(memoryText<FlightRecord>('flights'))
        .uid('flights')
        .rebalance()
        .map(({ origin, delay }) => ({ origin, delay, count: 1 }))
        .keyBy(({ origin }) => origin)
        .reduce((a, b) => ({ ...b, count: a.count + b.count }))
        .uid('running')
        .rebalance()
        .map(({ count }) => (count > 0 ? 1 : 0))
        .setParallelism(1)
        .sinkTo(accumulatorSink<number, number>({ initial: 0, add: (sum, one) => sum + one, merge: (left, right) => left + right }))
        .uid('totals');
    },
  });
  return compileJob(job, { parallelism: shards });
}

/** Per million records. */
export interface LingeringFigures {
  readonly messages: number;
  readonly requests: number;
  readonly recordsPerS: number;
}

export async function measureLingering(chunks: readonly string[], records: number, bufferTimeoutMs: number): Promise<LingeringFigures> {
  const compiled = smallCommits(bufferTimeoutMs);
  const vertex = compiled.plan.vertices.find(({ operators }) => operators.some(({ uid }) => uid === 'totals'))!.uid;
  const { messages, requests, wallMs, total } = await runEngine({
    compiled,
    text: { chunk: (index) => chunks[index] },
    settings: { sourceRecordsPerCommit: recordsPerCommit },
    resultOf: { vertex, operator: 'totals' },
  });
  if (Number(total) !== records) throw new Error(`${String(total)} records have come, of ${records}`);
  const perMillion = (count: number): number => Math.round((count / records) * 1e6);
  const calls = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return { messages: perMillion(messages), requests: perMillion(calls), recordsPerS: Math.round(records / (wallMs / 1_000)) };
}
