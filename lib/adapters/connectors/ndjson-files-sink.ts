/**
 * Sink `ndjson-files`: NDJSON files in the folder `uri` or below that prefix on S3, one for each shard and checkpoint that brought records, exactly once.
 *
 * NF1. A file appears whole, when its checkpoint is complete and what made it so is durable (`durable`); until then it is hidden by a dot.
 * NF2. Names of parts come from records and savepoints: only those that this sink could have made are followed.
 */
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';
import { type FileSteps, fileSteps } from './file-steps.ts';
import { pathOption } from './input-file.ts';
import { encodeLines } from './json-record.ts';
import { textOption } from './option.ts';
import { PartFolder } from './part-folder.ts';
import { isPlainFileName, locatePart } from './part-names.ts';
import { PartPrefix } from './part-prefix.ts';
import type { PartPlace, PartStore } from './part-store.ts';
import { connectS3, type S3Connection } from './s3-connection.ts';
import { isS3Uri } from '../../model/s3-uri.ts';

export interface NdjsonFilesOptions {
  /** Fulfilled when everything that was stored until now survives a crash: what leaves the process waits for it. */
  readonly durable?: () => Promise<void>;
  readonly steps?: FileSteps;
  readonly s3?: S3Connection;
}

const extension = 'ndjson';

export function createNdjsonFilesSink(options: NdjsonFilesOptions = {}): SinkCommitter {
  const { durable = () => Promise.resolve(), steps = fileSteps, s3 = connectS3() } = options;
  const stores = new Map<string, PartStore>();
  const storeOf = (sink: ConnectorSpec): PartStore => {
    const uri = textOption(sink, 'uri');
    let store = stores.get(uri);
    if (store === undefined)
      stores.set(uri, (store = isS3Uri(uri) ? new PartPrefix(uri, s3) : new PartFolder(pathOption(sink, 'uri'), steps)));
    return store;
  };
  return {
    locate: (_sink, name) => locatePart(name, extension),

    async stage(sink, name, records) {
      const store = storeOf(sink);
      const place = locatePart(name, extension);
      checkPlace(store, place);
      const bytes = await inStore(store, () => store.stage(name.job, place, encodeLines(records, name)));
      const { operator, shard, checkpoint, number } = name;
      return { operator, shard, checkpoint, number, ...place, records: records.length, bytes };
    },

    async publish(sink, part) {
      const store = storeOf(sink);
      checkPlace(store, part);
      await durable();
      return inStore(store, () => store.publish(part));
    },

    async discardAbove(sink, job, above, below) {
      const store = storeOf(sink);
      return inStore(store, () => store.discard(job, above, below));
    },

    async exportPart(sink, part) {
      const store = storeOf(sink);
      checkPlace(store, part);
      return inStore(store, () => store.read(part));
    },

    async importPart(sink, name, part, bytes) {
      const store = storeOf(sink);
      const place = { staged: locatePart(name, extension).staged, target: part.target };
      checkPlace(store, place);
      await inStore(store, () => store.stage(name.job, place, [bytes]));
      return { ...part, ...place };
    },
  };
}

/** A staged name that is not hidden could be anybody's file, and a target that is would never be seen. */
function checkPlace({ path }: PartStore, { staged, target }: PartPlace): void {
  const isOurs = isPlainFileName(staged) && /^\..+\.staged$/s.test(staged) && isPlainFileName(target) && !target.startsWith('.');
  if (isOurs) return;
  throw new SluiceError(
    'SLUICE-PART-INVALID',
    `${JSON.stringify(staged)} and ${JSON.stringify(target)} are no names of a part in ${path}`,
    {
      hint: 'The savepoint or record that names the part was changed by hand or belongs to another sink. Use another one.',
      facts: { folder: path, staged, target },
    },
  );
}

async function inStore<T>(store: PartStore, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const { text, hint, code, isPermanent } = store.explain(error);
    throw new SluiceError('SLUICE-OUTPUT-FAILED', `${store.path} cannot be written: ${text}`, {
      hint,
      facts: { folder: store.path, code },
      cause: error,
      retryable: !isPermanent,
    });
  }
}
