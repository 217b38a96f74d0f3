/**
 * `npm run test:dynamodb-local`: the contract suites of the stores on DynamoDB Local, AWS's own engine, which Maven fetches once into `.sluice/`.
 *
 * It listens on every interface and has no option against that: so server and tests run in a network namespace of their own, which nothing outside
 * reaches. Where that cannot be had nothing is started. Its telemetry is off.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const version = '2.6.1';
const port = 8000;
const startMs = 60_000;
const root = join(import.meta.dirname, '..');
const folder = join(root, '.sluice', 'dynamodb-local', version);
const classPathFile = join(folder, 'class-path.txt');

const pom = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;

function refuse(problem: string, hint: string): never {
  console.error(`DynamoDB Local was not started: ${problem}\n  ${hint}`);
  process.exit(2);
}

function works(command: string, ...parameters: readonly string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;
}

function fetchOnce(): void {
  if (existsSync(classPathFile)) return;
  if (!works('mvn', '-version')) refuse('there is no Maven', 'Install Maven; it fetches DynamoDB Local once.');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pom.xml'), pom);
  console.log(`fetching DynamoDB Local ${version} …`);
  const output = join(folder, 'class-path.part');
  const fetched = spawnSync('mvn', ['-q', '-B', 'dependency:build-classpath', `-Dmdep.outputFile=${output}`], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (fetched.status !== 0) refuse('Maven could not fetch it', 'Look at what Maven says above.');
  // Under its name only when it is whole.
  writeFileSync(classPathFile, readFileSync(output));
}

/** Root makes a namespace as it is, others inside a namespace of users. */
function namespaceOptions(): readonly string[] {
  const candidates = [['--net'], ['--user', '--map-root-user', '--net']];
  const found = candidates.find((options) => works('unshare', ...options, 'ip', 'link', 'set', 'lo', 'up'));
  return (
    found ?? refuse('no network namespace can be made', 'Run it on Linux with `unshare` and `ip`, as root or with user namespaces allowed.')
  );
}

function outside(): void {
  if (!works('java', '-version')) refuse('there is no Java', 'Install Java 17 or newer.');
  const options = namespaceOptions();
  fetchOnce();
  const script = join(import.meta.dirname, 'dynamodb-local.ts');
  const inner = spawnSync('unshare', [...options, process.execPath, script, '--inside', ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = inner.status ?? 1;
}

async function inside(): Promise<void> {
  if (!works('ip', 'link', 'set', 'lo', 'up')) refuse('the loopback device cannot be set up', 'Run it by `npm run test:dynamodb-local`.');
  const server = startServer();
  try {
    await listening(server);
    process.exitCode = await run(process.execPath, [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--mode',
      'dynamodb-local',
      ...process.argv.slice(3),
    ]);
  } finally {
    server.kill('SIGKILL');
  }
}

function startServer(): ChildProcess {
  const classPath = readFileSync(classPathFile, 'utf8').trim();
  const library = dirname(classPath.split(':').find((path) => path.includes('libsqlite4java-linux-amd64')) ?? '.');
  const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
  const options = ['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)];
  return spawn('java', [`-Dsqlite4java.library.path=${library}`, '-cp', classPath, main, ...options], { stdio: 'ignore' });
}

async function listening(server: ChildProcess): Promise<void> {
  for (const untilMs = Date.now() + startMs; Date.now() < untilMs; await pause(100)) {
    if (server.exitCode !== null) refuse(`it ended with exit code ${server.exitCode}`, 'Is Java 17 or newer?');
    if (await answers()) return;
  }
  refuse('it does not listen', 'Try again on a machine with less to do.');
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function run(command: string, parameters: readonly string[]): Promise<number> {
  const environment = { ...process.env, DYNAMODB_LOCAL: `http://127.0.0.1:${port}` };
  const child = spawn(command, parameters, { cwd: root, stdio: 'inherit', env: environment });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

if (process.argv[2] === '--inside') await inside();
else outside();
