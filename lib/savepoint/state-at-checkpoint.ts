/**
 * Keyed state as it was at a checkpoint: the base, overlaid by the deltas that the manifest lists.
 *
 * SC1. The checkpoint is held while this reads: the base may advance to it meanwhile, never past it, and what it advances by is in the overlay.
 * SC2. Bounded memory: one key-group range's deltas and one page of the base.
 */
import type { OperatorUid } from '../base/ids.ts';
import { inRange, type KeyGroupRange } from '../model/key-group-range.ts';
import type { DeltaRef } from '../model/shard-record.ts';
import { encodeValue } from '../model/value-json.ts';
import type { BaseRow, KeyedBase } from '../ports/keyed-base.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { decodeDelta } from '../state/delta-rows.ts';
import { SluiceError } from '../base/errors.ts';

export interface StateQuery {
  readonly space: string;
  readonly operator: OperatorUid;
  readonly keyGroups: KeyGroupRange;
  /** Of the shard that owned the range, in order. */
  readonly deltas: readonly DeltaRef[];
}

export interface StatePorts {
  readonly base: KeyedBase;
  readonly objects: ObjectStore;
}

const rowsPerPage = 5_000;

/** Pages of rows; each row once, deleted ones not at all. */
export async function* stateAtCheckpoint(ports: StatePorts, query: StateQuery): AsyncGenerator<readonly BaseRow[]> {
  const overlay = await readOverlay(ports.objects, query);
  const { space, operator, keyGroups } = query;
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<KeyedBase['scan']>> = await ports.base.scan(space, { operator, keyGroups, after, rowsMax: rowsPerPage });
    const rows = page.rows.flatMap((row) => {
      const id = idOf(row);
      const newer = overlay.get(id);
      overlay.delete(id);
      const value = newer === undefined ? row.value : newer.value;
      return value === undefined ? [] : [{ ...row, value }];
    });
    if (rows.length > 0) yield rows;
    if (page.next === null) break;
    after = page.next;
  }
  const added = [...overlay.values()].filter((row): row is BaseRow => row.value !== undefined);
  for (let at = 0; at < added.length; at += rowsPerPage) yield added.slice(at, at + rowsPerPage);
}

type OverlayRow = Omit<BaseRow, 'value'> & { readonly value: string | undefined };

/** The last delta's row counts; a deleted one stays here, because the base may still have the row. */
async function readOverlay(objects: ObjectStore, { operator, keyGroups, deltas }: StateQuery): Promise<Map<string, OverlayRow>> {
  const overlay = new Map<string, OverlayRow>();
  for (const delta of deltas) {
    const bytes = await objects.read(delta.key);
    if (bytes === undefined) throw deltaMissing(delta.key);
    for (const { value, deleted, ...address } of decodeDelta(bytes, delta.key)) {
      if (address.operator !== operator || !inRange(keyGroups, address.keyGroup) || !inRange(delta.keyGroups, address.keyGroup)) continue;
      overlay.set(idOf(address), { ...address, value: deleted ? undefined : encodeValue(value) });
    }
  }
  return overlay;
}

function idOf({ state, key, namespace }: { readonly state: string; readonly key: string; readonly namespace: string }): string {
  return `${state}\u0000${namespace}\u0000${key}`;
}

function deltaMissing(key: string): SluiceError {
  return new SluiceError('SLUICE-OBJECT-MISSING', `the delta ${key} is named by a manifest and does not exist`, {
    hint: 'The checkpoint cannot be read any more. Use another one.',
    facts: { key },
  });
}
