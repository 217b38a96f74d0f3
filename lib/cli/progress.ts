/** How far a job is: read through JobControl, like everything that the API shows. */
import type { JobControl } from '../api/job-control.ts';
import type { JobDetails } from '../api/job-details.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import type { JobId } from '../base/ids.ts';
import { isSourceVertex } from '../model/job-plan.ts';
import type { PresentProblem } from '../ports/problem-board.ts';
import type { JobStatus } from '../model/job-record.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../model/time.ts';
import { counted, formatBytes, formatCount } from './amounts.ts';
import { formatDuration } from './durations.ts';

export interface Progress {
  readonly status: JobStatus;
  /** Read by all sources together. */
  readonly records: number;
  /** Since the sample before; null = this is the first one. */
  readonly recordsPerS: number | null;
  /** The watermark that every shard has reached; null = none yet, `end` = of all input. */
  readonly eventTime: string | null;
  readonly checkpoints: { readonly completed: number; readonly failed: number; readonly lastMs: number | null };
  readonly stateBytes: number;
  /** Records and timers that operators have set aside. */
  readonly deadLetters: number;
  /** What goes wrong now and is tried again. */
  readonly problems: readonly PresentProblem[];
}

/** Remembers the last sample, for the rate. */
export function createProgress(control: JobControl, job: JobId, monotonic: () => number): () => Promise<Progress | undefined> {
  let before: { readonly atMs: number; readonly records: number } | undefined;
  return async () => {
    const details = await control.details(job);
    const checkpoints = await control.checkpoints(job);
    if (details === undefined || checkpoints === undefined) return undefined;
    const records = recordsRead(details);
    const atMs = monotonic();
    const recordsPerS = before === undefined ? null : rateOf(records - before.records, atMs - before.atMs);
    before = { atMs, records };
    const last = checkpoints.ended.find(({ failure }) => failure === null);
    return {
      status: details.status,
      records,
      recordsPerS,
      eventTime: eventTimeOf(details),
      checkpoints: {
        completed: checkpoints.counts.completed,
        failed: checkpoints.counts.failed,
        lastMs: last === undefined ? null : last.endedAtMs - last.triggeredAtMs,
      },
      deadLetters: setsAside(details) ? await control.deadLetterCount(job) : 0,
      problems: isTerminal(details.status) ? [] : await control.problems(job),
      stateBytes: (last?.vertices ?? []).reduce((sum, { stateBytes }) => sum + stateBytes, 0),
    };
  };
}

function setsAside({ plan }: JobDetails): boolean {
  return plan.vertices.some(({ operators }) => operators.some(({ onError }) => onError === 'dead-letter'));
}

/** After a restore the count goes back with the sources: that is no negative rate. */
function rateOf(records: number, elapsedMs: number): number | null {
  return elapsedMs <= 0 ? null : Math.round(Math.max(0, (records * 1_000) / elapsedMs));
}

export function progressLine(name: string, progress: Progress): string {
  const { status, records, recordsPerS, eventTime, checkpoints, stateBytes, deadLetters, problems } = progress;
  const took = checkpoints.lastMs === null ? '' : ` (${formatDuration(checkpoints.lastMs)})`;
  const failed = checkpoints.failed === 0 ? '' : `, ${checkpoints.failed} failed`;
  return [
    status === 'RUNNING' ? name : `${name} ${status}`,
    ...(problems[0] === undefined ? [] : [`TRIES AGAIN ${problems[0].code}`]),
    counted(records, 'record'),
    ...(recordsPerS === null ? [] : [`${formatCount(recordsPerS)}/s`]),
    `event time ${eventTime === null ? '-' : shortTime(eventTime)}`,
    `${counted(checkpoints.completed, 'checkpoint')}${took}${failed}`,
    `state ${formatBytes(stateBytes)}`,
    ...(deadLetters === 0 ? [] : [counted(deadLetters, 'dead letter')]),
  ].join('  ');
}

/** To the minute, which is what moves on a line for people. */
function shortTime(eventTime: string): string {
  return /^\d{4}-\d\d-\d\dT/.test(eventTime) ? eventTime.slice(0, 16).replace('T', ' ') : eventTime;
}

function recordsRead({ plan, vertices }: JobDetails): number {
  return vertices
    .filter(({ uid }) => isSourceVertex(plan, uid))
    .reduce((total, { shards }) => total + shards.reduce((sum, { recordsIn }) => sum + recordsIn, 0), 0);
}

function eventTimeOf({ vertices }: JobDetails): string | null {
  const watermark = Math.min(...vertices.flatMap(({ shards }) => shards.map((shard) => shard.watermark)));
  if (watermark === MIN_WATERMARK) return null;
  if (watermark === MAX_WATERMARK) return 'end';
  const date = new Date(watermark);
  return Number.isNaN(date.getTime()) ? String(watermark) : date.toISOString();
}
