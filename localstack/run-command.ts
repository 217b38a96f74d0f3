import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Undefined where it could not be started, was killed or took too long. */
  readonly status: number | undefined;
  /** Both of its outputs, as they came. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  /** Takes what is written as it comes. */
  readonly onOutput?: (text: string) => void;
}

const running = new Set<() => void>();
/** What a command has started and not seen the end of ends with this process. */
process.once('exit', () => {
  for (const kill of running) kill();
});

/** Without blocking: a server of ours may be waiting for this process to read, or to answer. */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.environment === undefined ? {} : { env: options.environment }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
  });
  const kill = () => child.kill('SIGKILL');
  running.add(kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      options.onOutput?.(text);
    });
  }
  return new Promise((done) => {
    const finish = (status: number | undefined, more = '') => {
      running.delete(kill);
      done({ status, output: output + more });
    };
    child.once('error', (error) => finish(undefined, error.message));
    child.once('close', (code) => finish(code ?? undefined));
  });
}
