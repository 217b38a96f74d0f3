/** The connectors of a local run, by the name that a ConnectorSpec has. */
import type { Connectors, SinkCommitter, SplitReader } from '../../ports/connectors.ts';
import { collectionSource } from './collection-source.ts';
import { createCollectSink, type CollectSink } from './collect-sink.ts';
import { createFileConnectors } from './file-connectors.ts';
import { createMemoryTextSource, type MemoryText } from './memory-text-source.ts';
import type { S3Connection } from './s3-connection.ts';

export interface LocalConnectorsOptions {
  /** Where sinks named `collect` keep their records; give one to look into it. */
  readonly collect?: CollectSink;
  /** What sources named `memory-text` read, by name; texts may be added later. */
  readonly texts?: ReadonlyMap<string, MemoryText>;
  /** Fulfilled when everything that was stored until now survives a crash: files are published after it. Without it they do not wait. */
  readonly durable?: () => Promise<void>;
  /** For `s3://` URIs. Default: region, credentials and endpoint of the environment. */
  readonly s3?: S3Connection;
}

export function createLocalConnectors({ collect, texts, durable, s3 }: LocalConnectorsOptions = {}): Connectors {
  const files = createFileConnectors({ ...(durable === undefined ? {} : { durable }), ...(s3 === undefined ? {} : { s3 }) });
  const sources: Readonly<Record<string, SplitReader>> = {
    collection: collectionSource,
    ...files.sources,
    'memory-text': createMemoryTextSource(texts ?? new Map()),
  };
  const sinks: Readonly<Record<string, SinkCommitter>> = {
    collect: collect ?? createCollectSink(),
    ...files.sinks,
  };
  return { sources, sinks };
}
