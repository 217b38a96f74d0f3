import { afterAll, test } from 'vitest';
import { region, type Emulator } from '../../localstack/emulator.ts';
import type { ServerOptions } from '../../localstack/server.ts';
import { openEmulator, skipOrFail } from '../deployed/available.ts';

/** What every SDK client takes. */
interface EmulatorClient {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface ContractEmulator {
  readonly client: EmulatorClient;
  readonly emulator: Emulator;
}

/**
 * For a test file that runs a contract suite on the emulator: `const emulator = await emulatorForContract()`, and the suites only where it is defined.
 * Call it once, at the top of the file: a server for it is started, and stopped behind its last test. Where there is none, the file has one test that says why.
 */
export async function emulatorForContract(options: ServerOptions = {}): Promise<ContractEmulator | undefined> {
  const opened = await openEmulator(options);
  if ('why' in opened) {
    test('the contracts hold on the emulator', (context) => skipOrFail(opened, context));
    return undefined;
  }
  afterAll(() => opened.stop());
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return { client: { endpoint: opened.emulator.endpoint, region, credentials }, emulator: opened.emulator };
}
