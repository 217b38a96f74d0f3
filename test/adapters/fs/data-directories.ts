/** Data directories of one test: opened as a start would, copied as a kill or a power loss would leave them. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createFileStores, type FileStoresOptions } from '../../../lib/adapters/fs/file-stores.ts';
import type { LocalStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { ManualTime } from '../../contract/manual-time.ts';

/** Header and marks of a log take so many bytes. */
export const logHeadBytes = 12_288;

export class DataDirectories {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-fs-'));
  /** What was logged. */
  readonly messages: string[] = [];
  readonly #open: LocalStores[] = [];
  #copies = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  async open(directory: string, options: Partial<FileStoresOptions> = {}): Promise<LocalStores> {
    const { clock, timers } = new ManualTime();
    const logger = { log: (_level: string, message: string) => void this.messages.push(message) };
    const stores = await createFileStores({ directory, clock, timers, random: systemRandom, logger, ...options });
    this.#open.push(stores);
    return stores;
  }

  /** As it stands on the disk at this moment; its process is gone. `log` = other bytes in the place of the log's. */
  copy(directory: string, { log, without = [] }: { readonly log?: Buffer; readonly without?: readonly string[] } = {}): string {
    const copy = join(this.folder, `copy-${++this.#copies}`);
    cpSync(directory, copy, { recursive: true });
    rmSync(join(copy, 'lock'), { force: true });
    for (const name of readdirSync(copy))
      if (without.some((start) => name.startsWith(start))) rmSync(join(copy, name), { recursive: true });
    if (log !== undefined) writeFileSync(logFile(copy), log);
    return copy;
  }

  async dispose(): Promise<void> {
    for (const stores of this.#open) await stores.close().catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function logFile(directory: string): string {
  const names = readdirSync(directory).filter((name) => name.startsWith('log-'));
  expect(names, 'one generation at a time').toHaveLength(1);
  return join(directory, names[0]!);
}
