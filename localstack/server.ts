/**
 * Starts MiniStack by launch.py, on a free port of the loopback interface.
 *
 * SV1. What this process starts ends with it, however it ends: the server watches the other end of its standard input (launch.py).
 * SV2. Its output goes to a file: nobody reads a pipe while this process is busy, and a server whose pipe is full stands still.
 * SV3. It is ended by its pid: other servers of the machine are not ours.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../lib/base/errors.ts';
import { emulatorAt, plainEnvironment, type Emulator } from './emulator.ts';
import { cacheFolder, pythonEnvironment } from './virtual-environment.ts';

export interface ServerOptions {
  /** IAM is enforced. */
  readonly auth?: boolean;
  /** Goes on after this process; whoever started it stops it with `stopServer`. */
  readonly background?: boolean;
  /** Without corrections: shows what they are for. */
  readonly stock?: boolean;
  /** Batches in flight per event source mapping, each a process of this machine. */
  readonly concurrency?: number;
  readonly port?: number;
  readonly say?: (line: string) => void;
}

export interface RunningServer extends Emulator {
  readonly pid: number;
  readonly logFile: string;
  readonly temporaryFolder: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 5_000;
const startTries = 3;
const logsKeptMs = 24 * 3_600_000;

/** @throws SLUICE-LOCALSTACK-PYTHON, -PACKAGES, -START */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const python = await pythonEnvironment(options.say);
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    try {
      return await startOn(port, python, options);
    } catch (error) {
      // Somebody else took the port meanwhile.
      if (options.port !== undefined || tries === startTries || !/already in use/i.test(String(error))) throw error;
    }
  }
}

async function startOn(port: number, python: string, options: ServerOptions): Promise<RunningServer> {
  const endpoint = `http://127.0.0.1:${port}`;
  const logFile = join(cacheFolder, `server-${port}.log`);
  // Unpacked functions stay in it. Not inside the project: there they would find its packages, and take CommonJS for ES modules.
  const temporaryFolder = mkdtempSync(join(tmpdir(), 'sluice-emulator-'));
  removeOldLogs();
  const output = openSync(logFile, 'w');
  const child = spawn(python, [join(import.meta.dirname, 'launch.py')], {
    stdio: [options.background === true ? 'ignore' : 'pipe', output, output],
    detached: options.background === true,
    env: serverEnvironment(port, temporaryFolder, options),
  });
  closeSync(output);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    // Its standard input ends, and so does it (launch.py).
    child.stdin?.end();
    await stopServer(child, options.background === true);
    process.removeListener('exit', kill);
    rmSync(temporaryFolder, { recursive: true, force: true });
  };
  try {
    await untilHealthy(endpoint, child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  if (options.background === true) {
    process.removeListener('exit', kill);
    child.unref();
  }
  const emulator = emulatorAt(endpoint, { auth: options.auth === true, isOurs: true });
  return { ...emulator, pid: child.pid ?? 0, logFile, temporaryFolder, stop };
}

function serverEnvironment(port: number, temporaryFolder: string, options: ServerOptions): NodeJS.ProcessEnv {
  const environment = plainEnvironment();
  return {
    ...environment,
    // Functions run on the first node of PATH: the one of this process, which is that of Lambda.
    PATH: [dirname(process.execPath), environment.PATH].join(delimiter),
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    LAMBDA_EXECUTOR: 'local',
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LOG_LEVEL: 'INFO',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    TMPDIR: temporaryFolder,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...(options.auth === true ? { AUTH: 'true' } : {}),
    ...(options.stock === true ? { SLUICE_EMULATOR: 'stock' } : {}),
    ...(options.concurrency === undefined ? {} : { SLUICE_EMULATOR_CONCURRENCY: String(options.concurrency) }),
    ...(options.background === true ? {} : { SLUICE_EMULATOR_OWNED: '1' }),
  };
}

async function untilHealthy(endpoint: string, child: ChildProcess, logFile: string): Promise<void> {
  let startError: string | undefined;
  child.once('error', (error) => (startError = error.message));
  const giveUpAtMs = Date.now() + startTimeoutMs;
  while (startError === undefined && child.exitCode === null && child.signalCode === null && Date.now() < giveUpAtMs) {
    // Its own pid: another server may have the port.
    if ((await ourServerAt(endpoint))?.pid === child.pid) return;
    await sleep(50);
  }
  const log = startError ?? readFileSync(logFile, 'utf8').trim().split('\n').slice(-12).join('\n');
  throw new SluiceError('SLUICE-LOCALSTACK-START', `the emulator did not start: ${log}`, {
    hint: `Read ${logFile}.`,
    facts: { logFile },
  });
}

export interface OurServer {
  readonly pid: number;
  readonly auth: boolean;
}

/** What our own server says of itself; undefined where there is none, or another one. */
export async function ourServerAt(endpoint: string): Promise<OurServer | undefined> {
  try {
    const answer = await fetch(`${endpoint}/_sluice/server`, { signal: AbortSignal.timeout(2_000) });
    const said = (await answer.json()) as Partial<OurServer>;
    return answer.ok && typeof said.pid === 'number' ? { pid: said.pid, auth: said.auth === true } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The server that somebody names: one of ours that runs already, or another engine.
 *
 * @throws SLUICE-LOCALSTACK-ENDPOINT, -UNREACHABLE
 */
export async function connectTo(endpoint: string): Promise<Emulator> {
  const emulator = emulatorAt(endpoint);
  const ours = await ourServerAt(emulator.endpoint);
  if (ours !== undefined) return emulatorAt(endpoint, { auth: ours.auth, isOurs: true });
  try {
    await fetch(emulator.endpoint, { signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    throw new SluiceError('SLUICE-LOCALSTACK-UNREACHABLE', `nothing answers at ${emulator.endpoint}`, {
      hint: 'Start the server that AWS_ENDPOINT_URL names, or unset it: `npm run localstack:up` starts one.',
      cause: error,
    });
  }
  return emulator;
}

async function stopServer(child: ChildProcess, askFirst: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  if (askFirst) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

/** A log outlives its server, for whoever asks why a test failed; not for ever. */
function removeOldLogs(): void {
  for (const name of readdirSync(cacheFolder).filter((file) => /^server-\d+\.log$/.test(file))) {
    const file = join(cacheFolder, name);
    if (Date.now() - statSync(file).mtimeMs > logsKeptMs) rmSync(file, { force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail).listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });
}
