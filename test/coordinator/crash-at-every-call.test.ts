import { describe, expect, test } from 'vitest';
import { manifestKey } from '../../lib/model/object-keys.ts';
import { job } from '../checkpoint/fixture.ts';
import { CoordinatorWorld, type Crash } from './coordinator-world.ts';

/** One checkpoint in a process that dies as told, finished by the next process. Answers whether it died at all. */
async function checkpointWith(crash: Crash): Promise<{ readonly died: boolean; readonly world: CoordinatorWorld }> {
  const world = new CoordinatorWorld();
  await world.start();
  await world.boot(crash);
  await world.dirty();
  await world.advance(1_500);
  const died = world.process.dead;
  await world.boot();
  await world.advance(20_000);
  return { died, world };
}

describe.each(['before', 'after'] as const)('a process that dies %s any of its port calls', (when) => {
  test('leaves exactly one completed checkpoint, published once, and its manifest', async () => {
    let deaths = 0;
    for (let atCall = 0; ; atCall++) {
      const { died, world } = await checkpointWith({ atCall, when });
      const record = await world.record();
      const at = `call ${atCall}`;
      expect(record, at).toMatchObject({ status: 'RUNNING', completed: 1, published: 1, floor: 1, pending: [], failures: 0 });
      expect(record.counts, at).toEqual({ completed: 1, failed: 0, restored: 0 });
      expect(record.retained, at).toEqual([{ id: 1, kind: 'checkpoint', manifest: manifestKey(job, 1, 1) }]);
      expect(world.collect.published(), at).toEqual(['record of 1']);
      expect([...world.publications.values()], at).toEqual([1]);
      expect(world.collect.staged(), at).toEqual([]);
      expect(await world.stores.flows.running(), at).toMatchObject([{ flow: 'sweep' }]);
      if (!died) break;
      deaths++;
    }
    expect(deaths).toBeGreaterThan(25);
  });
});
