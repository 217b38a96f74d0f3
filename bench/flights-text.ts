/** The 3,000,000 flights as NDJSON text, made once from the Parquet file of the npm package vega-datasets. */
import { createWriteStream, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, statSync, closeSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { zstdDecompressSync } from 'node:zlib';

export const flightRecords = 3_000_000;
export const chunkBytes = 1 << 20;

/** Builds the text file below node_modules/.cache, where the next run finds it. */
export async function flightsTextFile(): Promise<string> {
  const modules = join(import.meta.dirname, '..', 'node_modules');
  const parquet = join(modules, 'vega-datasets', 'data', 'flights-3m.parquet');
  const path = join(modules, '.cache', 'sluice-bench', 'flights-3m.ndjson');
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const out = createWriteStream(`${path}.part`);
  const file = await asyncBufferFromFile(parquet);
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    let text = '';
    const rowFormat = 'object' as const;
    const compressors = { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) };
    const onComplete = (rows: Record<string, unknown>[]): void => {
      for (const { date, delay, distance, origin, destination } of rows) {
        const record = { date: (date as Date).getTime(), delay: Number(delay), distance: Number(distance), origin, destination };
        text += `${JSON.stringify(record)}\n`;
      }
    };
    await parquetRead({ file, metadata, rowStart, rowEnd, rowFormat, compressors, onComplete });
    if (!out.write(text)) await once(out, 'drain');
    rowStart = rowEnd;
  }
  out.end();
  await once(out, 'finish');
  renameSync(`${path}.part`, path);
  return path;
}

/** The whole text as one-byte strings of about a mebibyte, each of whole lines. */
export function loadChunks(path: string, recordsMax = flightRecords): string[] {
  const bytes = readFileSync(path);
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length;) {
    let end = Math.min(at + chunkBytes, bytes.length);
    if (end < bytes.length) end = bytes.lastIndexOf(10, end - 1) + 1;
    chunks.push(bytes.toString('latin1', at, end));
    at = end;
  }
  if (recordsMax >= flightRecords) return chunks;
  return takeLines(chunks, recordsMax);
}

function takeLines(chunks: readonly string[], recordsMax: number): string[] {
  const taken: string[] = [];
  let left = recordsMax;
  for (const chunk of chunks) {
    if (left <= 0) break;
    const lines = chunk.split('\n');
    lines.pop();
    taken.push(`${lines.slice(0, left).join('\n')}\n`);
    left -= lines.length;
  }
  return taken;
}

/** Streams the file in chunks without holding it, for the memory bench. */
export function* streamChunks(path: string, times = 1): Generator<string> {
  const size = statSync(path).size;
  for (let round = 0; round < times; round++) {
    const file = openSync(path, 'r');
    let rest = Buffer.alloc(0);
    for (let at = 0; at < size;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
      at += readSync(file, buffer, 0, buffer.length, at);
      const all = Buffer.concat([rest, buffer]);
      const end = all.lastIndexOf(10) + 1;
      rest = all.subarray(end);
      yield all.toString('latin1', 0, end);
    }
    closeSync(file);
  }
}
