/**
 * Removes from the logs of push sources what nobody will read any more.
 *
 * TL1. Only below the position that every retained or pinned checkpoint has; of a checkpoint that does not know a partition nothing is removed.
 * TL2. What is younger than the source keeps is left.
 * TL3. The entry before the lowest position stays: by the newest entry writers know which number is next.
 * TL4. A savepoint holds what lies behind its position for as long as the source keeps entries, however old these are: a source may be days behind.
 * TL5. Before a position that is held stays what duplicates are known by that come behind it.
 */
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { OperatorUid } from '../base/ids.ts';
import { intakeOptionsOf, partitionIds, type IntakeOptions } from '../model/intake.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { OperationRecord } from '../ports/records.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';

/** In one go: the next one comes soon. */
const entriesMax = 1_000;

/** By source and partition, the entry that comes next. */
export type IntakePositions = Readonly<Record<OperatorUid, Readonly<Record<string, number>>>>;

/** What a savepoint's operation keeps of it: its manifest is collected, and its files are the user's. undefined: there are no push sources. */
export function intakePositionsOf(manifest: Manifest): IntakePositions | undefined {
  const sources = pushSourcesOf(manifest.plan);
  if (sources.length === 0) return undefined;
  return Object.fromEntries(
    sources.map(({ uid, options }) => [
      uid,
      Object.fromEntries(partitionIds(options.partitions).map((partition) => [partition, positionIn(manifest, uid, partition)])),
    ]),
  );
}

/** `operations`: of the job, as they are after its record was read. Returns how many entries went. */
export async function trimIntakes(
  deps: CoordinatorDeps,
  { plan: planKey, retained, pins }: JobRecord,
  operations: readonly OperationRecord[],
): Promise<number> {
  const { intakeLog } = deps;
  if (intakeLog === undefined || retained.length === 0) return 0;
  const sources = pushSourcesOf((await readPlan(deps, planKey)).plan);
  if (sources.length === 0) return 0;
  const keys = new Set([...retained, ...pins].map(({ manifest }) => manifest));
  const manifests = await Promise.all([...keys].map(async (key) => decodeManifest(await readObject(deps, key), key)));
  let removed = 0;
  for (const { uid, options } of sources) {
    for (const partition of partitionIds(options.partitions)) {
      const place = { intake: options.intake, partition };
      const keptSinceMs = deps.clock.now() - options.keptMs;
      const ofSavepoints = savepointPositions(operations, keptSinceMs, uid, partition);
      const lowest = Math.min(...manifests.map((manifest) => positionIn(manifest, uid, partition)), ...ofSavepoints);
      if (lowest <= 2) continue;
      const [before] = await intakeLog.identities(place, lowest, { recordsMax: 1, withinMs: 0 });
      if (before === undefined) continue;
      const takenBeforeMs = Math.min(keptSinceMs, before.takenAtMs - options.duplicateMs);
      removed += await intakeLog.trim(place, { below: lowest - 1, takenBeforeMs, entriesMax });
    }
  }
  return removed;
}

/** TL4. */
function savepointPositions(
  operations: readonly OperationRecord[],
  keptSinceMs: number,
  uid: OperatorUid,
  partition: string,
): readonly number[] {
  return operations.flatMap(({ location, changedAtMs, progress }) => {
    if (location === null || changedAtMs < keptSinceMs) return [];
    const positions = progress['intakes'] as IntakePositions | undefined;
    return positions === undefined ? [] : [positions[uid]?.[partition] ?? 1];
  });
}

function pushSourcesOf({ vertices }: JobPlan): readonly { readonly uid: OperatorUid; readonly options: IntakeOptions }[] {
  return vertices.flatMap(({ uid, operators }) => {
    const options = intakeOptionsOf(operators[0]!.connector);
    return options === undefined ? [] : [{ uid, options }];
  });
}

function positionIn({ shards }: Manifest, uid: OperatorUid, partition: string): number {
  const split = shards.find((shard) => shard.uid === uid && shard.splits?.[partition] !== undefined)?.splits?.[partition];
  return (split?.position as { readonly next: number } | null | undefined)?.next ?? 1;
}
