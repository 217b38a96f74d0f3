/** The connectors of a deployed job: collections in its code, and files in S3. */
import { collectionSource } from '../lib/adapters/connectors/collection-source.ts';
import { withDeadLetters } from '../lib/adapters/connectors/dead-letters.ts';
import { connectS3 } from '../lib/adapters/connectors/s3-connection.ts';
import { createFileConnectors } from '../lib/adapters/connectors/file-connectors.ts';
import type { Connectors } from '../lib/ports/connectors.ts';
import type { ObjectStore } from '../lib/ports/object-store.ts';
import type { AwsStores } from './aws-stores.ts';

export function createAwsConnectors({
  s3,
  objects,
}: {
  readonly s3: AwsStores['clients']['s3'];
  readonly objects: ObjectStore;
}): Connectors {
  const { sources, sinks } = createFileConnectors({ s3: connectS3(() => Promise.resolve(s3)) });
  return withDeadLetters({ sources: { collection: collectionSource, ...sources }, sinks }, objects);
}
