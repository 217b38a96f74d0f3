/**
 * The intake log: an entry is one small item, which takes the next number by its condition. Texts that are more than a few KB stand in an object that is
 * written before: a KB costs eight times less there, and an entry may be of any size.
 *
 * IL1. The next number is tried only after the one before it has been seen.
 * IL2. The object of an entry is there before the entry is, and goes before it.
 */
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { SluiceError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { parseJson } from '../../base/parse-json.ts';
import { identityBytes } from '../../model/intake-identity.ts';
import { intakePrefix } from '../../model/intake-names.ts';
import type { IntakeEntry, IntakeIdentities, IntakeLog, IntakePartition, IntakeRecord, NewIntakeEntry } from '../../ports/intake-log.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { inParallel } from './in-parallel.ts';
import { recordKeys } from './item-keys.ts';
import { bodyOf, withBody } from './item-body.ts';
import { isNew, number } from './stored-record.ts';
import { Table, type TableOptions } from './table.ts';

export interface DynamoDbIntakeLogOptions extends TableOptions {
  /** Whose logs they are; names are unique in it. */
  readonly scope: string;
  readonly objects: ObjectStore;
}

/** Bytes of texts up to which they stand in the item: 8 write units cost as much as an object's PUT. */
const inlineBytesMax = 8_192;
const itemsPerPage = 128;
/** So that one read fits in memory, however large the texts are. */
const objectsPerRead = 16;
const objectsAtOnce = 8;
/** Numbers tried one after the other before the newest is looked up again. */
const triesPerLook = 8;

export class DynamoDbIntakeLog implements IntakeLog {
  readonly #table: Table;
  readonly #scope: string;
  readonly #objects: ObjectStore;
  /** Newest entries seen. */
  readonly #newest = new Map<string, number>();
  readonly #closed = new Set<string>();

  constructor(options: DynamoDbIntakeLogOptions) {
    this.#table = new Table(options);
    this.#scope = options.scope;
    this.#objects = options.objects;
  }

  async append(partition: IntakePartition, entry: NewIntakeEntry): Promise<{ readonly number: number } | 'closed'> {
    const pk = this.#keyOf(partition);
    const content = await this.#contentOf(partition, entry);
    for (let tries = 0; ; tries++) {
      if (tries % triesPerLook === 0 && (tries > 0 || !this.#newest.has(pk))) await this.#lookUp(pk);
      if (this.#closed.has(pk)) return 'closed';
      const next = (this.#newest.get(pk) ?? 0) + 1;
      const item: Item = { pk: { S: pk }, sk: { S: recordKeys.intakeEntry(next) }, ...content };
      const put = await this.#table.compareAndPut(item, isNew);
      this.#newest.set(pk, Math.max(next, this.#newest.get(pk) ?? 0));
      if ((put.outcome === 'stored' ? item : put.existing)?.['c'] !== undefined) this.#closed.add(pk);
      if (put.outcome === 'stored') return { number: next };
    }
  }

  async #lookUp(pk: string): Promise<void> {
    const { items } = await this.#table.page({ range: { pk }, itemsMax: 1, attributes: 'sk, c', newestFirst: true });
    this.#newest.set(pk, items[0] === undefined ? 0 : numberOf(items[0]));
    if (items[0]?.['c'] !== undefined) this.#closed.add(pk);
  }

  async #contentOf(partition: IntakePartition, { takenAtMs, records, closes }: NewIntakeEntry): Promise<Item> {
    const item: Item = {
      a: number(takenAtMs),
      ...(records.length === 0 ? {} : { i: { B: Buffer.concat(records.map(({ id }) => bytesOfId(id))) } }),
      ...(closes ? { c: { BOOL: true } } : {}),
    };
    if (records.length === 0) return item;
    const text = JSON.stringify(records.map((record) => record.text));
    if (Math.min(Buffer.byteLength(text), deflateRawSync(text).length) <= inlineBytesMax) {
      return withBody(item, text, { hint: 'Report this: texts of this size belong in an object.', facts: { ...partition } });
    }
    const key = intakeObjectKey(this.#scope, partition, this.#table.random.hex(16));
    await this.#objects.createIfAbsent(key, gzipSync(text));
    return { ...item, o: { S: key } };
  }

  async read(partition: IntakePartition, from: number, { recordsMax }: { readonly recordsMax: number }): Promise<readonly IntakeEntry[]> {
    const range = { pk: this.#keyOf(partition), from: recordKeys.intakeEntry(from) };
    const taken: Item[] = [];
    let [records, objects, isFull] = [0, 0, false];
    for (let after: string | undefined; ;) {
      const page = await this.#table.page({ range, after, itemsMax: itemsPerPage });
      for (const item of page.items) {
        records += idsOf(item).length;
        objects += item['o'] === undefined ? 0 : 1;
        isFull = taken.length > 0 && (records > recordsMax || objects > objectsPerRead);
        if (isFull) break;
        taken.push(item);
      }
      if (isFull || page.next === undefined) break;
      after = page.next;
    }
    return inParallel(taken, objectsAtOnce, (item) => this.#entryOf(item));
  }

  async #entryOf(item: Item): Promise<IntakeEntry> {
    const ids = idsOf(item);
    const texts = ids.length === 0 ? [] : (parseJson(await this.#textOf(item)) as readonly string[]);
    const records = ids.map((id, index): IntakeRecord => ({ id, text: texts[index]! }));
    return { number: numberOf(item), takenAtMs: Number(item['a']!.N), records, closes: item['c'] !== undefined };
  }

  async #textOf(item: Item): Promise<string> {
    const key = item['o']?.S;
    if (key === undefined) return bodyOf(item)!;
    const bytes = await this.#objects.read(key);
    if (bytes !== undefined) return gunzipSync(bytes, { maxOutputLength: limits.unpackedBytesMax }).toString('utf8');
    throw new SluiceError('SLUICE-INTAKE-GONE', `the texts of entry ${numberOf(item)} of an intake log are no longer there: ${key}`, {
      hint: 'Entries below the oldest retained checkpoint are removed after a time. Restore from a newer checkpoint or savepoint.',
      facts: { key, number: numberOf(item) },
    });
  }

  async identities(
    partition: IntakePartition,
    below: number,
    { recordsMax, withinMs }: { readonly recordsMax: number; readonly withinMs: number },
  ): Promise<readonly IntakeIdentities[]> {
    if (below <= 1) return [];
    const range = { pk: this.#keyOf(partition), from: recordKeys.intakeEntry(1), to: recordKeys.intakeEntry(below - 1) };
    const found: IntakeIdentities[] = [];
    let records = 0;
    for (let after: string | undefined; ;) {
      const page = await this.#table.page({ range, after, itemsMax: recordsMax + 1, attributes: 'sk, a, i', newestFirst: true });
      for (const item of page.items) {
        const takenAtMs = Number(item['a']!.N);
        if (records >= recordsMax || takenAtMs < (found[0]?.takenAtMs ?? takenAtMs) - withinMs) return found;
        const ids = idsOf(item);
        records += ids.length;
        found.push({ number: numberOf(item), takenAtMs, ids });
      }
      if (page.next === undefined) return found;
      after = page.next;
    }
  }

  async trim(
    partition: IntakePartition,
    { below, takenBeforeMs, entriesMax }: { readonly below: number; readonly takenBeforeMs: number; readonly entriesMax: number },
  ): Promise<number> {
    if (below <= 1) return 0;
    const range = { pk: this.#keyOf(partition), from: recordKeys.intakeEntry(1), to: recordKeys.intakeEntry(below - 1) };
    const { items } = await this.#table.page({ range, itemsMax: entriesMax, attributes: 'pk, sk, a, o' });
    const kept = items.findIndex((item) => Number(item['a']!.N) >= takenBeforeMs);
    const old = kept < 0 ? items : items.slice(0, kept);
    const keys = old.flatMap((item) => item['o']?.S ?? []);
    if (keys.length > 0) await this.#objects.remove(keys);
    await this.#table.remove(old.map((item) => ({ pk: item['pk']!.S!, sk: item['sk']!.S! })));
    return old.length;
  }

  #keyOf({ intake, partition }: IntakePartition): string {
    return recordKeys.intake(this.#scope, intake, partition);
  }
}

function intakeObjectKey(scope: string, { intake, partition }: IntakePartition, name: string): string {
  return `${intakePrefix(scope)}${intake}/${partition}/${name}`;
}

function numberOf(item: Item): number {
  return Number.parseInt(item['sk']!.S!, 16);
}

/** No identity: zeroes. */
function bytesOfId(id: string): Uint8Array {
  const bytes = Buffer.alloc(identityBytes);
  Buffer.from(id, 'base64url').copy(bytes, 0, 0, identityBytes);
  return bytes;
}

function idsOf(item: Item): readonly string[] {
  const bytes = Buffer.from(item['i']?.B ?? []);
  return Array.from({ length: bytes.length / identityBytes }, (_, index) => {
    const id = bytes.subarray(index * identityBytes, (index + 1) * identityBytes);
    return id.every((byte) => byte === 0) ? '' : id.toString('base64url');
  });
}
