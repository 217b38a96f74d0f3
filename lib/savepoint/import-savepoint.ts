/**
 * Brings a savepoint into a job's own namespace: rows into the base, sink parts staged, and a manifest from which the shards start.
 *
 * IM1. Rows have version 0 in a namespace of their own: no later write of the job is refused because of them.
 * IM2. Every file is checked again as it is read; doing a file twice changes nothing.
 * IM3. The manifest lists no deltas: state at the checkpoint is the base alone. Positions in channels do not exist yet.
 * IM4. Parts keep the name under which they become visible: published by the job that made them, or by this one, they appear once.
 * IM5. In-flight records stand in segments of the new job's own, as if its shards had sent them before anything else (in-flight-import.ts).
 */
import { limits } from '../base/limits.ts';
import type { Attempt, CheckpointId, JobId } from '../base/ids.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { SinkPart } from '../model/shard-record.ts';
import { tablesOfRows } from '../model/table-rows.ts';
import type { RowTable } from '../model/row-table.ts';
import { decodeValue } from '../model/value-json.ts';
import type { BaseRow, KeyedBase } from '../ports/keyed-base.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { decodeKeyedRows } from './keyed-file.ts';
import { importedInFlight, importedSegment, segmentOfFile } from './in-flight-import.ts';
import type { InFlightFile, KeyedFile, PartFile, SavepointMetadata } from './savepoint-metadata.ts';
import { maxParallelismOf, readChecked } from './validate-savepoint.ts';

/** Before the first attempt: nothing that runs has it. */
export const importAttempt: Attempt = 0;

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

export async function importUnit(ports: ImportPorts, job: JobId, metadata: SavepointMetadata, unit: ImportUnit): Promise<void> {
  const bytes = await readChecked(ports.folder, unit);
  if ('part' in unit) return void (await ports.stagePart(unit.part, bytes));
  if ('channels' in unit) {
    const { key } = importedSegment(metadata, job, importAttempt, unit);
    return void (await ports.objects.createIfAbsent(key, segmentOfFile(metadata, job, importAttempt, unit, bytes)));
  }
  const rows = decodeKeyedRows(unit, bytes, maxParallelismOf(metadata, unit));
  for (let at = 0; at < rows.length; at += limits.importRowsPerWrite) {
    await ports.base.write(job, 0, tablesOf(rows.slice(at, at + limits.importRowsPerWrite)));
  }
}

function tablesOf(rows: readonly BaseRow[]): RowTable[] {
  return tablesOfRows(rows.map((row) => ({ ...row, value: decodeValue(row.value), deleted: false })));
}

/** What the new job's shards start from. `place`: the part as it stands for the new job. */
export function importedManifest(metadata: SavepointMetadata, job: JobId, place: (part: SinkPart) => SinkPart, nowMs: number): Manifest {
  const checkpoint: CheckpointId = metadata.checkpoint;
  const vertexOf = new Map(metadata.operators.map(({ uid, vertex }) => [uid, vertex]));
  return {
    format: 1,
    job,
    jobName: metadata.job.name,
    attempt: importAttempt,
    checkpoint,
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
      ...importedInFlight(metadata, job, importAttempt, state),
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
