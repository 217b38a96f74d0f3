/**
 * `--from-savepoint` may name a checkpoint that a data directory has retained: it is written out as a savepoint beside it, once, and that is used.
 *
 * RC1. Only a directory at rest is read: its lock is taken. The one that the new job itself uses is never opened a second time.
 * RC2. The savepoint's name follows from the checkpoint, so the same command finds it again.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withAwsSinks } from '../adapters/connectors/aws-sinks.ts';
import { withDeadLetters } from '../adapters/connectors/dead-letters.ts';
import { createFileStores } from '../adapters/fs/file-stores.ts';
import { createFsSavepointFolders } from '../adapters/fs/savepoint-folder.ts';
import type { LocalStores } from '../adapters/memory/memory-stores.ts';
import { SluiceError } from '../base/errors.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { readObject } from '../coordinator/coordinator-deps.ts';
import { committerOf } from '../coordinator/publish-parts.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { SinkPart } from '../model/shard-record.ts';
import type { Connectors } from '../ports/connectors.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { exportCheckpoint } from '../savepoint/export-checkpoint.ts';
import { metadataFile } from '../savepoint/metadata-codec.ts';
import type { LocalSystem } from './local-engine.ts';

/** What only a data directory has. */
const dataDirectoryMark = 'base.sqlite';
const manifestPath = /^(.*?)[/\\]?(jobs[/\\][0-9a-f]{32}[/\\]manifests[/\\]chk-\d+-\d+)$/;

/** A data directory, or the path of one of its checkpoints as the API names it; undefined for anything else. */
export function parseRetained(location: string): { readonly dataDir: string; readonly manifest: string | null } | undefined {
  if (location.startsWith('file:')) return undefined;
  const [, directory, manifest] = manifestPath.exec(location) ?? [];
  const dataDir = resolve(directory ?? location);
  if (!existsSync(join(dataDir, dataDirectoryMark))) return undefined;
  return { dataDir, manifest: manifest?.replaceAll('\\', '/') ?? null };
}

/** The location itself where it names a savepoint; else that of the savepoint which the checkpoint has become. */
export async function savepointAt(
  location: string,
  options: LocalSystem & { readonly dataDir?: string; readonly connectors: Connectors },
): Promise<string> {
  const retained = parseRetained(location);
  if (retained === undefined) return location;
  if (options.dataDir !== undefined && resolve(options.dataDir) === retained.dataDir) throw ownDirectory(retained.dataDir);
  const stores = await createFileStores({ ...options, directory: retained.dataDir });
  try {
    return await exportRetained(stores, options, retained);
  } finally {
    await stores.close();
  }
}

export async function exportRetained(
  stores: Pick<LocalStores, 'jobs' | 'objects' | 'base'>,
  { connectors, random }: Pick<LocalSystem, 'random'> & { readonly connectors: Connectors },
  { dataDir, manifest: wanted }: { readonly dataDir: string; readonly manifest: string | null },
): Promise<string> {
  const held = findHeld(await stores.jobs.list(), wanted);
  if (held === undefined) throw nothingRetained(dataDir, wanted);
  const { key, published } = held;
  const manifest = decodeManifest(await readObject(stores, key), key);
  const folder = folderFor(dataDir, manifest, key);
  if ((await folder.read(metadataFile)) !== undefined) return folder.location;
  const readPart = async (part: SinkPart): Promise<Uint8Array | undefined> => {
    if (part.checkpoint <= published) return undefined;
    const all = withAwsSinks(withDeadLetters(connectors, stores.objects), stores.objects);
    const { sink, committer } = committerOf({ connectors: all }, manifest.plan, part.operator);
    return committer.exportPart(sink, part);
  };
  await exportCheckpoint({ base: stores.base, objects: stores.objects, folder, readPart, newTry: () => random.hex(6) }, manifest);
  return folder.location;
}

/** The newest of the youngest job, or the one that was named; only what a job record holds is real. */
function findHeld(
  jobs: readonly JobRecord[],
  wanted: string | null,
): { readonly key: string; readonly published: CheckpointId } | undefined {
  const youngest = [...jobs].sort((a, b) => b.createdAtMs - a.createdAtMs);
  const held = youngest.flatMap(({ retained, pins, published }) => [
    ...retained.toReversed().map(({ manifest: key }) => ({ key, published })),
    ...(wanted === null ? [] : pins.map(({ manifest: key }) => ({ key, published }))),
  ]);
  return wanted === null ? held[0] : held.find(({ key }) => key === wanted);
}

function folderFor(dataDir: string, { job }: Manifest, key: string): SavepointFolder {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12);
  return createFsSavepointFolders().inside(join(dataDir, 'savepoints'), `savepoint-${job.slice(0, 6)}-${hash}`);
}

function nothingRetained(dataDir: string, wanted: string | null): SluiceError {
  const what = wanted === null ? 'no retained checkpoint' : `no retained checkpoint ${wanted}`;
  return new SluiceError('SLUICE-SAVEPOINT-MISSING', `the data directory ${dataDir} has ${what}`, {
    hint: 'List its checkpoints, or take a savepoint.',
    facts: { dataDir, wanted },
  });
}

function ownDirectory(dataDir: string): SluiceError {
  return new SluiceError('SLUICE-JOB-EXISTS', `${dataDir} is the data directory of this very job`, {
    hint: 'Leave --from-savepoint out: the job goes on from its newest checkpoint by itself.',
    facts: { dataDir },
  });
}
