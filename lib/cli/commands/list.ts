import { table } from '../amounts.ts';
import type { ListedJob } from '../api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { formatDuration } from '../durations.ts';
import { exitCodes } from '../exit-codes.ts';
import { findServer, type ServerOptions } from '../find-server.ts';

export interface ListOptions extends ServerOptions {
  readonly json: boolean;
}

export async function list(io: CliIo, options: ListOptions): Promise<number> {
  const client = await findServer(io, options);
  const { jobs } = await client.get<{ readonly jobs: readonly ListedJob[] }>('/jobs/overview');
  if (options.json) io.out(`${JSON.stringify(jobs, null, 2)}\n`);
  else if (jobs.length === 0) io.out('no jobs\n');
  else io.out(table([['STATE', 'JOB', 'NAME', 'STARTED', 'DURATION', 'SHARDS'], ...jobs.map(row)]) + jobs.map(problem).join(''));
  return exitCodes.done;
}

function row({ jid, name, state, duration, tasks, unreadable, ...times }: ListedJob): readonly string[] {
  const started = new Date(times['start-time']).toISOString().replace('T', ' ').slice(0, 19);
  return [state, jid, name, started, formatDuration(duration), unreadable === undefined ? String(tasks['total'] ?? 0) : '?'];
}

function problem({ jid, unreadable }: ListedJob): string {
  return unreadable === undefined ? '' : `${jid} cannot be read: ${unreadable.message} (${unreadable.code})\n`;
}
