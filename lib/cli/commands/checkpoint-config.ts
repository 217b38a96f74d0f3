import { durationText } from '../../dsl/durations.ts';
import type { CliIo } from '../cli-io.ts';
import { parseDuration } from '../durations.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';

export interface CheckpointConfigOptions extends ServerOptions {
  readonly json: boolean;
  readonly interval?: string;
  readonly mode?: 'exactly-once' | 'at-least-once';
  readonly timeout?: string;
  readonly minPause?: string;
  readonly maxConcurrentCheckpoints?: number;
  readonly tolerableFailedCheckpoints?: number;
  readonly numRetained?: number;
  readonly unaligned?: boolean;
  readonly alignedTimeout?: string;
}

type Config = Readonly<Record<string, unknown>>;

interface Changed {
  readonly changes: readonly { readonly option: string; readonly from: unknown; readonly to: unknown }[];
  readonly config: Config;
}

/** Names and values as in the answer to `GET …/checkpoints/config`. */
const shown = [
  'interval',
  'mode',
  'timeout',
  'min_pause',
  'max_concurrent',
  'tolerable_failed_checkpoints',
  'num_retained',
  'unaligned_checkpoints',
  'aligned_checkpoint_timeout',
] as const;
const durations: readonly string[] = ['interval', 'timeout', 'min_pause', 'aligned_checkpoint_timeout'];

export async function checkpointConfig(io: CliIo, jobName: string, options: CheckpointConfigOptions): Promise<number> {
  const body = bodyOf(options);
  const client = await findServer(io, options);
  const path = `/jobs/${await findJob(client, jobName)}/checkpoints/config`;
  if (Object.keys(body).length === 0) {
    const config = await client.get<Config>(path);
    io.out(options.json ? `${JSON.stringify(config)}\n` : shown.map((name) => `${name} ${text(name, config[name])}\n`).join(''));
    return exitCodes.done;
  }
  const changed = await client.send<Changed>('PATCH', path, body);
  const lines = changed.changes.map(({ option, from, to }) => `${option} ${text(option, to)}, was ${text(option, from)}\n`);
  io.out(options.json ? `${JSON.stringify(changed)}\n` : lines.join('') || 'nothing changed: it is so already\n');
  return exitCodes.done;
}

function bodyOf({ interval, mode, timeout, minPause, ...numbers }: CheckpointConfigOptions): Config {
  const given = {
    interval: interval === undefined ? undefined : parseDuration('--interval', interval),
    mode: mode?.replaceAll('-', '_'),
    timeout: timeout === undefined ? undefined : parseDuration('--timeout', timeout),
    min_pause: minPause === undefined ? undefined : parseDuration('--min-pause', minPause),
    max_concurrent: numbers.maxConcurrentCheckpoints,
    tolerable_failed_checkpoints: numbers.tolerableFailedCheckpoints,
    num_retained: numbers.numRetained,
    unaligned_checkpoints: numbers.unaligned,
    aligned_checkpoint_timeout:
      numbers.alignedTimeout === undefined ? undefined : parseDuration('--aligned-timeout', numbers.alignedTimeout),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** In the largest unit that says it exactly, as it can be given again. */
function text(option: string, value: unknown): string {
  if (!durations.includes(option)) return String(value).replaceAll('_', '-');
  return durationText(Number(value));
}
