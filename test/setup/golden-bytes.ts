/**
 * Files of a format version, kept for ever: what is written now must be the recorded bytes, and what was recorded must be read for ever.
 * A new sample is recorded by SLUICE_WRITE_GOLDEN=1, which never writes over a file: to record one anew, delete it on purpose.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `path` below test/golden. `bytes` is what this version writes. */
export function goldenBytes(path: string, bytes: Uint8Array): Uint8Array {
  const file = fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
  if (process.env['SLUICE_WRITE_GOLDEN'] === '1' && !existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  return new Uint8Array(readFileSync(file));
}
