/**
 * Two-phase sinks whose target knows no staging: parts wait among the job's objects, and publishing one delivers its records.
 *
 * Owns: where parts wait, what of them is delivered, and that it goes on there.
 * Does not own: what delivering a record is; that it may be done twice; when parts are collected (collect-garbage.ts).
 *
 * SP1. A staged part is an object that never changes. It stays when it is delivered: what says so is an object of its own, made after the last record.
 * SP2. Delivered in slices, in order; each is noted, and whoever begins again begins behind the last note. No slice is begun before those before it are
 *      delivered, so a process that lives on beside its successor can only repeat.
 */
import { SluiceError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SinkPart } from '../../model/shard-record.ts';
import { deliveredKey, deliveredUpTo, deliveredUpToKey, sinkPartsPrefix } from '../../model/sink-part-keys.ts';
import { decodeValue, encodeValue } from '../../model/value-json.ts';
import type { PartName, Publisher, SinkCommitter } from '../../ports/connectors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { partMissing } from './part-errors.ts';
import { locatePart, parseStaged, type StagedName } from './part-names.ts';

/** Records of a part, and where in the stream they stand. */
export interface PartSlice {
  readonly records: readonly unknown[];
  /** Number of the first in its part. */
  readonly from: number;
  readonly part: SinkPart;
  /** As the part was staged: an import gives it another checkpoint. */
  readonly origin: StagedName;
  readonly by: Publisher;
}

export interface StoredPartSinkOptions {
  readonly objects: ObjectStore;
  /** Fulfilled when everything that was stored until now survives a crash: what leaves the process waits for it. */
  readonly durable?: () => Promise<void>;
  readonly sliceRecords?: number;
  /** May be done twice with the same records. @throws where something of it is not there yet */
  readonly deliver: (sink: ConnectorSpec, slice: PartSlice) => Promise<void>;
}

/** A few seconds of work for one publisher. */
const defaultSliceRecords = 2_000;
const nothing = new Uint8Array(0);
const stagedPattern = /^(jobs\/[0-9a-f]{32}\/sinks\/)(\.[^/]+\.staged)$/;

export function createStoredPartSink(options: StoredPartSinkOptions): SinkCommitter {
  const { objects } = options;
  return {
    locate: (_sink, name) => placeOf(name),

    async stage(_sink, name, records) {
      const place = placeOf(name);
      const bytes = encodeRecords(records);
      await objects.createIfAbsent(place.staged, bytes);
      const { operator, shard, checkpoint, number } = name;
      return { operator, shard, checkpoint, number, ...place, records: records.length, bytes: bytes.length };
    },

    publish: (sink, part, by) => publish(options, sink, part, by),

    async discardAbove(_sink, job, above, below) {
      const folder = sinkPartsPrefix(job);
      const keys = (await objects.list(folder)).map(({ key }) => key);
      const known = new Set(keys);
      const given = keys.filter((key) => {
        const found = parseStaged(key.slice(folder.length), job);
        return found !== undefined && found.checkpoint > above && found.checkpoint < below && !known.has(deliveredKey(key));
      });
      const noted = keys.filter((key) => deliveredUpTo(key) > 0 && given.some((staged) => key.startsWith(`${staged}.`)));
      if (given.length > 0) await objects.remove([...given, ...noted]);
      return given.length;
    },

    async exportPart(_sink, part) {
      checkPlace(part);
      return objects.read(part.staged);
    },

    async importPart(_sink, name, part, bytes) {
      const { staged } = placeOf(name);
      await objects.createIfAbsent(staged, bytes);
      return { ...part, staged };
    },
  };
}

async function publish(
  options: StoredPartSinkOptions,
  sink: ConnectorSpec,
  part: SinkPart,
  by: Publisher,
): Promise<'published' | 'already'> {
  const { objects, deliver, sliceRecords = defaultSliceRecords, durable } = options;
  const origin = checkPlace(part);
  if ((await objects.read(deliveredKey(part.staged))) !== undefined) return 'already';
  await durable?.();
  const bytes = await objects.read(part.staged);
  if (bytes === undefined) throw partMissing('the job', part);
  const records = decodeRecords(bytes);
  for (let from = await begun(options, part, records.length); from < records.length; from += sliceRecords) {
    const upTo = Math.min(from + sliceRecords, records.length);
    await deliver(sink, { records: records.slice(from, upTo), from, part, origin, by });
    if (upTo < records.length) await objects.createIfAbsent(deliveredUpToKey(part.staged, upTo), nothing);
  }
  await objects.createIfAbsent(deliveredKey(part.staged), nothing);
  return 'published';
}

/** SP2. Of a part that is one slice nothing is noted: no request for it. */
async function begun(
  { objects, sliceRecords = defaultSliceRecords }: StoredPartSinkOptions,
  { staged }: SinkPart,
  count: number,
): Promise<number> {
  if (count <= sliceRecords) return 0;
  const notes = await objects.list(`${staged}.`);
  return Math.max(0, ...notes.map(({ key }) => deliveredUpTo(key)));
}

/** The target is a name for good: whoever publishes the part gives its records the same ids. */
function placeOf(name: PartName): Pick<SinkPart, 'staged' | 'target'> {
  const own = locatePart(name, '').staged;
  const target = locatePart({ ...name, attempt: 0 }, '').staged;
  return { staged: sinkPartsPrefix(name.job) + own, target: target.slice(1, -'.staged'.length) };
}

/** Names of parts come from records and savepoints: only those that this sink could have made are followed. */
function checkPlace({ staged, target }: Pick<SinkPart, 'staged' | 'target'>): StagedName {
  const [, , name] = stagedPattern.exec(staged) ?? [];
  const origin = name === undefined ? undefined : parseOrigin(name);
  if (origin !== undefined) return origin;
  throw new SluiceError('SLUICE-PART-INVALID', `${JSON.stringify(staged)} is no name of a part among a job's objects`, {
    hint: 'The savepoint or record that names the part was changed by hand or belongs to another sink. Use another one.',
    facts: { staged, target },
  });
}

/** Of a job, or of the namespace of an import. */
function parseOrigin(name: string): StagedName | undefined {
  const owner = /^\.([^-]+)-/.exec(name)?.[1];
  return owner === undefined ? undefined : parseStaged(name, owner as PartName['job']);
}

function encodeRecords(records: readonly unknown[]): Uint8Array {
  return Buffer.from(records.map((record) => `${encodeValue(record)}\n`).join(''), 'utf8');
}

function decodeRecords(bytes: Uint8Array): readonly unknown[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  invariant(lines.pop() === '', 'SP1', 'a staged part breaks off');
  return lines.map(decodeValue);
}
