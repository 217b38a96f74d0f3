/** The connectors of a deployed job: collections in its code, files in S3, the logs of its intakes, rows and messages of its user's tables and queues. */
import { withAwsSinks } from '../lib/adapters/connectors/aws-sinks.ts';
import { collectionSource } from '../lib/adapters/connectors/collection-source.ts';
import { withDeadLetters } from '../lib/adapters/connectors/dead-letters.ts';
import { connectS3, transferTimeoutMs } from '../lib/adapters/connectors/s3-connection.ts';
import { createFileConnectors } from '../lib/adapters/connectors/file-connectors.ts';
import type { Meter } from '../lib/adapters/aws-sdk/meter.ts';
import { createS3Client } from '../lib/adapters/aws-sdk/s3-client.ts';
import { createIntakeSource } from '../lib/adapters/connectors/intake-source.ts';
import { intakeConnector } from '../lib/model/intake.ts';
import type { Connectors } from '../lib/ports/connectors.ts';
import type { IntakeLog } from '../lib/ports/intake-log.ts';
import type { ObjectStore } from '../lib/ports/object-store.ts';

export function createAwsConnectors({
  objects,
  meter,
  intakeLog,
}: {
  readonly objects: ObjectStore;
  readonly meter: Meter;
  readonly intakeLog: IntakeLog | undefined;
}): Connectors {
  // A client of its own: what takes long there would be far too long for the job's own objects.
  const s3 = connectS3(() => Promise.resolve(createS3Client({ meter, requestTimeoutMs: transferTimeoutMs })));
  const { sources, sinks } = createFileConnectors({ s3 });
  const pushed = intakeLog === undefined ? {} : { [intakeConnector]: createIntakeSource(intakeLog) };
  const own = withDeadLetters({ sources: { collection: collectionSource, ...pushed, ...sources }, sinks }, objects);
  return withAwsSinks(own, objects, { meter });
}
