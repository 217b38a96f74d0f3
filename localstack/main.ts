/** `npm run localstack:up`, `:deploy`, `:test`, `:down`: an emulator of AWS on this machine, and what is deployed to it. README.md beside it says more. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { errorCode, errorMessage, SluiceError } from '../lib/base/errors.ts';
import { bootstrap, deploy, forgetDeploys } from './cdk.ts';
import { emulatorAt, type Emulator } from './emulator.ts';
import { remember, rememberedServer, stopRemembered } from './running-server.ts';
import { connectTo, startServer } from './server.ts';

interface Answer {
  /** For people, and for `eval`. */
  readonly lines: readonly string[];
  /** With --json. */
  readonly json: Readonly<Record<string, unknown>>;
}

const options = {
  app: { type: 'string' },
  auth: { type: 'boolean', default: false },
  context: { type: 'string', short: 'c', multiple: true, default: [] as string[] },
  help: { type: 'boolean', short: 'h', default: false },
  json: { type: 'boolean', default: false },
  port: { type: 'string' },
  stack: { type: 'string', multiple: true, default: [] as string[] },
} as const;

const root = join(import.meta.dirname, '..');
const usage = `An emulator of AWS on this machine, without Docker and without an account.

  npm run localstack:up     [-- --auth --port N]   start it in the background; prints what to export
  npm run localstack:deploy [-- --app COMMAND -c NAME=VALUE --stack NAME]
                                                   cdk deploy to it; the app of cdk.json where none is named
  npm run localstack:test   [-- VITEST-ARGUMENTS]  the deployed tests; each file starts a server of its own
  npm run localstack:down                          stop it

  --auth  IAM is enforced     --json  answers as JSON     --help  this text
With AWS_ENDPOINT_URL set, that server is used, and none is started. To export in a shell: eval "$(npm run -s localstack:up)"`;

// So that what was started and is not to stay ends too: the handlers of `exit` see to it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const say = (line: string) => void process.stderr.write(`${line}\n`);

async function up(values: ReturnType<typeof parsed>['values']): Promise<Answer> {
  const given = process.env.AWS_ENDPOINT_URL;
  const before = await rememberedServer();
  if (given !== undefined && given !== '' && given !== before?.endpoint) {
    return told(await connectTo(given), { started: false }, [`# uses the server that AWS_ENDPOINT_URL names: ${given}`]);
  }
  if (before !== undefined) {
    if (before.auth !== values.auth) {
      throw new SluiceError(
        'SLUICE-LOCALSTACK-RUNNING',
        `a server ${before.auth ? 'with' : 'without'} --auth runs already at ${before.endpoint}`,
        {
          hint: 'Stop it first: `npm run localstack:down`.',
        },
      );
    }
    return told(emulatorAt(before.endpoint, { auth: before.auth, isOurs: true }), { started: false, ...before }, stopHint(before));
  }
  await stopRemembered();
  const port = values.port === undefined ? undefined : portOf(values.port);
  const server = await startServer({ background: true, auth: values.auth, say, ...(port === undefined ? {} : { port }) });
  const { endpoint, pid, auth, logFile, temporaryFolder } = server;
  remember({ endpoint, pid, auth, logFile, temporaryFolder, isBootstrapped: false });
  return told(server, { started: true, pid, logFile }, stopHint(server));
}

function stopHint({ endpoint, pid, logFile }: { readonly endpoint: string; readonly pid: number; readonly logFile: string }) {
  return [`# the emulator runs at ${endpoint}, pid ${pid}, log ${logFile}`, '# stop it: npm run localstack:down'];
}

function told(emulator: Emulator, more: Readonly<Record<string, unknown>>, comments: readonly string[]): Answer {
  const exports = Object.entries(emulator.environment).map(([name, value]) => `export ${name}=${value}`);
  return {
    lines: [...comments, ...exports],
    json: { ...more, endpoint: emulator.endpoint, auth: emulator.auth, environment: emulator.environment },
  };
}

