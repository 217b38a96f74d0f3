/** `sluice run`: one job in this process, with its HTTP API and its progress. */
import { join, resolve } from 'node:path';
import { createApi } from '../../api/api-app.ts';
import type { JobControl } from '../../api/job-control.ts';
import { createPortJobControl } from '../../api/port-job-control.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { createMetrics } from '../../adapters/system/metrics.ts';
import { startLocalServer, type LocalServer } from '../../local/local-server.ts';
import { runJob, type RunningJob } from '../../local/run-job.ts';
import type { JobStatus } from '../../model/job-record.ts';
import type { Logger } from '../../ports/system.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { folderOf } from '../folders.ts';
import { compileFile } from '../load-job.ts';
import { createProgress } from '../progress.ts';
import { checkOwnOptions, checkpointSettings, type RunOptions } from '../run-options.ts';
import { createRunReport, type RunReport } from '../run-report.ts';
import { removeServerFile, writeServerFile } from '../server-file.ts';
import { watchStop, type StopWatch } from '../stop-signals.ts';
import { usableFolder } from '../usable-folder.ts';
import { packageVersion } from '../version.ts';
import { watchControl, type WatchedControl } from '../watched-control.ts';

const progressEveryMs = 1_000;
/** In place, a line may move more often. */
const progressInPlaceMs = 250;
/** How long the server outlives its job for those who still want to know what became of their savepoint. */
const lingerMs = 5_000;
const lingerStepMs = 20;
/** When the start is over: the first time this takes a fifth of a second, and saves the next start more than that. */
const keepCompiledAfterMs = 500;

export async function run(io: CliIo, path: string, options: RunOptions): Promise<number> {
  checkOwnOptions(options);
  const dataDir = options.dataDir === undefined ? undefined : usableFolder(io, 'data directory', options.dataDir);
  if (options.savepointDir !== undefined) usableFolder(io, 'directory for savepoints', folderOf(io, options.savepointDir));
  const program = await compileFile(io, path, options);
  const checkpoint = checkpointSettings(options, program);
  const report = createRunReport(io, program.plan.name, options.json);
  const logger = createLogger({
    clock: io.clock,
    format: options.json ? 'json' : 'text',
    level: options.verbose ? 'info' : 'warn',
    write: report.log,
  });
  const stop = watchStop(io, () => report.stopping(options.dataDir !== undefined));
  const { clock, timers, random } = io;
  const { fromSavepoint, allowNonRestoredState } = options;
  try {
    const running = await runJob({
      ...{
        program,
        code: program.code,
        checkpoint,
        configuration: options.define,
        allowNonRestoredState,
        clock,
        timers,
        random,
        logger,
        metrics: createMetrics(),
      },
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(fromSavepoint === undefined ? {} : { fromSavepoint: folderOf(io, fromSavepoint) }),
    });
    return await serve(io, options, { running, report, logger, stop });
  } finally {
    stop.end();
    report.end();
  }
}

interface Run {
  readonly running: RunningJob;
  readonly report: RunReport;
  readonly logger: Logger;
  readonly stop: StopWatch;
}

async function serve(io: CliIo, options: RunOptions, { running, report, logger, stop }: Run): Promise<number> {
  const { job, ended } = running;
  const watched = watchControl(controlOf(io, options, running));
  const { control } = watched;
  const app = createApi({ control, clock: io.clock, logger, durable: () => running.stores.durable(), version: packageVersion() });
  let server: LocalServer | undefined;
  try {
    server = await startLocalServer({ fetch: app.fetch, port: options.port });
    announce(io, options, running, server, report);
    const progress = showProgress(io, control, running, report);
    const cancelKeeping = io.timers.after(keepCompiledAfterMs, io.keepCompiled);
    const outcome = await Promise.race([stop.stopped, ended]).finally(() => {
      progress.end();
      cancelKeeping();
    });
    if (typeof outcome === 'string') return exitCodes[outcome];
    await linger(io, watched);
    // What is said to have happened survives a kill.
    await running.stores.durable();
    report.ended(outcome, await progress.sample(), (await control.failure(job)) ?? null);
    return exitCodeOf(outcome.status);
  } finally {
    await server?.close();
    await running.close().finally(() => {
      if (options.dataDir !== undefined) removeServerFile(resolve(io.folder, options.dataDir), process.pid);
    });
  }
}

function controlOf(io: CliIo, { savepointDir, dataDir }: RunOptions, { engine }: RunningJob): JobControl {
  const directory = dataDir === undefined ? null : resolve(io.folder, dataDir);
  const inDataDir = directory === null ? null : join(directory, 'savepoints');
  return createPortJobControl({
    deps: engine.coordinator,
    savepointDirectory: savepointDir === undefined ? inDataDir : folderOf(io, savepointDir),
    checkpointLocation: (manifest) => (directory === null ? manifest : join(directory, manifest)),
  });
}

function announce(io: CliIo, { dataDir }: RunOptions, running: RunningJob, { url, port }: LocalServer, report: RunReport): void {
  const { job, origin, restoredFrom, sinceLastRun, lost } = running;
  const startedAt = new Date(io.clock.now()).toISOString();
  if (dataDir !== undefined) writeServerFile(resolve(io.folder, dataDir), { url, port, pid: process.pid, job, startedAt });
  report.started({ job, origin, restoredFrom, sinceLastRun, lost, url, port, pid: process.pid });
}

/** Samples one after another, never two at a time. */
function showProgress(io: CliIo, control: JobControl, { job }: RunningJob, report: RunReport) {
  const sample = createProgress(control, job, () => io.clock.monotonic());
  const everyMs = io.isTerminal && !report.json ? progressInPlaceMs : progressEveryMs;
  let cancel = (): void => undefined;
  let isOver = false;
  const next = (): void => {
    if (isOver) return;
    cancel = io.timers.after(everyMs, () => {
      void sample()
        .then((progress) => {
          if (isOver || progress === undefined) return;
          report.progress(progress);
          next();
        })
        .catch((error: unknown) => report.log(`progress cannot be read: ${String(error)}\n`));
    });
  };
  // Only to count from: the first line that is shown has a rate.
  void sample().then(next, next);
  return {
    sample,
    end: (): void => {
      isOver = true;
      cancel();
    },
  };
}

async function linger(io: CliIo, watched: WatchedControl): Promise<void> {
  const untilMs = io.clock.monotonic() + lingerMs;
  while (watched.unread() > 0 && io.clock.monotonic() < untilMs) {
    await new Promise<void>((wake) => io.timers.after(lingerStepMs, wake));
  }
}

function exitCodeOf(status: JobStatus): number {
  if (status === 'FAILED') return exitCodes.jobFailed;
  return status === 'CANCELED' ? exitCodes.jobCanceled : exitCodes.done;
}
