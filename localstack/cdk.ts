/** The CDK's own command line against an emulator: bootstrap, deploy, destroy. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SluiceError } from '../lib/base/errors.ts';
import { account, plainEnvironment, region, type Emulator } from './emulator.ts';
import { runCommand } from './run-command.ts';
import { cacheFolder } from './virtual-environment.ts';

export interface DeployOptions {
  /** A command that makes the app, or the folder of an assembly made before; cdk.json's app where it is absent. */
  readonly app?: string;
  /** `-c name=value`; `cliCredentials` and `plainHttp` are added where IAM is enforced. */
  readonly context?: Readonly<Record<string, string>>;
  /** All where it is absent. */
  readonly stacks?: readonly string[];
  /** Takes what the command line says as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Outputs by stack and name. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

const root = join(import.meta.dirname, '..');
const cdkTimeoutMs = 300_000;
const quiet = ['--no-notices', '--no-version-reporting', '--no-color'];

/**
 * Makes what `cdk deploy` needs. Not in the app's folder: there the CDK synthesizes the app first, without bundling, and leaves that for the next deploy.
 *
 * @throws SLUICE-LOCALSTACK-CDK
 */
export async function bootstrap(emulator: Emulator, onOutput?: (text: string) => void): Promise<void> {
  const folder = join(cacheFolder, 'bootstrap');
  mkdirSync(folder, { recursive: true });
  await cdk(emulator, ['bootstrap', `aws://${account}/${region}`], folder, onOutput);
}

/** @throws SLUICE-LOCALSTACK-CDK */
export async function deploy(emulator: Emulator, options: DeployOptions = {}): Promise<StackOutputs> {
  const folder = runFolder(emulator);
  const outputsFile = join(folder, 'outputs.json');
  mkdirSync(folder, { recursive: true });
  rmSync(outputsFile, { force: true });
  await cdk(
    emulator,
    [
      'deploy',
      ...(options.stacks ?? ['--all']),
      ...['--require-approval', 'never', '--outputs-file', outputsFile, '--output', join(folder, 'cdk.out')],
      ...appArguments(emulator, options),
    ],
    root,
    options.onOutput,
  );
  return existsSync(outputsFile) ? (JSON.parse(readFileSync(outputsFile, 'utf8')) as StackOutputs) : {};
}

/**
 * Of what the last deploy from here has made: nothing is synthesized again.
 *
 * @throws SLUICE-LOCALSTACK-CDK
 */
export async function destroy(emulator: Emulator, options: DeployOptions = {}): Promise<void> {
  const assembly = join(runFolder(emulator), 'cdk.out');
  const from = existsSync(assembly) ? { ...options, app: assembly } : options;
  const stacks = options.stacks ?? ['--all'];
  await cdk(emulator, ['destroy', ...stacks, '--force', ...appArguments(emulator, from)], root, options.onOutput);
}

function appArguments(emulator: Emulator, { app, context = {} }: DeployOptions): readonly string[] {
  const all = { ...(emulator.auth ? { cliCredentials: 'true', plainHttp: 'true' } : {}), ...context };
  return [...(app === undefined ? [] : ['--app', app]), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

function runFolder(emulator: Emulator): string {
  return join(cacheFolder, `deployed-${new URL(emulator.endpoint).host.replace(/[^a-z0-9.-]/gi, '-')}`);
}

/** The template of a stack, as the last deploy from here has synthesized it. */
export function synthesizedTemplate(emulator: Emulator, stack: string): unknown {
  return JSON.parse(readFileSync(join(runFolder(emulator), 'cdk.out', `${stack}.template.json`), 'utf8'));
}

/** What deploys left behind in the cache folder. */
export function forgetDeploys(emulator: Emulator): void {
  rmSync(runFolder(emulator), { recursive: true, force: true });
}

async function cdk(emulator: Emulator, args: readonly string[], cwd: string, onOutput?: (text: string) => void): Promise<void> {
  const packageFile = createRequire(import.meta.url).resolve('aws-cdk/package.json');
  const { status, output } = await runCommand(process.execPath, [join(dirname(packageFile), 'bin', 'cdk'), ...args, ...quiet], {
    cwd,
    timeoutMs: cdkTimeoutMs,
    environment: {
      ...plainEnvironment(),
      ...emulator.environment,
      // An app is a command, `node …`: of this Node.
      PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
      CI: '1',
      NO_COLOR: '1',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    },
    ...(onOutput === undefined ? {} : { onOutput }),
  });
  if (status === 0) return;
  // Who has read it as it came need not read it again.
  const said = onOutput === undefined ? `:\n${output.trim().slice(-4_000)}` : '';
  throw new SluiceError('SLUICE-LOCALSTACK-CDK', `cdk ${args[0] ?? ''} failed (${status ?? 'killed'})${said}`, {
    hint: 'The output of the CDK says what is wrong; the log of the emulator has the rest.',
    facts: { endpoint: emulator.endpoint },
  });
}
