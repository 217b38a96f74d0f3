import { MemoryKeyedBase } from '../../lib/adapters/memory/keyed-base.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import type { KeyedBase } from '../../lib/ports/keyed-base.ts';
import { KeyedBackend, type KeyedBackendOptions } from '../../lib/state/keyed-backend.ts';
import { ManualTime } from '../contract/manual-time.ts';

export type TestBackend = KeyedBackend;

export const testOperator = operatorUid('op');
export const testMaxParallelism = 8;

export function newBase(): KeyedBase {
  return new MemoryKeyedBase(new ManualTime().clock);
}

/** A backend that owns all key groups, over an empty base unless another is given. */
export function openBackend(options: Partial<KeyedBackendOptions> = {}): KeyedBackend {
  return new KeyedBackend({
    operator: testOperator,
    keyGroups: { start: 0, end: testMaxParallelism - 1 },
    maxParallelism: testMaxParallelism,
    base: newBase(),
    space: 'job',
    baseHasRows: false,
    fired: [],
    ...options,
  });
}
