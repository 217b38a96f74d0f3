/** Bills that stand in files: of a manifest, of a savepoint, or of all manifests below a folder. */
import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs';
import { basename, join } from 'node:path';
import { SluiceError } from '../base/errors.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { BilledCheckpoint } from '../cost/cost-report.ts';
import { recordsRead } from '../coordinator/checkpoint-bill.ts';
import { decodeMetadata, metadataFile } from '../savepoint/metadata-codec.ts';

export interface BilledJob {
  readonly job: string;
  readonly name: string;
  readonly checkpoints: readonly BilledCheckpoint[];
}

const manifestName = /^chk-\d+-[0-9a-f]+$/;

/** @throws SluiceError `SLUICE-COST-FILES` where it holds none, or those of several jobs; and what damaged ones say */
export function readBilledFiles(path: string): BilledJob {
  const read = pathsIn(path).map((file) => (basename(file) === metadataFile ? ofSavepoint(file) : ofManifest(file)));
  const jobs = new Map(read.map(({ job, name }) => [job, name]));
  const [first] = read;
  if (first === undefined) throw noFiles(path, 'holds no manifest and no savepoint');
  if (jobs.size > 1) throw noFiles(path, `holds checkpoints of ${jobs.size} jobs (${[...jobs.values()].join(', ')})`);
  // A savepoint and the manifest it was made of are one checkpoint.
  const byNumber = new Map(read.map(({ checkpoint }) => [checkpoint.id, checkpoint]));
  return { job: first.job, name: first.name, checkpoints: [...byNumber.values()] };
}

function pathsIn(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch (error) {
    throw noFiles(path, 'cannot be read', error);
  }
  const entries: Dirent[] = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && (manifestName.test(entry.name) || entry.name === metadataFile))
    .map(({ parentPath, name }) => join(parentPath, name));
}

interface Read {
  readonly job: string;
  readonly name: string;
  readonly checkpoint: BilledCheckpoint;
}

function ofManifest(path: string): Read {
  const manifest = decodeManifest(readFileSync(path), path);
  const { job, jobName: name, checkpoint: id, completedAtMs: endedAtMs, bill = null } = manifest;
  return { job, name, checkpoint: { id, isCompleted: true, endedAtMs, records: recordsRead(manifest), bill } };
}

function ofSavepoint(path: string): Read {
  const metadata = decodeMetadata(readFileSync(path), path);
  const { job, checkpoint: id, takenAtMs: endedAtMs, bill = null } = metadata;
  return { job: job.id, name: job.name, checkpoint: { id, isCompleted: true, endedAtMs, records: recordsRead(metadata), bill } };
}

function noFiles(path: string, problem: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-COST-FILES', `${path} ${problem}`, {
    hint: 'Name a manifest, a folder with the manifests of one job (`aws s3 cp --recursive s3://BUCKET/jobs/JOB/manifests FOLDER`), or a savepoint.',
    facts: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
