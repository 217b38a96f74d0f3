/** Stores of which some calls fail, wait, or tell a test that they were made. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';

/** A port with some of its methods replaced. */
export function overriding<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (object, name) => {
      const value = (Reflect.get(methods, name) ?? Reflect.get(object, name)) as unknown;
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
  });
}

type Replacements = { readonly [Port in keyof LocalStores]?: LocalStores[Port] extends object ? Partial<LocalStores[Port]> : never };

export function memoryStoresWith(replace: (stores: LocalStores) => Replacements): LocalStores {
  const stores = createMemoryStores({ clock: systemClock, timers: systemTimers, random: systemRandom });
  const changed = Object.entries(replace(stores)).map(([name, methods]) => {
    return [name, overriding(stores[name as keyof LocalStores] as object, methods as object)];
  });
  return { ...stores, ...(Object.fromEntries(changed) as Partial<LocalStores>) };
}

/** The commits of these operators take so long that their input piles up, until the source throttles. */
export function slowStores(uids: readonly string[], forMs: number): LocalStores {
  return memoryStoresWith(({ shards }) => ({
    shards: {
      commit: async (record, expected) => {
        if (uids.includes(record.uid)) await sleep(forMs);
        return shards.commit(record, expected);
      },
    },
  }));
}
