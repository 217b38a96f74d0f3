/** The connectors of a local run, by the name that a ConnectorSpec has. */
import { SluiceError } from '../../base/errors.ts';
import { intakeConnector } from '../../model/intake.ts';
import type { Connectors, SinkCommitter, SplitReader } from '../../ports/connectors.ts';
import type { IntakeLog } from '../../ports/intake-log.ts';
import { collectionSource } from './collection-source.ts';
import { createCollectSink, type CollectSink } from './collect-sink.ts';
import { createFileConnectors } from './file-connectors.ts';
import { createIntakeSource } from './intake-source.ts';
import { createMemoryTextSource, type MemoryText } from './memory-text-source.ts';
import type { S3Connection } from './s3-connection.ts';

export interface LocalConnectorsOptions {
  /** Where sinks named `collect` keep their records; give one to look into it. */
  readonly collect?: CollectSink;
  /** What sources named `memory-text` read, by name; texts may be added later. */
  readonly texts?: ReadonlyMap<string, MemoryText>;
  /** What push sources read; whoever feeds it is in the same process. Absent: such a source is refused. */
  readonly intakeLog?: IntakeLog;
  /** Fulfilled when everything that was stored until now survives a crash: files are published after it. Without it they do not wait. */
  readonly durable?: () => Promise<void>;
  /** For `s3://` URIs. Default: region, credentials and endpoint of the environment. */
  readonly s3?: S3Connection;
}

/** To read nothing for ever would look like a job that runs. */
const refused = (): never => {
  throw new SluiceError('SLUICE-INTAKE-MISSING', 'a push source has no intake in this process', {
    hint: 'Deploy the job: its intakes take from SQS and HTTP there. Locally read a file instead, or run the job from a program that gives it an intake log.',
  });
};
const noIntake: SplitReader = { splits: async () => refused(), read: async () => refused() };

export function createLocalConnectors({ collect, texts, durable, s3, intakeLog }: LocalConnectorsOptions = {}): Connectors {
  const files = createFileConnectors({ ...(durable === undefined ? {} : { durable }), ...(s3 === undefined ? {} : { s3 }) });
  const sources: Readonly<Record<string, SplitReader>> = {
    collection: collectionSource,
    ...files.sources,
    'memory-text': createMemoryTextSource(texts ?? new Map()),
    [intakeConnector]: intakeLog === undefined ? noIntake : createIntakeSource(intakeLog),
  };
  const sinks: Readonly<Record<string, SinkCommitter>> = {
    collect: collect ?? createCollectSink(),
    ...files.sinks,
  };
  return { sources, sinks };
}
