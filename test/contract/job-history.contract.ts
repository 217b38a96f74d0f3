import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import type { HistoryEntry } from '../../lib/ports/job-history.ts';
import { openFixture, type MakeStores, type StoresFixture } from './fixture.ts';
import { jobA, jobB } from './sample-records.ts';

export function checkpointEntry(id: number): HistoryEntry {
  return {
    kind: 'checkpoint',
    id,
    attempt: 1,
    checkpointKind: 'checkpoint',
    triggeredAtMs: id,
    endedAtMs: id + 1,
    vertices: [],
    location: `jobs/chk-${id}`,
    failure: null,
  };
}

const restore: HistoryEntry = { kind: 'restore', id: 2, checkpoint: 7, checkpointKind: 'savepoint', atMs: 3 };
const status = { kind: 'status', id: 7, status: 'RUNNING', atMs: 4 } as const;

/** What the history of jobs promises. */
export function jobHistoryContract(adapter: string, make: MakeStores): void {
  describe(`job history of ${adapter}`, () => {
    let fixture: StoresFixture;

    beforeEach(async () => {
      fixture = await openFixture(make);
    });
    afterEach(() => fixture.dispose());

    const ofKind = async (kind: HistoryEntry['kind']) => (await fixture.stores.history.read(jobA)).filter((entry) => entry.kind === kind);

    test('entries come back in the order of each kind, of their own job', async () => {
      const { history } = fixture.stores;
      expect(await history.read(jobA)).toEqual([]);
      for (const entry of [checkpointEntry(2), restore, checkpointEntry(1), status]) await history.append(jobA, entry);
      await history.append(jobB, checkpointEntry(9));
      expect(await ofKind('checkpoint')).toEqual([checkpointEntry(2), checkpointEntry(1)]);
      expect(await ofKind('restore')).toEqual([restore]);
      expect(await ofKind('status')).toEqual([status]);
      expect(await history.read(jobB)).toEqual([checkpointEntry(9)]);
    });

    test('the same entry again changes nothing: the first one stays', async () => {
      const { history } = fixture.stores;
      await history.append(jobA, status);
      await history.append(jobA, { ...status, status: 'FAILED', atMs: 99 });
      expect(await history.read(jobA)).toEqual([status]);
    });

    test('the newest of each kind are kept, and what is rare is not pushed out', async () => {
      const { history } = fixture.stores;
      await history.append(jobA, restore);
      for (let id = 1; id <= limits.historyEntriesMax + 5; id++) await history.append(jobA, checkpointEntry(id));
      const checkpoints = await ofKind('checkpoint');
      expect([checkpoints.length, checkpoints[0]?.id, checkpoints.at(-1)?.id]).toEqual([
        limits.historyEntriesMax,
        6,
        limits.historyEntriesMax + 5,
      ]);
      expect(await ofKind('restore')).toEqual([restore]);
    });
  });
}
