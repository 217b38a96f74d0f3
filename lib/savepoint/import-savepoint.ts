/**
 * Brings a savepoint into a namespace of its own (import-target.ts): rows into the base, sink parts staged, and a manifest from which the shards start.
 *
 * IM1. Rows have version 0 in a namespace of their own: no later write of the job is refused because of them.
 * IM2. Every file is checked again as it is read; doing a file twice changes nothing.
 * IM3. The manifest lists no deltas: state at the checkpoint is the base alone. Positions in channels do not exist yet.
 * IM4. Parts keep the name under which they become visible: published by the job that made them, or by this one, they appear once.
 * IM5. In-flight records stand in segments of the new job's own, as if its shards had sent them before anything else (in-flight-import.ts).
 */
import { mutated } from '../base/mutated.ts';
import { limits } from '../base/limits.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { SinkPart } from '../model/shard-record.ts';
import { tablesOfRows } from '../model/table-rows.ts';
import type { RowTable } from '../model/row-table.ts';
import { decodeValue } from '../model/value-json.ts';
import type { BaseRow, KeyedBase } from '../ports/keyed-base.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { decodeKeyedRows } from './keyed-file.ts';
import { importAttempt, type ImportTarget } from './import-target.ts';
import { importedInFlight, importedSegment, segmentOfFile } from './in-flight-import.ts';
import type { InFlightFile, KeyedFile, PartFile, SavepointMetadata } from './savepoint-metadata.ts';
import { maxParallelismOf, readChecked } from './validate-savepoint.ts';

export interface ImportPorts {
  readonly folder: SavepointFolder;
  readonly base: KeyedBase;
  readonly objects: ObjectStore;
  /** Stages a part's bytes for the new job, where `place` says. */
  readonly stagePart: (part: SinkPart, bytes: Uint8Array) => Promise<unknown>;
}

/** What an import works off, one by one; the index is its progress. */
export function importUnits({ files, parts, inFlight = [] }: SavepointMetadata): readonly ImportUnit[] {
  return [...files, ...parts, ...inFlight];
}

export type ImportUnit = KeyedFile | PartFile | InFlightFile;

export async function importUnit(ports: ImportPorts, target: ImportTarget, metadata: SavepointMetadata, unit: ImportUnit): Promise<void> {
  const bytes = await readChecked(ports.folder, unit);
  if ('part' in unit) return void (await ports.stagePart(unit.part, bytes));
  if ('channels' in unit) {
    const { key } = importedSegment(metadata, target, unit);
    return void (await ports.objects.createIfAbsent(key, segmentOfFile(metadata, target, unit, bytes)));
  }
  const rows = decodeKeyedRows(unit, bytes, maxParallelismOf(metadata, unit));
  for (let at = 0; at < rows.length; at += limits.importRowsPerWrite) {
    await ports.base.write(
      mutated('import-into-the-running') ? target.job : target.space,
      mutated('import-stamped') ? Number.MAX_SAFE_INTEGER : 0,
      tablesOf(rows.slice(at, at + limits.importRowsPerWrite)),
    );
  }
}

function tablesOf(rows: readonly BaseRow[]): RowTable[] {
  return tablesOfRows(rows.map((row) => ({ ...row, value: decodeValue(row.value), deleted: false })));
}

export interface ImportedCheckpoint {
  /** The savepoint's own number, or the next of the job that goes back to it. */
  readonly checkpoint: CheckpointId;
  /** The part as it stands for the job. */
  readonly place: (part: SinkPart) => SinkPart;
  readonly nowMs: number;
}

/** What the job's shards start from. */
export function importedManifest(
  metadata: SavepointMetadata,
  target: ImportTarget,
  { checkpoint, place, nowMs }: ImportedCheckpoint,
): Manifest {
  const { job, space } = target;
  const vertexOf = new Map(metadata.operators.map(({ uid, vertex }) => [uid, vertex]));
  return {
    format: 1,
    job,
    jobName: metadata.job.name,
    attempt: importAttempt,
    checkpoint,
    ...(target.isBeside ? { space } : {}),
    kind: metadata.kind,
    mode: 'exactly-once',
    ...(metadata.inFlight === undefined ? {} : { unaligned: true }),
    plan: metadata.plan,
    planHash: metadata.planHash,
    shards: metadata.shards.map((state) => ({
      ...state,
      job,
      attempt: importAttempt,
      checkpoint,
      version: 0,
      inputs: {},
      ...importedInFlight(metadata, target, state),
      deltas: [],
      parts: metadata.parts
        .filter(({ part }) => vertexOf.get(part.operator) === state.uid && part.shard === state.shard)
        .map(({ part }) => place(part)),
      segments: { recent: [], chained: null },
      stats: { deltaBytes: 0, stateBytes: 0, alignmentMs: 0, snapshotMs: 0, takenAtMs: nowMs },
    })),
    triggeredAtMs: nowMs,
    completedAtMs: nowMs,
  };
}
