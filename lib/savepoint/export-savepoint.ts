/**
 * Writes a savepoint, in units that can be done one by one, by different processes, and more than once.
 *
 * EX1. A unit's files have names that no other try has; its receipt, kept by the caller and created once, says which try counts. What no receipt names is
 *      removed before the metadata is written.
 * EX2. The metadata is a function of manifest and receipts: whoever writes it writes the same.
 * EX3. Order of units and of rows in a unit follows from the manifest.
 */
import { mutated } from '../base/mutated.ts';
import { SluiceError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { OperatorUid } from '../base/ids.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { PlannedVertex } from '../model/job-plan.ts';
import { keyGroupRange, type KeyGroupRange } from '../model/key-group-range.ts';
import type { ShardSnapshot, SinkPart } from '../model/shard-record.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { inFlightPages, inFlightUnits, type InFlightUnit } from './in-flight-file.ts';
import { encodeKeyedRows, keyedCodec } from './keyed-file.ts';
import { sha256Of } from './metadata-codec.ts';
import type { InFlightFile, KeyedFile, PartFile } from './savepoint-metadata.ts';
import { stateAtCheckpoint, type StatePorts } from './state-at-checkpoint.ts';

export type ExportUnit = KeyedUnit | { readonly kind: 'part'; readonly part: SinkPart } | InFlightUnit;

interface KeyedUnit {
  readonly kind: 'keyed';
  /** Where the base has its rows. */
  readonly space: string;
  readonly operator: OperatorUid;
  readonly snapshot: ShardSnapshot;
  readonly keyGroups: KeyGroupRange;
}

export interface Receipt {
  readonly files: readonly KeyedFile[];
  readonly parts: readonly PartFile[];
  readonly inFlight?: readonly InFlightFile[];
}

export interface ExportPorts extends StatePorts {
  readonly folder: SavepointFolder;
  /** The bytes of a sink's part; undefined where it is neither staged nor published any more. */
  readonly readPart: (part: SinkPart) => Promise<Uint8Array | undefined>;
  /** Makes a try's file names its own. */
  readonly newTry: () => string;
}

const keyedKinds = new Set(['value', 'list', 'map', 'reducing', 'aggregating', 'window', 'timers']);

/** One per operator with keyed state and range of key groups that fits into memory, then one per sink part, then one per sender of what is in flight. */
export function exportUnits(manifest: Manifest): readonly ExportUnit[] {
  const keyed = manifest.plan.vertices.flatMap((vertex) =>
    manifest.shards
      .filter(({ uid }) => uid === vertex.uid)
      .sort((a, b) => a.shard - b.shard)
      .flatMap((snapshot) => keyedUnits(manifest, vertex, snapshot)),
  );
  const parts = manifest.shards.flatMap((snapshot) => snapshot.parts.map((part): ExportUnit => ({ kind: 'part', part })));
  return [...keyed, ...parts, ...(mutated('savepoint-without-in-flight') ? [] : inFlightUnits(manifest))];
}

function isKeyed({ plan }: Manifest, { uid }: PlannedVertex): boolean {
  return plan.edges.some(({ to, partitioner }) => to === uid && partitioner === 'hash');
}

function keyedUnits(manifest: Manifest, vertex: PlannedVertex, snapshot: ShardSnapshot): readonly KeyedUnit[] {
  const { job, space = job } = manifest;
  const isKeyedVertex = isKeyed(manifest, vertex);
  const range = keyGroupRange(snapshot.shard, vertex.parallelism, vertex.maxParallelism);
  const rows = snapshot.deltas.reduce((sum, delta) => sum + delta.rows, 0);
  const groups = range.end - range.start + 1;
  const pieces = Math.min(groups, Math.max(1, Math.ceil(rows / limits.savepointRowsPerUnit)));
  return vertex.operators
    .filter(({ uid, states }) => (isKeyedVertex && uid === vertex.uid) || states.some(({ kind }) => keyedKinds.has(kind)))
    .flatMap(({ uid: operator }) =>
      Array.from({ length: pieces }, (_, piece): KeyedUnit => {
        const cut = keyGroupRange(piece, pieces, groups);
        return { kind: 'keyed', space, operator, snapshot, keyGroups: { start: range.start + cut.start, end: range.start + cut.end } };
      }),
    );
}

export async function exportUnit(ports: ExportPorts, unit: ExportUnit): Promise<Receipt> {
  if (unit.kind === 'keyed') return { files: await exportKeyed(ports, unit), parts: [] };
  if (unit.kind === 'in-flight') return { files: [], parts: [], inFlight: await exportInFlight(ports, unit) };
  const { part } = unit;
  const bytes = await ports.readPart(part);
  // Published and taken away by a reader since: it has served its purpose.
  if (bytes === undefined) return { files: [], parts: [] };
  const path = `parts/${part.operator}-${part.shard}-${part.checkpoint}-${part.number}-${ports.newTry()}.part`;
  await create(ports.folder, path, bytes);
  return { files: [], parts: [{ path, bytes: bytes.length, sha256: sha256Of(bytes), part }] };
}

async function exportKeyed(ports: ExportPorts, unit: KeyedUnit): Promise<readonly KeyedFile[]> {
  const { space, operator, keyGroups, snapshot } = unit;
  const { start, end } = keyGroups;
  const tryId = ports.newTry();
  const files: KeyedFile[] = [];
  const write = async (rows: readonly BaseRow[]): Promise<void> => {
    const path = `state-${operator}/${start}-${end}-${files.length}-${tryId}.ndjson.zst`;
    const bytes = encodeKeyedRows(rows);
    await create(ports.folder, path, bytes);
    const states = countByState(rows);
    files.push({ path, codec: keyedCodec, operator, keyGroups, rows: rows.length, bytes: bytes.length, sha256: sha256Of(bytes), states });
  };
  let rows: BaseRow[] = [];
  let characters = 0;
  for await (const page of stateAtCheckpoint(ports, { space, operator, keyGroups, deltas: snapshot.deltas })) {
    for (const row of page) {
      rows.push(row);
      characters += row.key.length + row.value.length + row.namespace.length;
      if (rows.length < limits.savepointRowsPerFile && characters < limits.savepointCharactersPerFile) continue;
      await write(rows);
      rows = [];
      characters = 0;
    }
  }
  if (rows.length > 0) await write(rows);
  return files;
}

async function exportInFlight(ports: ExportPorts, unit: InFlightUnit): Promise<readonly InFlightFile[]> {
  const { uid: from, shard } = unit.sender;
  const tryId = ports.newTry();
  const files: InFlightFile[] = [];
  for await (const page of inFlightPages(ports.objects, unit, readObject)) {
    const path = `in-flight/${from}-${shard}-${files.length}-${tryId}.ndjson.zst`;
    const bytes = page.encode();
    await create(ports.folder, path, bytes);
    const channels = Object.fromEntries(page.channels);
    files.push({ path, codec: keyedCodec, from, shard, rows: page.rows, bytes: bytes.length, sha256: sha256Of(bytes), channels });
  }
  return files;
}

async function readObject(objects: ExportPorts['objects'], key: string): Promise<Uint8Array> {
  const bytes = await objects.read(key);
  if (bytes !== undefined) return bytes;
  throw new SluiceError('SLUICE-OBJECT-MISSING', `the object ${key} is named by a checkpoint and does not exist`, {
    hint: 'Something outside Sluice has removed it. Take another savepoint.',
    facts: { key },
  });
}

async function create(folder: SavepointFolder, path: string, bytes: Uint8Array): Promise<void> {
  if ((await folder.createIfAbsent(path, bytes)) === 'created') return;
  // Our own, where the answer to a first request was lost.
  const there = await folder.read(path);
  // Gone again: another try's receipt counts, and whoever finished the export has removed what none names.
  if (there === undefined) return;
  invariant(sha256Of(there) === sha256Of(bytes), 'EX1', `${path} exists in ${folder.location}`, { path });
}

/** Rows of a file by state. */
function countByState(rows: readonly BaseRow[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