async function deployTo(values: ReturnType<typeof parsed>['values']): Promise<Answer> {
  const given = process.env.AWS_ENDPOINT_URL;
  const running = await rememberedServer();
  const endpoint = given === undefined || given === '' ? running?.endpoint : given;
  if (endpoint === undefined) {
    throw new SluiceError('SLUICE-LOCALSTACK-NOT-RUNNING', 'there is no emulator to deploy to', {
      hint: 'Start one: `npm run localstack:up`; or name one with AWS_ENDPOINT_URL.',
    });
  }
  const emulator = await connectTo(endpoint);
  const isOurOwn = running !== undefined && running.endpoint === emulator.endpoint;
  const onOutput = values.json ? {} : { onOutput: (text: string) => void process.stderr.write(text) };
  if (!isOurOwn || !running.isBootstrapped) await bootstrap(emulator, onOutput.onOutput);
  if (isOurOwn) remember({ ...running, isBootstrapped: true });
  const outputs = await deploy(emulator, {
    ...(values.app === undefined ? {} : { app: values.app }),
    ...(values.stack.length === 0 ? {} : { stacks: values.stack }),
    context: Object.fromEntries(values.context.map(pairOf)),
    ...onOutput,
  });
  const lines = Object.entries(outputs).flatMap(([stack, all]) =>
    Object.entries(all).map(([name, value]) => `${stack}.${name} = ${value}`),
  );
  return { lines, json: { endpoint, outputs } };
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`-c ${text} is not NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usageError(`--port ${text} is no port`);
  return port;
}

function usageError(message: string): SluiceError {
  return new SluiceError('SLUICE-LOCALSTACK-USAGE', message, { hint: 'See `npm run localstack:up -- --help`.' });
}

async function down(): Promise<Answer> {
  const stopped = await stopRemembered();
  if (stopped === undefined) return { lines: ['nothing was running'], json: { stopped: false } };
  forgetDeploys(emulatorAt(stopped.endpoint));
  return {
    lines: [`stopped ${stopped.endpoint}, pid ${stopped.pid}`],
    json: { stopped: true, endpoint: stopped.endpoint, pid: stopped.pid },
  };
}

/** Vitest takes the signals itself: this process waits for it. */
async function runTests(args: readonly string[]): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeAllListeners(signal).on(signal, () => undefined);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', 'test/deployed', ...args], { cwd: root, stdio: 'inherit' });
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false });
  } catch (error) {
    throw usageError(errorMessage(error));
  }
}

async function run(command: string | undefined, args: readonly string[]): Promise<number> {
  if (command === 'test' && !args.includes('--help') && !args.includes('-h')) {
    return runTests(args.map((argument) => (argument === '--json' ? '--reporter=json' : argument)));
  }
  const { values } = parsed(args);
  const commands: Readonly<Record<string, () => Promise<Answer>>> = { up: () => up(values), deploy: () => deployTo(values), down };
  const work = commands[command ?? ''];
  if (values.help || command === '--help' || command === 'test') {
    console.log(usage);
    return 0;
  }
  if (work === undefined) throw usageError(`there is no command ${command ?? '(none)'}: up, deploy, test or down`);
  const { lines, json } = await work();
  console.log(values.json ? JSON.stringify(json) : lines.join('\n'));
  return 0;
}

function fail(error: unknown, asJson: boolean): number {
  const code = errorCode(error) ?? 'SLUICE-UNEXPECTED';
  const hint = error instanceof SluiceError ? error.hint : undefined;
  const text = `error ${code}: ${errorMessage(error)}${hint === undefined ? '' : `\n  next:  ${hint}`}`;
  console.error(asJson ? JSON.stringify({ error: { code, message: errorMessage(error), hint } }) : text);
  return code === 'SLUICE-LOCALSTACK-USAGE' ? 2 : 1;
}

const [command, ...args] = process.argv.slice(2);
process.exitCode = await run(command, args).catch((error: unknown) => fail(error, args.includes('--json')));
