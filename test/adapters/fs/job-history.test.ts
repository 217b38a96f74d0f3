import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFileStores } from '../../../lib/adapters/fs/file-stores.ts';
import { silentLogger } from '../../../lib/adapters/system/logger.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { systemTimers } from '../../../lib/adapters/system/timers.ts';
import { limits } from '../../../lib/base/limits.ts';
import { jobA } from '../../contract/sample-records.ts';
import { checkpointEntry } from '../../contract/job-history.contract.ts';

const system = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };

test('a job’s history is the same after the directory was closed and opened again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-history-'));
  try {
    const stores = await createFileStores({ ...system, directory });
    for (let id = 1; id <= limits.historyEntriesMax + 3; id++) await stores.history.append(jobA, checkpointEntry(id));
    const before = await stores.history.read(jobA);
    await stores.close();
    const again = await createFileStores({ ...system, directory });
    expect(await again.history.read(jobA)).toEqual(before);
    await again.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
