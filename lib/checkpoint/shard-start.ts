/**
 * What one shard of a new attempt starts from: a pure function of the manifest and the new plan, so that whoever initialises the shard, and however
 * often, comes to the same.
 *
 * State belongs to operators, not to chains or shards: the manifest's own plan tells which old vertex held an operator.
 *
 * D2. Key groups move by arithmetic: every key group of an operator has exactly one new shard, and its deltas come from exactly one old shard.
 * D3. A delta is taken only for the key groups that its old shard owned. Two old shards may list the same object, and one of them may have moved it into
 *     the base and gone on: applied to the other's key groups it would bring old values back. So readers skip rows outside `DeltaRef.keyGroups`, and rows
 *     of operators they do not have.
 * D4. End of input's watermark is not kept where there is more input: a late record must find its window as the last real watermark left it.
 */
import { mutated } from '../base/mutated.ts';
import type { CheckpointId, OperatorUid } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { isSourceVertex, vertexOf, type JobPlan, type PlannedVertex } from '../model/job-plan.ts';
import { keyGroupRange, type KeyGroupRange } from '../model/key-group-range.ts';
import type { DeltaRef, FiredRange, OperatorStates, OperatorStateValue, ShardSnapshot, SplitState } from '../model/shard-record.ts';
import { MAX_WATERMARK } from '../model/time.ts';
import { inFlightOf, type SenderInFlight } from './in-flight.ts';
import type { Manifest } from './manifest.ts';
import { redistributeOperatorState, redistributeSplits } from './redistribution.ts';

export interface ShardStart {
  readonly checkpoint: CheckpointId;
  /** null: not a source, or one that the checkpoint does not know; it asks its reader for splits. */
  readonly splits: Readonly<Record<string, SplitState>> | null;
  readonly operatorStates: OperatorStates;
  /** To be applied in this order, each for its key groups only. */
  readonly deltas: readonly DeltaRef[];
  /** How far event timers have fired; of several ranges with a key group the highest counts. */
  readonly fired: readonly FiredRange[];
  readonly nextTimer: { readonly event: number | null; readonly processing: number | null };
  /** In flight at the checkpoint, and this shard's to work off before anything else. */
  readonly inFlight: readonly SenderInFlight[];
  /** All input had ended and had been worked off: the shard only forwards barriers, it does not finish again. */
  readonly finished: boolean;
  /** Added up over all shards of a vertex they stay what they were. */
  readonly recordsIn: number;
  readonly recordsOut: number;
}

/** An old shard that held one of the operators, and the key groups that pass from it to the new shard. */
interface Heir {
  readonly snapshot: ShardSnapshot;
  readonly overlap: KeyGroupRange | null;
}

export function shardStart(manifest: Manifest, plan: JobPlan, uid: OperatorUid, shard: number): ShardStart {
  const vertex = vertexOf(plan, uid);
  invariant(shard >= 0 && shard < vertex.parallelism, 'D2', `the plan has no shard ${shard} of ${uid}`);
  const olds = oldVertices(manifest.plan, vertex);
  const heirs = olds.flatMap((old) => heirsOf(manifest, old, vertex, shard));
  const overlapping = heirs.filter(({ overlap }) => overlap !== null);
  const sources = olds.filter((old) => isSourceVertex(manifest.plan, old.uid) && isSourceVertex(plan, uid));
  const oldSplits = sources.flatMap((old) => snapshotsOf(manifest, old).map((snapshot) => snapshot.splits));
  const splits = redistributeSplits(oldSplits, shard, vertex.parallelism);
  const inFlight = inFlightOf(manifest, plan, uid, shard);
  return {
    checkpoint: manifest.checkpoint,
    splits,
    operatorStates: operatorStatesFor(manifest, vertex, shard),
    deltas: overlapping.flatMap(({ snapshot, overlap }) => snapshot.deltas.flatMap((delta) => restrict(delta, overlap!))),
    fired: overlapping.flatMap(({ snapshot, overlap }) => keptFired(snapshot.fired, overlap!)),
    nextTimer: earliest(overlapping.map(({ snapshot }) => snapshot.nextTimer)),
    inFlight,
    finished: inFlight.length === 0 && hasFinished(manifest, olds, splits, vertex.parallelism, shard),
    ...countsFor(manifest, vertex, shard),
  };
}

/** The max parallelism of a vertex is its snapshot's where the plan derived its own: key groups must mean the same. */
export function adoptMaxParallelism(plan: JobPlan, manifest: Pick<Manifest, 'plan'>): JobPlan {
  const vertices = plan.vertices.map((vertex) => {
    const [old] = oldVertices(manifest.plan, vertex);
    return old === undefined || !vertex.maxParallelismDerived ? vertex : { ...vertex, maxParallelism: old.maxParallelism };
  });
  return { ...plan, vertices };
}

