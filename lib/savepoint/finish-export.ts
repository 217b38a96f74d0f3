/** The last act of an export: what no receipt names goes, then the metadata makes the folder a savepoint. Rules EX1, EX2 in export-savepoint.ts. */
import type { Manifest } from '../checkpoint/manifest.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import type { Receipt } from './export-savepoint.ts';
import { encodeMetadata, metadataFile } from './metadata-codec.ts';
import type { OperatorSummary, SavepointMetadata } from './savepoint-metadata.ts';

/** Only what an export can have written: the folder is the user's. */
const written = /^(state-[^/]+\/\d+-\d+-\d+-[0-9a-f]+\.ndjson\.zst|parts\/[^/]+\.part|in-flight\/[^/]+\.ndjson\.zst)$/;

export async function finishExport(folder: SavepointFolder, manifest: Manifest, receipts: readonly Receipt[]): Promise<SavepointMetadata> {
  const metadata = metadataOf(manifest, receipts);
  await removeUnnamed(folder, metadata);
  await folder.createIfAbsent(metadataFile, encodeMetadata(metadata));
  return metadata;
}

/** Given up: whatever was written goes, unless it has become a savepoint. */
export async function abandonExport(folder: SavepointFolder): Promise<'removed' | 'whole'> {
  if ((await folder.read(metadataFile)) !== undefined) return 'whole';
  await folder.remove((await folder.list()).map(({ path }) => path).filter((path) => written.test(path)));
  return 'removed';
}

async function removeUnnamed(folder: SavepointFolder, { files, parts, inFlight = [] }: SavepointMetadata): Promise<void> {
  const named = new Set([...files, ...parts, ...inFlight].map(({ path }) => path));
  const unnamed = (await folder.list()).map(({ path }) => path).filter((path) => written.test(path) && !named.has(path));
  if (unnamed.length > 0) await folder.remove(unnamed);
}

function metadataOf(manifest: Manifest, receipts: readonly Receipt[]): SavepointMetadata {
  const files = receipts.flatMap((receipt) => receipt.files);
  const inFlight = receipts.flatMap((receipt) => receipt.inFlight ?? []);
  return {
    format: 1,
    what: 'sluice-savepoint',
    kind: manifest.kind,
    job: { id: manifest.job, name: manifest.jobName },
    checkpoint: manifest.checkpoint,
    takenAtMs: manifest.completedAtMs,
    planHash: manifest.planHash,
    plan: manifest.plan,
    operators: manifest.plan.vertices.flatMap(({ uid: vertex, parallelism, maxParallelism, operators }) =>
      operators.map(({ uid, name, kind, states }): OperatorSummary => {
        const own = files.filter(({ operator }) => operator === uid);
        const rows = own.reduce((sum, file) => sum + file.rows, 0);
        const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
        return { uid, name, kind, vertex, parallelism, maxParallelism, states, rows, bytes };
      }),
    ),
    shards: [...manifest.shards]
      .sort((a, b) => (a.uid === b.uid ? a.shard - b.shard : a.uid < b.uid ? -1 : 1))
      .map(({ uid, shard, finished, fired, nextTimer, splits, operatorStates, recordsIn, recordsOut }) => {
        return { uid, shard, finished, fired, nextTimer, splits, operatorStates, recordsIn, recordsOut };
      }),
    files,
    parts: receipts.flatMap((receipt) => receipt.parts),
    ...(inFlight.length === 0 ? {} : { inFlight }),
    ...(manifest.bill === undefined ? {} : { bill: manifest.bill }),
  };
}
