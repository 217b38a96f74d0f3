import { awaitOperation } from '../await-operation.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';
import { savepointDirectory } from '../folders.ts';

export interface StopOptions extends ServerOptions {
  readonly json: boolean;
  readonly drain: boolean;
}

/** Stops with a savepoint; the job ends only when that is whole. */
export async function stop(io: CliIo, jobName: string, directory: string | undefined, options: StopOptions): Promise<number> {
  const client = await findServer(io, options);
  const job = await findJob(client, jobName);
  const body = {
    targetDirectory: directory === undefined ? null : savepointDirectory(io, directory),
    drain: options.drain,
    triggerId: io.random.hex(32),
  };
  const trigger = (await client.send<{ readonly 'request-id': string }>('POST', `/jobs/${job}/stop`, body))['request-id'];
  const location = await awaitOperation(io, client, job, trigger);
  io.out(
    options.json
      ? `${JSON.stringify({ job, trigger, location })}\n`
      : `stopped with savepoint: ${location}\n${options.drain ? '' : `go on from it with: sluice run JOB.ts --from-savepoint ${location}\n`}`,
  );
  return exitCodes.done;
}
