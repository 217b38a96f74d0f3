import { describe, expect, test } from 'vitest';
import { awaitOperation } from '../../functions/await-operation.ts';
import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import { errorCode } from '../../lib/base/errors.ts';
import { VirtualTime } from '../../lib/testing/sim/virtual-time.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { job } from '../checkpoint/fixture.ts';

const asked: OperationRecord = {
  job,
  trigger: 'deploy-1',
  kind: 'restore',
  request: {},
  status: 'IN_PROGRESS',
  progress: {},
  location: null,
  failure: null,
  createdAtMs: 1,
  changedAtMs: 1,
};

const random = { hex: (digits: number) => '0'.repeat(digits), fraction: () => 0.5 };

/** How it ended, and after how long; `later` is stored after 3 s. */
async function awaited(later: Partial<OperationRecord> | null): Promise<{ readonly code: string | undefined; readonly afterMs: number }> {
  const time = new VirtualTime();
  const { operations } = createMemoryStores({ clock: time.clock, timers: time.timers, random });
  await operations.create(asked);
  if (later !== null) time.after(3_000, () => void operations.replace({ ...asked, ...later, version: 1 }, 0));
  let ended: { readonly code: string | undefined; readonly afterMs: number } | undefined;
  void awaitOperation({ operations }, time, asked).then(
    () => (ended = { code: 'none', afterMs: time.nowMs }),
    (error: unknown) => (ended = { code: errorCode(error), afterMs: time.nowMs }),
  );
  await time.run(() => ended !== undefined);
  return ended!;
}

describe('what waits for the restore of a deployment', () => {
  test('ends with it', async () => {
    expect(await awaited({ status: 'COMPLETED' })).toEqual({ code: 'none', afterMs: 3_000 });
  });

  test('fails as it has failed, also where it only says what it is stuck at', async () => {
    const failure = { code: 'SLUICE-REFUSED', message: 'no place for the state', hint: '' };
    expect(await awaited({ status: 'COMPLETED', failure })).toEqual({ code: 'SLUICE-REFUSED', afterMs: 3_000 });
    expect(await awaited({ failure })).toEqual({ code: 'SLUICE-REFUSED', afterMs: 3_000 });
  });

  test('says so where it goes on for longer than a function lives', async () => {
    expect(await awaited(null)).toEqual({ code: 'SLUICE-OPERATION-LASTS', afterMs: 240_000 });
  });
});
