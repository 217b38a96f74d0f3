import { expect, test } from 'vitest';
import { MemoryFlowStore } from '../../lib/adapters/memory/flow-store.ts';
import { volatileJournal } from '../../lib/adapters/memory/store-context.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { limits } from '../../lib/base/limits.ts';
import type { FlowExecution } from '../../lib/ports/flow-store.ts';
import { ManualTime } from '../contract/manual-time.ts';

test('a local runner forgets the oldest ended executions, and never a running one', async () => {
  const { clock, timers } = new ManualTime();
  const store = new MemoryFlowStore({ clock, timers, random: systemRandom, journal: volatileJournal, protect: (value) => value });
  const execution = (name: string, status: FlowExecution['status']): FlowExecution => {
    return { name, flow: 'f', status, state: 's', data: null, token: null, dueAtMs: null, retries: 0, startedAtMs: 0 };
  };
  await store.create(execution('running', 'RUNNING'));
  for (let n = 0; n < limits.flowExecutionsKept + 5; n++) {
    await store.create(execution(`e${n}`, 'RUNNING'));
    await store.save(execution(`e${n}`, 'SUCCEEDED'));
  }
  expect([...store.snapshot()]).toHaveLength(limits.flowExecutionsKept + 1);
  expect(await store.read('e4')).toBeUndefined();
  expect(await store.read('e5')).toMatchObject({ status: 'SUCCEEDED' });
  expect(await store.running()).toMatchObject([{ name: 'running' }]);
});
