/** The command line in a real process: its streams, its signals, its exit code. */
import { flushCompileCache } from 'node:module';
import { systemClock } from '../adapters/system/clock.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { systemTimers } from '../adapters/system/timers.ts';
import type { CliIo, StopSignal } from './cli-io.ts';
import { errorMessage, SluiceError } from '../base/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { main } from './main.ts';
import { reportError } from './report-error.ts';

const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];

export async function startProcess(args: readonly string[]): Promise<void> {
  // A reader that has gone (`sluice list | head -1`) is no error of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe);
  const io = processIo();
  process.on('uncaughtException', (error) => {
    reportUncaught(io, error, args.includes('--json'));
    process.exit(exitCodes.failed);
  });
  process.exitCode = await main(args, io);
}

function processIo(): CliIo {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    // Some terminals do not know their width.
    columns: () => process.stderr.columns || 80,
    folder: process.cwd(),
    env: process.env,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    onStop: (listener) => {
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
    keepCompiled: () => flushCompileCache(),
    kill: (exitCode) => process.exit(exitCode),
  };
}

/** A rejection that nobody has met comes here too. What is stored is as after a kill. */
function reportUncaught(io: CliIo, cause: unknown, json: boolean): void {
  const error = new SluiceError('SLUICE-UNCAUGHT', `something failed that nobody was waiting for: ${errorMessage(cause)}`, {
    hint: 'Where the place is in the job: a function of a job ends what it starts, and leaves no timer or promise behind. Else report it.',
    cause,
  });
  reportError(io, error, json);
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
