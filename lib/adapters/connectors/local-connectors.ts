/** The connectors of a local run, by the name that a ConnectorSpec has. */
import type { Connectors, SinkCommitter, SplitReader } from '../../ports/connectors.ts';
import { collectionSource } from './collection-source.ts';
import { createCollectSink, type CollectSink } from './collect-sink.ts';

export interface LocalConnectorsOptions {
  /** Where sinks named `collect` keep their records; give one to look into it. */
  readonly collect?: CollectSink;
}

export function createLocalConnectors(options: LocalConnectorsOptions = {}): Connectors {
  const sources: Readonly<Record<string, SplitReader>> = { collection: collectionSource };
  const sinks: Readonly<Record<string, SinkCommitter>> = { collect: options.collect ?? createCollectSink() };
  return { sources, sinks };
}
