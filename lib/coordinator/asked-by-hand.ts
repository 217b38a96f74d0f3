/**
 * What the flows share that a person may start with a small JSON, as from the Step Functions console.
 *
 * AH1. An execution asks once: its trigger is made of its name, so that a second try of the step finds what the first one has written.
 * AH2. Of a change that nobody asked for over HTTP the audit has a record too, made before the change: who it was, the execution can tell (CloudTrail).
 */
import { createHash } from 'node:crypto';
import { errorCode } from '../base/errors.ts';
import { isJobId, type JobId } from '../base/ids.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';

/** What a step of asking is given: what the execution was started with, its name, and its ARN. */
export interface AskedByHand {
  readonly input: unknown;
  readonly flow: string;
  readonly execution: string;
}

/** AH1. */
export function triggerOf({ flow }: Pick<AskedByHand, 'flow'>): string {
  return createHash('sha256').update(flow).digest('hex').slice(0, 32);
}

/** AH2. `path`: as the API's route for the same ends. */
export async function recordedChange<Input extends { readonly jobId: JobId }>(
  { recordChange }: CoordinatorDeps,
  { flow, execution }: AskedByHand,
  path: string,
  input: Input,
  change: () => Promise<unknown>,
): Promise<void> {
  const request = { method: 'StartExecution', path, query: '', body: JSON.stringify(input) };
  const answered = await recordChange?.({ job: input.jobId, who: execution, requestId: flow, request });
  try {
    await change();
  } catch (error) {
    await answered?.({ status: 500, code: errorCode(error) ?? null });
    throw error;
  }
  await answered?.({ status: 202, code: null });
}

/** What is wrong with an input as such; its fields, by name, where it is an object. */
export function readFields(
  input: unknown,
  known: readonly string[],
): { readonly fields: Readonly<Record<string, unknown>>; readonly problems: readonly string[] } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { fields: {}, problems: ['the input is no object'] };
  const fields = input as Readonly<Record<string, unknown>>;
  const { jobId } = fields;
  const problems = Object.keys(fields).filter((name) => !known.includes(name)).map((name) => `${name} is unknown`); // prettier-ignore
  if (typeof jobId !== 'string' || !isJobId(jobId)) problems.push('jobId must be 32 lower-case hexadecimal digits');
  return { fields, problems };
}
