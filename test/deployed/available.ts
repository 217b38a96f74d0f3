/**
 * Whether this machine can run the emulator, asked once per test file. What cannot be is told loudly: each test that it costs is skipped with the reason,
 * which the run repeats in its closing lines; where CI is true and there is a Python, a skip is a failure.
 */
import type { TestContext } from 'vitest';
import type { Emulator } from '../../localstack/emulator.ts';
import { connectTo, startServer, type ServerOptions } from '../../localstack/server.ts';
import { findPython } from '../../localstack/virtual-environment.ts';
import { errorCode, errorMessage } from '../../lib/base/errors.ts';

export interface OpenEmulator {
  readonly emulator: Emulator;
  stop(): Promise<void>;
}

export interface Missing {
  readonly why: string;
  readonly isFailure: boolean;
}

/** The server that AWS_ENDPOINT_URL names, or one of our own. */
export async function openEmulator(
  options: ServerOptions = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<OpenEmulator | Missing> {
  const given = environment.AWS_ENDPOINT_URL;
  if (given !== undefined && given !== '') {
    const emulator = await connectTo(given);
    if (options.auth === true && !emulator.auth)
      return { why: `deployed tests: the server at ${given} does not enforce IAM`, isFailure: false };
    return { emulator, stop: async () => undefined };
  }
  try {
    const server = await startServer(options);
    return { emulator: server, stop: () => server.stop() };
  } catch (error) {
    return missing(error, environment, await findPython());
  }
}

/** What stands in the way of the machine is a reason to skip; what is wrong with the emulator is not. */
export function missing(error: unknown, environment: Readonly<Record<string, string | undefined>>, python: string | undefined): Missing {
  const code = errorCode(error);
  if (code !== 'SLUICE-LOCALSTACK-PYTHON' && code !== 'SLUICE-LOCALSTACK-PACKAGES') throw error;
  return { why: `deployed tests: ${errorMessage(error)}`, isFailure: environment.CI === 'true' && python !== undefined };
}

export function skipOrFail({ why, isFailure }: Missing, context: TestContext): never {
  if (isFailure) throw new Error(`${why} (CI=true and Python is there: a skip is a failure)`);
  return context.skip(why);
}
