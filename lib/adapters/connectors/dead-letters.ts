/**
 * Sink `dead-letters`: what operators have set aside, as objects of the job's store that no collector looks after.
 *
 * DL1. Published under a name without the attempt, by create-if-absent: whoever does an epoch again publishes it once.
 * DL2. A staged object is removed only after the published one exists.
 */
import { deadLetterConnector } from '../../model/dead-letter.ts';
import { deadLettersPrefix } from '../../model/dead-letter-keys.ts';
import { encodeValue } from '../../model/value-json.ts';
import type { Connectors, PartName, SinkCommitter } from '../../ports/connectors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { locatePart, parseStaged } from './part-names.ts';

function locate(name: PartName): { readonly staged: string; readonly target: string } {
  const { staged, target } = locatePart(name, 'ndjson');
  return { staged: deadLettersPrefix(name.job, 'staged') + staged, target: deadLettersPrefix(name.job, 'published') + target };
}

export function createDeadLetterSink(objects: ObjectStore): SinkCommitter {
  return {
    locate: (_sink, name) => locate(name),

    async stage(_sink, name, records) {
      const place = locate(name);
      const bytes = encode(records);
      if ((await objects.read(place.target)) === undefined) await objects.createIfAbsent(place.staged, bytes);
      const { operator, shard, checkpoint, number } = name;
      return { operator, shard, checkpoint, number, ...place, records: records.length, bytes: bytes.length };
    },

    async publish(_sink, part) {
      const bytes = await objects.read(part.staged);
      if (bytes === undefined) return 'already';
      const outcome = await objects.createIfAbsent(part.target, bytes);
      await objects.remove([part.staged]);
      return outcome === 'created' ? 'published' : 'already';
    },

    async discardAbove(_sink, job, above, below) {
      const folder = deadLettersPrefix(job, 'staged');
      const keys = (await objects.list(folder))
        .map(({ key }) => key)
        .filter((key) => {
          const found = parseStaged(key.slice(folder.length), job);
          return found !== undefined && found.checkpoint > above && found.checkpoint < below;
        });
      if (keys.length > 0) await objects.remove(keys);
      return keys.length;
    },

    exportPart: async (_sink, part) => (await objects.read(part.staged)) ?? objects.read(part.target),

    async importPart(_sink, name, part, bytes) {
      const place = { staged: locate(name).staged, target: part.target };
      if ((await objects.read(place.target)) === undefined) await objects.createIfAbsent(place.staged, bytes);
      return { ...part, ...place };
    },
  };
}

/** The same connectors and the sink of dead letters, which stands in the same store as the job's other objects. */
export function withDeadLetters({ sources, sinks }: Connectors, objects: ObjectStore): Connectors {
  return { sources, sinks: { [deadLetterConnector]: createDeadLetterSink(objects), ...sinks } };
}

function encode(records: readonly unknown[]): Uint8Array {
  return Buffer.from(records.map((record) => `${encodeValue(record)}\n`).join(''), 'utf8');
}
