import { systemRandom } from '../../lib/adapters/system/random.ts';
import type { LocalStores, MemoryStoresOptions } from '../../lib/adapters/memory/memory-stores.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import { ManualTime } from './manual-time.ts';

/** Stores of one adapter under the test's own clock. */
export interface StoresFixture {
  readonly stores: LocalStores;
  readonly time: ManualTime;
  /** Of adapters that have one: the local runner has no users. */
  readonly audit?: AuditLog;
  dispose(): Promise<void>;
}

export type MakeStores = (options: MemoryStoresOptions, time: ManualTime) => Promise<Omit<StoresFixture, 'time'>>;

export async function openFixture(make: MakeStores, queue?: MemoryStoresOptions['queue']): Promise<StoresFixture> {
  const time = new ManualTime();
  const options = {
    clock: time.clock,
    timers: time.timers,
    random: systemRandom,
    protect: deepFreeze,
    ...(queue === undefined ? {} : { queue }),
  };
  return { ...(await make(options, time)), time };
}

/** Turns a caller's later change of what it stored, or of what it was given, into an error. Bytes cannot be frozen. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
