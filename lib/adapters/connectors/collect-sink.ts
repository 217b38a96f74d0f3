/**
 * Sink `collect`: keeps parts in memory, for tests and the harness, under exactly the contract of the file sink. Option `name` tells several apart.
 */
import { decodeValue, encodeValue } from '../../model/value-json.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';
import { locatePart, parseStaged } from './part-names.ts';

interface Folder {
  readonly staged: Map<string, readonly unknown[]>;
  readonly published: Map<string, readonly unknown[]>;
}

export interface CollectSink extends SinkCommitter {
  /** All published records of the sink of that name, part by part in the order of publication. */
  published(name?: string): readonly unknown[];
  /** The same by part, under the names that they have become visible by. */
  publishedParts(name?: string): ReadonlyMap<string, readonly unknown[]>;
  /** Names of parts that are staged and not published. */
  staged(name?: string): readonly string[];
}

export function createCollectSink(): CollectSink {
  const folders = new Map<string, Folder>();
  const folderNamed = (name: string): Folder => {
    let folder = folders.get(name);
    if (folder === undefined) folders.set(name, (folder = { staged: new Map(), published: new Map() }));
    return folder;
  };
  const folderOf = (sink: ConnectorSpec): Folder => folderNamed(typeof sink.options['name'] === 'string' ? sink.options['name'] : '');
  const committer: SinkCommitter = {
    locate: (_sink, name) => locatePart(name, 'ndjson'),

    async stage(sink, name, records) {
      const { staged, published } = folderOf(sink);
      const { operator, shard, checkpoint, number } = name;
      const place = locatePart(name, 'ndjson');
      if (!published.has(place.target)) staged.set(place.staged, [...records]);
      return { operator, shard, checkpoint, number, ...place, records: records.length, bytes: encodeRecords(records).length };
    },

    async publish(sink, part) {
      const { staged, published } = folderOf(sink);
      const records = staged.get(part.staged);
      staged.delete(part.staged);
      if (records === undefined || published.has(part.target)) return 'already';
      published.set(part.target, records);
      return 'published';
    },

    async discardAbove(sink, job, above, below) {
      const { staged } = folderOf(sink);
      const names = [...staged.keys()].filter((name) => {
        const found = parseStaged(name, job);
        return found !== undefined && found.checkpoint > above && found.checkpoint < below;
      });
      for (const name of names) staged.delete(name);
      return names.length;
    },

    async exportPart(sink, part) {
      const { staged, published } = folderOf(sink);
      const records = staged.get(part.staged) ?? published.get(part.target);
      return records === undefined ? undefined : encodeRecords(records);
    },

    async importPart(sink, name, part, bytes) {
      const { staged, published } = folderOf(sink);
      const place = locatePart(name, 'ndjson').staged;
      if (!published.has(part.target)) staged.set(place, decodeRecords(bytes));
      return { ...part, staged: place };
    },
  };
  return {
    ...committer,
    published: (name = '') => [...folderNamed(name).published.values()].flat(),
    publishedParts: (name = '') => folderNamed(name).published,
    staged: (name = '') => [...folderNamed(name).staged.keys()],
  };
}

function encodeRecords(records: readonly unknown[]): Uint8Array {
  return Buffer.from(records.map((record) => `${encodeValue(record)}\n`).join(''), 'utf8');
}

function decodeRecords(bytes: Uint8Array): unknown[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(decodeValue);
}
