/** What `sluice run` says while it runs and at its end: for people, or as one JSON object per line on standard output. */
import type { RunningJob } from '../local/run-job.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';
import { counted } from './amounts.ts';
import type { CliIo } from './cli-io.ts';
import { formatDuration } from './durations.ts';
import { progressLine, type Progress } from './progress.ts';
import { errorText } from './report-error.ts';
import { createStatusLine } from './status-line.ts';

interface Started {
  readonly job: string;
  readonly origin: RunningJob['origin'];
  readonly url: string;
  readonly port: number;
  readonly pid: number;
}

export interface RunReport {
  readonly json: boolean;
  readonly log: (line: string) => void;
  readonly started: (facts: Started) => void;
  readonly progress: (progress: Progress) => void;
  /** The first Ctrl-C. */
  readonly stopping: (isKept: boolean) => void;
  readonly ended: (record: JobRecord, last: Progress | undefined, failure: JobFailure | null) => void;
  readonly end: () => void;
}

export function createRunReport(io: CliIo, name: string, json: boolean): RunReport {
  return json ? jsonReport(io, name) : textReport(io, name);
}

const origins: Readonly<Record<RunningJob['origin'], string>> = {
  started: 'starts',
  resumed: 'goes on where it was',
  restored: 'goes on from a snapshot',
  'ended-before': 'has ended before',
};

function textReport(io: CliIo, name: string): RunReport {
  const line = createStatusLine(io);
  const begunAtMs = io.clock.monotonic();
  return {
    json: false,
    log: line.print,
    started: ({ job, origin, url }) => line.print(`job ${name} (${job}) ${origins[origin]}\nHTTP API ${url}\n`),
    progress: (progress) => line.show(progressLine(name, progress)),
    stopping: (isKept) => line.print(isKept ? 'stopping; the state is kept, the next Ctrl-C kills\n' : 'stopping; the next Ctrl-C kills\n'),
    ended: ({ status }, last, failure) => {
      line.end();
      const took = formatDuration(io.clock.monotonic() - begunAtMs);
      const counts = last === undefined ? '' : `: ${counted(last.records, 'record')}, ${counted(last.checkpoints.completed, 'checkpoint')}`;
      io.out(`job ${name} is ${status} after ${took}${counts}\n`);
      if (failure !== null) io.err(failureText(failure));
    },
    end: line.end,
  };
}

/** In a run's first lines the facts that its callers wait for; every line has its event. */
function jsonReport(io: CliIo, name: string): RunReport {
  const line = (event: string, facts: object): void => io.out(`${JSON.stringify({ event, ...facts })}\n`);
  return {
    json: true,
    log: io.err,
    started: (facts) => line('started', { name, ...facts }),
    progress: (progress) => line('progress', progress),
    stopping: (isKept) => line('stopping', { stateKept: isKept }),
    ended: ({ status, attempt }, last, failure) => line('ended', { status, attempt, progress: last ?? null, failure }),
    end: () => undefined,
  };
}

/** Where a stack says more than the code does. */
const codesWithStack: readonly string[] = ['SLUICE-USER-CODE', 'SLUICE-INVARIANT'];

function failureText({ code, message, hint, operator, shard, facts }: JobFailure): string {
  const known = Object.entries(facts)
    .filter(([fact]) => fact !== 'stack' || codesWithStack.includes(code))
    .map(([fact, value]) => `${fact} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const cause = [`operator ${operator}, shard ${shard}`, ...known].join(', ');
  return errorText({ code, message, cause, hint, facts: {} });
}
