import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { bootstrap, deploy, destroy, forgetDeploys, type StackOutputs } from '../../localstack/cdk.ts';
import type { Emulator } from '../../localstack/emulator.ts';
import type { ServerOptions } from '../../localstack/server.ts';
import { openEmulator, skipOrFail, type Missing, type OpenEmulator } from './available.ts';

export interface Deployed {
  readonly emulator: Emulator;
  /** Of the only stack of the app, or of all its stacks together. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Another version of the app, or the same with another context; the outputs are those of the new one. */
  deployAgain(changes: { readonly app?: string; readonly context?: Readonly<Record<string, string>> }): Promise<void>;
  /** `cdk destroy`: what it keeps is there afterwards. */
  destroy(): Promise<void>;
}

export interface DeployedOptions extends ServerOptions {
  /** As `cdk --app`: `node test/deployed/small-app/app.ts`. */
  readonly app: string;
  readonly context?: Readonly<Record<string, string>>;
  /** What must be there before the app is. */
  readonly before?: (emulator: Emulator) => Promise<void>;
}

/** From nothing: Python packages, server, bootstrap, synthesis and deploy. */
const setUpTimeoutMs = 300_000;
/** The machine may be busy with the other tests. */
const testTimeoutMs = 90_000;

/** Tests of a deployed app: a server and a stack of their own for the block, made before its first test; skipped, and told, where they cannot be. */
export function describeDeployed(name: string, options: DeployedOptions, tests: (deployed: () => Deployed) => void): void {
  describe(name, { timeout: testTimeoutMs }, () => {
    let open: OpenEmulator | undefined;
    let without: Missing | undefined;
    let outputs: Readonly<Record<string, string>> = {};
    const deployNow = async (app: string, context: Readonly<Record<string, string>>) => {
      if (open !== undefined) outputs = flat(await deploy(open.emulator, { app, context }));
    };
    beforeAll(async () => {
      const opened = await openEmulator(options);
      if ('why' in opened) {
        without = opened;
        return;
      }
      open = opened;
      await Promise.all([bootstrap(opened.emulator), options.before?.(opened.emulator)]);
      await deployNow(options.app, options.context ?? {});
    }, setUpTimeoutMs);
    beforeEach((context) => {
      if (without !== undefined) skipOrFail(without, context);
    });
    afterAll(async () => {
      await open?.stop();
      if (open !== undefined) forgetDeploys(open.emulator);
    }, 30_000);
    tests(() => {
      if (open === undefined) throw new Error('nothing is deployed before the first test begins');
      const server = open.emulator;
      return {
        emulator: server,
        outputs,
        destroy: () => destroy(server, { app: options.app, context: options.context ?? {} }),
        deployAgain: ({ app = options.app, context = options.context ?? {} }) => deployNow(app, context),
      };
    });
  });
}

function flat(outputs: StackOutputs): Readonly<Record<string, string>> {
  return Object.assign({}, ...Object.values(outputs)) as Readonly<Record<string, string>>;
}
