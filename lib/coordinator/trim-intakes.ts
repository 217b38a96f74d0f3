/**
 * Removes from the logs of push sources what nobody will read any more.
 *
 * TL1. Only below the position that every retained or pinned checkpoint has; of a checkpoint that does not know a partition nothing is removed.
 * TL2. What is younger than the source keeps is left, so that a savepoint can be gone back to, and its duplicates be known.
 * TL3. The entry before the lowest position stays: by the newest entry writers know which number is next.
 */
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { OperatorUid } from '../base/ids.ts';
import { intakeOptionsOf, partitionIds, type IntakeOptions } from '../model/intake.ts';
import type { JobRecord } from '../model/job-record.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';

/** In one go: the next one comes soon. */
const entriesMax = 1_000;

/** Returns how many entries went. */
export async function trimIntakes(deps: CoordinatorDeps, { plan: planKey, retained, pins }: JobRecord): Promise<number> {
  const { intakeLog } = deps;
  if (intakeLog === undefined || retained.length === 0) return 0;
  const { plan } = await readPlan(deps, planKey);
  const sources = plan.vertices.flatMap(({ uid, operators }) => {
    const options = intakeOptionsOf(operators[0]!.connector);
    return options === undefined ? [] : [{ uid, options }];
  });
  if (sources.length === 0) return 0;
  const keys = new Set([...retained, ...pins].map(({ manifest }) => manifest));
  const manifests = await Promise.all([...keys].map(async (key) => decodeManifest(await readObject(deps, key), key)));
  let removed = 0;
  for (const { uid, options } of sources) {
    for (const partition of partitionIds(options.partitions)) {
      const below = Math.min(...manifests.map((manifest) => positionIn(manifest, uid, partition))) - 1;
      const takenBeforeMs = deps.clock.now() - keptMs(options);
      if (below > 1) removed += await intakeLog.trim({ intake: options.intake, partition }, { below, takenBeforeMs, entriesMax });
    }
  }
  return removed;
}

function positionIn({ shards }: Manifest, uid: OperatorUid, partition: string): number {
  const split = shards.find((shard) => shard.uid === uid && shard.splits?.[partition] !== undefined)?.splits?.[partition];
  return (split?.position as { readonly next: number } | null | undefined)?.next ?? 1;
}

function keptMs({ keptMs: given, duplicateMs }: IntakeOptions): number {
  return Math.max(given, duplicateMs);
}
