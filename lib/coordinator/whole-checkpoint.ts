/**
 * Which checkpoint the job may go back to by itself when objects have gone missing.
 *
 * WC1. Whole: its manifest can be read, and every delta and every segment with in-flight data that it lists is there. The job record still says which are real; a listing only says what exists.
 * WC2. Nothing behind what sinks have shown, or are bound to show: they would show it again. A person may choose that, recovery does not.
 */
import { errorMessage, SluiceError } from '../base/errors.ts';
import type { CheckpointId } from '../base/ids.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { JobRecord, RetainedCheckpoint } from '../model/job-record.ts';
import { jobPrefix } from '../model/object-keys.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';

/** undefined = from nothing: none was ever complete. @throws SluiceError `SLUICE-CHECKPOINTS-LOST`, naming what was tried */
export async function newestWhole(deps: CoordinatorDeps, record: JobRecord): Promise<RetainedCheckpoint | undefined> {
  const newestFirst = [...record.retained].reverse();
  if (newestFirst.length === 0 && record.completed === 0) return undefined;
  const tried: string[] = [];
  /** Sinks have shown, or will, what came up to here. */
  let shownUpTo: CheckpointId = 0;
  for (const candidate of newestFirst) {
    const { manifest: key } = candidate;
    const manifest = await unlessLost(async () => decodeManifest(await readObject(deps, key), key));
    const problem = typeof manifest === 'string' ? manifest : await problemIn(deps, manifest);
    if (problem === undefined && candidate.id >= shownUpTo) return candidate;
    tried.push(`checkpoint ${candidate.id}: ${problem ?? `whole, but output up to checkpoint ${shownUpTo} has been published`}`);
    shownUpTo = Math.max(shownUpTo, await shownBy(deps, record, candidate, manifest));
  }
  throw new SluiceError(
    'SLUICE-CHECKPOINTS-LOST',
    `no retained checkpoint can be gone back to (${tried.join('; ') || 'none is retained'})`,
    {
      hint: 'Put the objects back and restore the job, or start it from a savepoint. An older checkpoint can be started from in another data directory.',
      facts: { job: record.job, tried },
    },
  );
}

/** What a restore would miss, by a listing: costs little, and does not see what is there and damaged. */
export async function missingOf(
  deps: Pick<CoordinatorDeps, 'objects'>,
  { job }: Pick<JobRecord, 'job'>,
  manifest: Manifest,
): Promise<string | undefined> {
  const named = objectsOf(manifest);
  if (named.length === 0) return undefined;
  const present = new Set((await deps.objects.list(jobPrefix(job))).map(({ key }) => key));
  return problemText(named.filter((key) => !present.has(key)).map((key) => `object ${key} is missing`));
}

/** By reading all of it: when something has been lost, the rest is not believed to be there. */
async function problemIn(deps: CoordinatorDeps, manifest: Manifest): Promise<string | undefined> {
  const named = objectsOf(manifest);
  const problems: string[] = [];
  for (let at = 0; at < named.length; at += readAtOnce) {
    const found = await Promise.all(
      named.slice(at, at + readAtOnce).map((key) => unlessLost(async () => void (await readObject(deps, key)))),
    );
    for (const problem of found) if (problem !== undefined) problems.push(problem);
  }
  return problemText(problems);
}

const readAtOnce = 8;

/** Of long lists of segments their newest index, not what it leads to. */
function objectsOf({ shards }: Manifest): readonly string[] {
  const segments = shards.flatMap(({ inFlight = [] }) =>
    inFlight.flatMap(({ recent, chained }) => [...recent, ...(chained === null ? [] : [chained])]),
  );
  return [...new Set([...shards.flatMap(({ deltas }) => deltas.map(({ key }) => key)), ...segments])];
}

function problemText([first, ...others]: readonly string[]): string | undefined {
  return first === undefined || others.length === 0 ? first : `${first}, and ${others.length} more`;
}

/** What is read, or why it is lost. A store that does not answer now says nothing about the object. */
export async function unlessLost<T>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SluiceError && !error.retryable) return errorMessage(error);
    throw error;
  }
}

/** Of a manifest that is lost nobody knows what it listed. */
async function shownBy(
  deps: CoordinatorDeps,
  record: JobRecord,
  { id }: RetainedCheckpoint,
  manifest: Manifest | string,
): Promise<CheckpointId> {
  if (typeof manifest !== 'string') {
    return Math.max(0, ...manifest.shards.flatMap(({ parts }) => parts.map(({ checkpoint }) => checkpoint)));
  }
  const { plan } = await readPlan(deps, record.plan);
  const commits = plan.vertices.some(({ operators }) =>
    operators.some(({ connector }) => connector !== undefined && deps.connectors.sinks[connector.connector] !== undefined),
  );
  return commits || id > record.published ? id : 0;
}
