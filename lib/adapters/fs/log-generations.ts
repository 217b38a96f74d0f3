/** The files of the log. Each generation is whole on its own, the newest counts, and a file has its name only when what it begins with is synced. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogHead } from './log-format.ts';
import { LogWriter } from './log-writer.ts';
import { syncDirectory } from './sync-directory.ts';

const namePattern = /^log-(\d{8,})\.sluice(\.part)?$/;

export function generationPath(directory: string, generation: number): string {
  return join(directory, `log-${String(generation).padStart(8, '0')}.sluice`);
}

/** 0 = there is none. */
export async function newestGeneration(directory: string): Promise<number> {
  return Math.max(0, ...(await filesOf(directory)).map(({ generation, isPart }) => (isPart ? 0 : generation)));
}

export async function createGeneration(
  directory: string,
  generation: number,
  head: LogHead,
  entries: readonly Buffer[],
): Promise<LogWriter> {
  const path = generationPath(directory, generation);
  const writer = await LogWriter.create(`${path}.part`, head, entries);
  await rename(`${path}.part`, path);
  await syncDirectory(directory);
  return writer;
}

/** Older files, and those that were never finished. */
export async function removeGenerationsBut(directory: string, current: number): Promise<void> {
  for (const { name, generation, isPart } of await filesOf(directory)) {
    if (isPart || generation !== current) await rm(join(directory, name), { force: true });
  }
}

interface GenerationFile {
  readonly name: string;
  readonly generation: number;
  readonly isPart: boolean;
}

async function filesOf(directory: string): Promise<readonly GenerationFile[]> {
  return (await readdir(directory)).flatMap((name) => {
    const [, generation, part] = namePattern.exec(name) ?? [];
    return generation === undefined ? [] : [{ name, generation: Number(generation), isPart: part !== undefined }];
  });
}
