/** Somebody from outside, such as a clean-up that is too keen, takes an object of the job away, or leaves half of it. */
import type { JobId } from '../../base/ids.ts';
import { jobPrefix } from '../../model/object-keys.ts';
import type { SimulatedWorld } from './new-world.ts';

const inReach = /^(segments|indexes|deltas|manifests)\//;
const everyMs = 100;

/** Once there is something, and while things go wrong. */
export async function damageOne({ stores, decisions, time, trace, containers, faultyMs }: SimulatedWorld, job: () => JobId): Promise<void> {
  const { objects } = stores.stores;
  await time.sleep(decisions.below('damage/when', faultyMs));
  while (containers.active) {
    const prefix = jobPrefix(job());
    const keys = (await objects.list(prefix)).map(({ key }) => key).filter((key) => inReach.test(key.slice(prefix.length)));
    if (keys.length > 0) {
      const key = decisions.pick('damage/which', keys);
      const bytes = (await objects.read(key))!;
      await objects.remove([key]);
      const isTorn = decisions.chance('damage/torn', 0.5);
      if (isTorn) await objects.createIfAbsent(key, bytes.subarray(0, decisions.below('damage/left', bytes.length)));
      trace.tell(time.nowMs, 'somebody', `${isTorn ? 'leaves half of' : 'removes'} ${key}`);
      return;
    }
    await time.sleep(everyMs);
  }
}
