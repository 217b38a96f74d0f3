/** What `sluice run` says while it runs and at its end: for people, or as one JSON object per line on standard output. */
import type { SettingChange } from '../checkpoint/checkpoint-settings.ts';
import { lostText } from '../local/lost-objects.ts';
import type { RunningJob } from '../local/run-job.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { PresentProblem } from '../ports/problem-board.ts';
import type { JobRecord } from '../model/job-record.ts';
import { counted } from './amounts.ts';
import type { CliIo } from './cli-io.ts';
import { formatDuration } from './durations.ts';
import { progressLine, type Progress } from './progress.ts';
import { errorText } from './report-error.ts';
import { createStatusLine } from './status-line.ts';

interface Started extends Pick<RunningJob, 'origin' | 'restoredFrom' | 'sinceLastRun' | 'lost'> {
  readonly job: string;
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
  restored: 'goes on from its savepoint',
  'ended-before': 'has ended before',
};

function howItGoesOn({ origin, restoredFrom, sinceLastRun }: Pick<Started, 'origin' | 'restoredFrom' | 'sinceLastRun'>): string {
  if (origin !== 'restored' || restoredFrom === null) return origins[origin];
  const withWhat = sinceLastRun.code === null ? '' : ' with its new code';
  return `goes on${withWhat} from ${restoredFrom === 0 ? 'its beginning: no checkpoint was complete' : `checkpoint ${restoredFrom}`}`;
}

/** What a person may have changed without meaning to. */
function changeLines({ plan, code, settings, restart }: RunningJob['sinceLastRun']): readonly string[] {
  const changed = settings.map(
    ({ setting, from, to }) => `${settingNames[setting]} ${settingText(setting, to)}, was ${settingText(setting, from)}`,
  );
  return [
    ...(plan ? ["the job's plan has changed since the last run"] : []),
    ...(code === null
      ? []
      : [`the job's code has changed since the last run (digest ${code.to.slice(0, 8)}, was ${code.from.slice(0, 8)})`]),
    ...(changed.length === 0 ? [] : [`checkpoints from now on: ${changed.join('; ')}`]),
    ...(restart === undefined ? [] : [`restart strategy from now on ${restart.to}, was ${restart.from}`]),
  ];
}

const settingNames: Readonly<Record<SettingChange['setting'], string>> = {
  intervalMs: 'interval',
  mode: 'mode',
  timeoutMs: 'timeout',
  minPauseMs: 'minimum pause',
  maxConcurrent: 'at a time',
  tolerableFailures: 'tolerable failures',
  retained: 'retained',
  retentionOnCancellation: 'on cancellation',
  unaligned: 'unaligned',
  alignedTimeoutMs: 'aligned for',
};

function settingText(setting: SettingChange['setting'], value: SettingChange['to']): string {
  return setting.endsWith('Ms') ? formatDuration(Number(value)) : String(value);
}

function textReport(io: CliIo, name: string): RunReport {
  const line = createStatusLine(io);
  const news = newProblems();
  const begunAtMs = io.clock.monotonic();
  return {
    json: false,
    log: line.print,
    started: ({ job, url, ...facts }) => {
      const losses = facts.lost.length === 0 ? [] : [`${lostText(facts.lost)}: the job goes back to its newest whole checkpoint`];
      const changes = [...losses, ...changeLines(facts.sinceLastRun)].map((change) => `${change}\n`);
      line.print(`${changes.join('')}job ${name} (${job}) ${howItGoesOn(facts)}\nHTTP API ${url}\n`);
    },
    progress: (progress) => {
      for (const text of news(progress.problems)) line.print(text);
      line.show(progressLine(name, progress));
    },
    stopping: (isKept) => line.print(isKept ? 'stopping; the state is kept, the next Ctrl-C kills\n' : 'stopping; the next Ctrl-C kills\n'),
    ended: ({ status }, last, failure) => {
      line.end();
      const took = formatDuration(io.clock.monotonic() - begunAtMs);
      const counts =
        last === undefined
          ? ''
          : `: ${counted(last.records, 'record')}, ${counted(last.checkpoints.completed, 'checkpoint')}${last.deadLetters === 0 ? '' : `, ${counted(last.deadLetters, 'dead letter')}`}`;
      io.out(`job ${name} is ${status} after ${took}${counts}\n`);
      if (failure !== null) io.err(failureText(failure));
    },
    end: line.end,
  };
}

/** A problem that stays is told when it begins, and that it is over. */
function newProblems(): (present: readonly PresentProblem[]) => readonly string[] {
  let told: readonly PresentProblem[] = [];
  const same = (a: PresentProblem) => (b: PresentProblem) => a.sinceMs === b.sinceMs && a.operator === b.operator && a.shard === b.shard;
  return (present) => {
    const begun = present.filter((problem) => !told.some(same(problem)));
    const over = told.filter((problem) => !present.some(same(problem)));
    told = present;
    return [...over.map(({ code }) => `${code} is over, the job goes on\n`), ...begun.map(problemText)];
  };
}

function problemText({ code, message, hint, operator, shard, tries, isCertain }: PresentProblem): string {
  const where = operator === undefined ? '' : `operator ${operator}, shard ${shard}: `;
  const again = isCertain === true ? 'by the restart strategy' : 'until it works';
  const cause = `${where}tried ${counted(tries, 'time')}, and tried again ${again}`;
  return errorText({ code, message, cause, hint, facts: {} }, 'problem');
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
