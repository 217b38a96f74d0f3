/** What one key with 1,000,000 entries in a map costs a shard that has just started: batches of 1,000 records, each with another entry. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryStores, type LocalStores } from '../lib/adapters/memory/memory-stores.ts';
import { createFileStores } from '../lib/adapters/fs/file-stores.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import { operatorUid } from '../lib/base/ids.ts';
import { limits } from '../lib/base/limits.ts';
import { mapState } from '../lib/index.ts';
import { keyGroupOf } from '../lib/model/key-group.ts';
import { tablesOfRows } from '../lib/model/table-rows.ts';
import type { KeyedBase } from '../lib/ports/keyed-base.ts';
import { KeyedBackend } from '../lib/state/keyed-backend.ts';
import { loadWanted } from '../lib/state/load-wanted.ts';
import { createHandle } from '../lib/state/state-handles.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const entryCount = 1_000_000;
const batchRecords = 1_000;
const maxParallelism = 128;
const address = { operator: operatorUid('maps'), state: 'seen', keyGroup: keyGroupOf('"one"', maxParallelism), key: '"one"' };
const system = { clock: systemClock, timers: systemTimers, random: systemRandom };

export interface MapFigures {
  readonly firstBatchMs: number;
  readonly nextBatchMs: number;
  readonly rowsRead: number;
  readonly heapMb: number;
}

export interface MapComparison {
  readonly whole: MapFigures;
  readonly byEntry: MapFigures;
}

/** In memory where `directory` is not given. */
export async function measureMap(directory?: string): Promise<MapComparison> {
  const stores: LocalStores =
    directory === undefined
      ? createMemoryStores(system)
      : await createFileStores({ ...system, directory, logger: { log: () => undefined } });
  for (let from = 0; from < entryCount; from += 10_000) {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      ...address,
      namespace: nameOf(from + i),
      value: { n: from + i },
      deleted: false,
    }));
    await stores.base.write('job', 1, tablesOfRows(rows));
  }
  await stores.durable();
  const byEntry = await measure(stores.base, 'by-entry');
  const whole = await measure(stores.base, 'whole');
  await stores.close();
  return { whole, byEntry };
}

function nameOf(entry: number): string {
  return JSON.stringify(`entry-${entry}`);
}

async function measure(base: KeyedBase, load: 'whole' | 'by-entry'): Promise<MapFigures> {
  let rowsRead = 0;
  const counting: KeyedBase = Object.assign(Object.create(base) as KeyedBase, {
    read: async (...given: Parameters<KeyedBase['read']>) => {
      rowsRead += given[1].length;
      return base.read(...given);
    },
    readKey: async (...given: Parameters<KeyedBase['readKey']>) => {
      const rows = await base.readKey(...given);
      rowsRead += rows.length;
      return rows;
    },
  });
  const keyGroups = { start: 0, end: maxParallelism - 1 };
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  const { operator } = address;
  const backend = new KeyedBackend({ operator, keyGroups, maxParallelism, base: counting, space: 'job', baseHasRows: true, fired: [] });
  const handle = createHandle(
    backend,
    'seen',
    load === 'whole' ? mapState<string, { n: number }>() : mapState<string, { n: number }>({ load }),
  );
  const batchMs = async (batch: number): Promise<number> => {
    const startedAt = performance.now();
    const entry = backend.resolve('one');
    backend.current = entry;
    if (!entry.full) await backend.load([entry]);
    const keys = Array.from({ length: batchRecords }, (_, i) => `entry-${(batch * 7_919 + i * 997) % entryCount}`);
    const wanted = load === 'whole' ? null : keys.map((key) => backend.entryMaps.wanted({ seen: [key] }));
    if (wanted !== null)
      await loadWanted(
        backend,
        keys.map(() => entry),
        wanted,
      );
    for (const [i, key] of keys.entries()) {
      if (wanted !== null) backend.entryMaps.begin(entry, wanted[i]!);
      handle.put(key, { n: handle.get(key)!.n + 1 });
    }
    backend.changes.writeCommit();
    backend.changes.committed();
    backend.evict(limits.stateCacheKeysMax, limits.stateCacheEntriesMax);
    return performance.now() - startedAt;
  };
  const firstBatchMs = await batchMs(0);
  const rows = rowsRead;
  const next: number[] = [];
  for (let batch = 1; batch <= 20; batch++) next.push(await batchMs(batch));
  collect();
  const heapMb = (process.memoryUsage().heapUsed - heapBefore) / 1_048_576;
  const nextBatchMs = next.sort((a, b) => a - b)[next.length >> 1]!;
  return { firstBatchMs: round(firstBatchMs), nextBatchMs: round(nextBatchMs), rowsRead: rows, heapMb: Math.round(heapMb) };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