/** Old vertices that held a stateful operator of `vertex`, or its head: a chain may have been split or merged since. */
function oldVertices(oldPlan: JobPlan, vertex: PlannedVertex): readonly PlannedVertex[] {
  const wanted = new Set(vertex.operators.filter(({ uid, stateful }) => stateful || uid === vertex.uid).map(({ uid }) => uid));
  return oldPlan.vertices.filter((old) => old.operators.some(({ uid }) => wanted.has(uid)));
}

function snapshotsOf(manifest: Manifest, old: PlannedVertex): readonly ShardSnapshot[] {
  return manifest.shards.filter(({ uid }) => uid === old.uid).sort((a, b) => a.shard - b.shard);
}

function heirsOf(manifest: Manifest, old: PlannedVertex, vertex: PlannedVertex, shard: number): readonly Heir[] {
  const range = keyGroupRange(shard, vertex.parallelism, vertex.maxParallelism);
  const comparable = old.maxParallelism === vertex.maxParallelism;
  return snapshotsOf(manifest, old).map((snapshot) => ({
    snapshot,
    overlap: comparable ? intersection(range, keyGroupRange(snapshot.shard, old.parallelism, old.maxParallelism)) : null,
  }));
}

function intersection(a: KeyGroupRange, b: KeyGroupRange): KeyGroupRange | null {
  const range = { start: Math.max(a.start, b.start), end: Math.min(a.end, b.end) };
  return range.start <= range.end ? range : null;
}

function restrict(delta: DeltaRef, range: KeyGroupRange): readonly DeltaRef[] {
  const keyGroups = intersection(delta.keyGroups, range);
  return keyGroups === null ? [] : [{ ...delta, keyGroups }];
}

function keptFired(fired: readonly FiredRange[], range: KeyGroupRange): readonly FiredRange[] {
  return fired.flatMap(({ keyGroups, firedUpTo }) => {
    const kept = intersection(keyGroups, range);
    return kept === null || firedUpTo === MAX_WATERMARK || mutated('fired-not-kept') ? [] : [{ keyGroups: kept, firedUpTo }];
  });
}

function earliest(timers: readonly ShardSnapshot['nextTimer'][]): ShardSnapshot['nextTimer'] {
  const least = (times: readonly (number | null)[]): number | null =>
    times.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null);
  return { event: least(timers.map(({ event }) => event)), processing: least(timers.map(({ processing }) => processing)) };
}

function countsFor(manifest: Manifest, vertex: PlannedVertex, shard: number): Pick<ShardStart, 'recordsIn' | 'recordsOut'> {
  const old = manifest.shards.filter((snapshot) => snapshot.uid === vertex.uid && snapshot.shard % vertex.parallelism === shard);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  return { recordsIn: sum(old.map(({ recordsIn }) => recordsIn)), recordsOut: sum(old.map(({ recordsOut }) => recordsOut)) };
}

function operatorStatesFor(manifest: Manifest, vertex: PlannedVertex, shard: number): OperatorStates {
  const states: Record<OperatorUid, Record<string, OperatorStateValue>> = {};
  for (const { uid } of vertex.operators) {
    const old = manifest.plan.vertices.find(({ operators }) => operators.some((operator) => operator.uid === uid));
    if (old === undefined) continue;
    const held = snapshotsOf(manifest, old).map(({ operatorStates }) => operatorStates[uid]);
    for (const name of new Set(held.flatMap((byName) => Object.keys(byName ?? {})))) {
      const value = redistributeOperatorState(
        held.map((byName) => byName?.[name]),
        shard,
        vertex.parallelism,
      );
      if (value !== undefined) (states[uid] ??= {})[name] = value;
    }
  }
  return states;
}

/** A source's shard has finished when its new splits have. Another has when those it continues had, and not because of a stop (whose sources have more). */
function hasFinished(
  manifest: Manifest,
  olds: readonly PlannedVertex[],
  splits: ShardStart['splits'],
  parallelism: number,
  shard: number,
): boolean {
  if (splits !== null) return Object.values(splits).every(({ ended }) => ended);
  if (olds.length === 0) return false;
  return olds.every((old) => {
    if (manifest.kind === 'stop-savepoint' && !inputEnded(manifest, old.uid)) return false;
    // With another parallelism the shard may continue any of them.
    return snapshotsOf(manifest, old).every(
      ({ finished, shard: index }) => finished || (old.parallelism === parallelism && index !== shard),
    );
  });
}

function inputEnded(manifest: Manifest, uid: OperatorUid): boolean {
  const feeding = manifest.plan.edges.filter(({ to }) => to === uid);
  if (feeding.length > 0) return feeding.every(({ from }) => inputEnded(manifest, from));
  return manifest.shards
    .filter((snapshot) => snapshot.uid === uid)
    .every(({ splits }) => Object.values(splits ?? {}).every(({ ended }) => ended));
}
