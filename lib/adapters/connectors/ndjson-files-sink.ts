/**
 * Sink `ndjson-files`: NDJSON files in the folder `uri`, one for each shard and checkpoint that brought records, exactly once.
 *
 * NF1. A file appears whole, when its checkpoint is complete and what made it so is durable (`durable`); until then it has a name that begins with a dot.
 * NF2. Names of parts come from records and savepoints: only those that this sink could have made are followed.
 */
import { errorCode, errorMessage, SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SinkPart } from '../../model/shard-record.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';
import { isPermanentError } from '../fs/permanent-error.ts';
import { type FileSteps, fileSteps } from './file-steps.ts';
import { pathOption } from './input-file.ts';
import { encodeLines } from './json-record.ts';
import { PartFolder } from './part-folder.ts';
import { isPlainFileName, locatePart } from './part-names.ts';

export interface NdjsonFilesOptions {
  /** Fulfilled when everything that was stored until now survives a crash: what leaves the process waits for it. */
  readonly durable?: () => Promise<void>;
  readonly steps?: FileSteps;
}

const extension = 'ndjson';

export function createNdjsonFilesSink({ durable = () => Promise.resolve(), steps = fileSteps }: NdjsonFilesOptions = {}): SinkCommitter {
  const folders = new Map<string, PartFolder>();
  const folderOf = (sink: ConnectorSpec): PartFolder => {
    const path = pathOption(sink, 'uri');
    let folder = folders.get(path);
    if (folder === undefined) folders.set(path, (folder = new PartFolder(path, steps)));
    return folder;
  };
  return {
    locate: (_sink, name) => locatePart(name, extension),

    async stage(sink, name, records) {
      const folder = folderOf(sink);
      const place = locatePart(name, extension);
      checkPlace(folder, place);
      const bytes = await inFolder(folder, () => folder.stage(name.job, place, encodeLines(records, name)));
      const { operator, shard, checkpoint, number } = name;
      return { operator, shard, checkpoint, number, ...place, records: records.length, bytes };
    },

    async publish(sink, part) {
      const folder = folderOf(sink);
      checkPlace(folder, part);
      await durable();
      return inFolder(folder, () => folder.publish(part));
    },

    async discardAbove(sink, job, above, below) {
      const folder = folderOf(sink);
      return inFolder(folder, () => folder.discard(job, above, below));
    },

    async exportPart(sink, part) {
      const folder = folderOf(sink);
      checkPlace(folder, part);
      return inFolder(folder, () => folder.read(part));
    },

    async importPart(sink, name, part, bytes) {
      const folder = folderOf(sink);
      const place = { staged: locatePart(name, extension).staged, target: part.target };
      checkPlace(folder, place);
      await inFolder(folder, () => folder.stage(name.job, place, [bytes]));
      return { ...part, ...place };
    },
  };
}

/** A staged name that is not hidden could be anybody's file, and a target that is would never be seen. */
function checkPlace(folder: PartFolder, { staged, target }: Pick<SinkPart, 'staged' | 'target'>): void {
  const isOurs = isPlainFileName(staged) && /^\..+\.staged$/s.test(staged) && isPlainFileName(target) && !target.startsWith('.');
  if (isOurs) return;
  throw new SluiceError(
    'SLUICE-PART-INVALID',
    `${JSON.stringify(staged)} and ${JSON.stringify(target)} are no names of a part in ${folder.path}`,
    {
      hint: 'The savepoint or record that names the part was changed by hand or belongs to another sink. Use another one.',
      facts: { folder: folder.path, staged, target },
    },
  );
}

async function inFolder<T>(folder: PartFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('SLUICE-OUTPUT-FAILED', `${folder.path} cannot be written: ${errorMessage(error)}`, {
      hint: 'Look at the folder: is it one, may the program write there, is there room left?',
      facts: { folder: folder.path, code: errorCode(error) },
      cause: error,
      retryable: !isPermanentError(error),
    });
  }
}
