import { awaitOperation } from '../await-operation.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { savepointDirectory } from '../folders.ts';
import { findServer, type ServerOptions } from '../find-server.ts';

export interface SavepointOptions extends ServerOptions {
  readonly json: boolean;
  readonly detached: boolean;
}

interface Triggered {
  readonly 'request-id': string;
}

export async function savepoint(io: CliIo, jobName: string, directory: string | undefined, options: SavepointOptions): Promise<number> {
  const client = await findServer(io, options);
  const job = await findJob(client, jobName);
  // Ours, so that a request that is repeated after a lost answer starts nothing twice.
  const triggerId = io.random.hex(32);
  const body = { 'target-directory': directory === undefined ? null : savepointDirectory(io, directory), triggerId };
  const trigger = (await client.send<Triggered>('POST', `/jobs/${job}/savepoints`, body))['request-id'];
  if (options.detached) {
    io.out(options.json ? `${JSON.stringify({ job, trigger })}\n` : `savepoint of job ${job} triggered: ${trigger}\n`);
    return exitCodes.done;
  }
  const location = await awaitOperation(io, client, job, trigger);
  io.out(
    options.json
      ? `${JSON.stringify({ job, trigger, location })}\n`
      : `savepoint complete: ${location}\nstart from it with: sluice run JOB.ts --from-savepoint ${location}\n`,
  );
  return exitCodes.done;
}
