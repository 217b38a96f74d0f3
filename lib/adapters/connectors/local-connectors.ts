/** The connectors of a local run, by the name that a ConnectorSpec has. */
import type { Connectors, SinkCommitter, SplitReader } from '../../ports/connectors.ts';
import { collectionSource } from './collection-source.ts';
import { createCollectSink, type CollectSink } from './collect-sink.ts';
import { createMemoryTextSource, type MemoryText } from './memory-text-source.ts';
import { createNdjsonFilesSink } from './ndjson-files-sink.ts';
import { ndjsonSource } from './ndjson-source.ts';
import { createParquetSource } from './parquet-source.ts';

export interface LocalConnectorsOptions {
  /** Where sinks named `collect` keep their records; give one to look into it. */
  readonly collect?: CollectSink;
  /** What sources named `memory-text` read, by name; texts may be added later. */
  readonly texts?: ReadonlyMap<string, MemoryText>;
  /** Fulfilled when everything that was stored until now survives a crash: files are published after it. Without it they do not wait. */
  readonly durable?: () => Promise<void>;
}

export function createLocalConnectors({ collect, texts, durable }: LocalConnectorsOptions = {}): Connectors {
  const sources: Readonly<Record<string, SplitReader>> = {
    collection: collectionSource,
    ndjson: ndjsonSource,
    parquet: createParquetSource(),
    'memory-text': createMemoryTextSource(texts ?? new Map()),
  };
  const sinks: Readonly<Record<string, SinkCommitter>> = {
    collect: collect ?? createCollectSink(),
    'ndjson-files': createNdjsonFilesSink(durable === undefined ? {} : { durable }),
  };
  return { sources, sinks };
}
