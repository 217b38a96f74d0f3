import { SluiceError } from '../../base/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { pollUntil } from '../await-operation.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';

export interface CheckpointCommandOptions extends ServerOptions {
  readonly json: boolean;
  readonly detached: boolean;
}

interface CheckpointAnswer {
  readonly status: { readonly id: 'IN_PROGRESS' | 'COMPLETED' };
  readonly operation: {
    readonly checkpointId?: number;
    readonly failureCause?: { readonly code: string; readonly message: string; readonly hint: string };
  } | null;
}

export async function checkpoint(io: CliIo, jobName: string, options: CheckpointCommandOptions): Promise<number> {
  const client = await findServer(io, options);
  const job = await findJob(client, jobName);
  // Ours, so that a request that is repeated after a lost answer starts nothing twice.
  const triggerId = io.random.hex(32);
  await client.send('POST', `/jobs/${job}/checkpoints`, { triggerId });
  if (options.detached) {
    io.out(options.json ? `${JSON.stringify({ job, trigger: triggerId })}\n` : `checkpoint of job ${job} triggered: ${triggerId}\n`);
    return exitCodes.done;
  }
  const number = await pollUntil(io.timers, () => numberOf(client, job, triggerId));
  io.out(options.json ? `${JSON.stringify({ job, trigger: triggerId, checkpoint: number })}\n` : `checkpoint ${number} is complete\n`);
  return exitCodes.done;
}

/** @throws SluiceError `SLUICE-CHECKPOINT-FAILED`, or the operation's own code */
async function numberOf(client: ApiClient, job: string, trigger: string): Promise<number | undefined> {
  const { status, operation } = await client.get<CheckpointAnswer>(`/jobs/${job}/checkpoints/${trigger}`);
  if (status.id === 'IN_PROGRESS' || operation === null) return undefined;
  const { checkpointId, failureCause } = operation;
  if (failureCause === undefined) return checkpointId;
  const { code, message, hint } = failureCause;
  // Reasons of failed checkpoints have Flink's names; they are errors here under one code.
  throw new SluiceError(code.startsWith('SLUICE-') ? code : 'SLUICE-CHECKPOINT-FAILED', message, {
    hint,
    facts: { job, trigger, reason: code },
  });
}
