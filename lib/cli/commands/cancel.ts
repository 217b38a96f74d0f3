import { errorCode } from '../../base/errors.ts';
import { isTerminal } from '../../checkpoint/job-status.ts';
import type { JobStatus } from '../../model/job-record.ts';
import type { ApiClient } from '../api-client.ts';
import { pollUntil } from '../await-operation.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';

export interface CancelOptions extends ServerOptions {
  readonly json: boolean;
}

export async function cancel(io: CliIo, jobName: string, options: CancelOptions): Promise<number> {
  const client = await findServer(io, options);
  const job = await findJob(client, jobName);
  await client.send('PATCH', `/jobs/${job}?mode=cancel`, {});
  const { status } = await pollUntil(io.timers, () => endOf(client, job));
  const text = status === null ? `the end of job ${job} was accepted, and its run has ended` : `job ${job} is ${status}`;
  io.out(options.json ? `${JSON.stringify({ job, status })}\n` : `${text}\n`);
  return exitCodes.done;
}

/** The run ends with its job, so that nobody answers any more is the end that was asked for; what it was (`status`) is then not known. */
async function endOf(client: ApiClient, job: string): Promise<{ readonly status: JobStatus | null } | undefined> {
  try {
    const { status } = await client.get<{ readonly status: JobStatus }>(`/jobs/${job}/status`);
    return isTerminal(status) ? { status } : undefined;
  } catch (error) {
    if (errorCode(error) === 'SLUICE-SERVER-UNREACHABLE') return { status: null };
    throw error;
  }
}
