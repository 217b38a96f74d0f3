/**
 * Whether a plan can start from a snapshot of another one: every reason against it at once, and what would happen to whom.
 *
 * K1. State is mapped by operator uid. State that maps to nothing refuses the restore, unless the user drops it by name of the option.
 * K2. Max parallelism must be equal, because key groups are counted by it; one that was derived is adopted.
 * K3. What a state is (its kind, whether it expires) may not change; how long it lives may.
 * K4. State that cannot be merged may not come into fewer subtasks.
 * K5. What is in flight to an operator needs it: on the same input, and by key where it went by key.
 */
import type { OperatorUid } from '../base/ids.ts';
import { intakeOptionsOf } from '../model/intake.ts';
import {
  isSourceVertex,
  type JobPlan,
  type PlannedEdge,
  type PlannedOperator,
  type PlannedVertex,
  type StateDeclaration,
} from '../model/job-plan.ts';
import { adoptMaxParallelism } from './shard-start.ts';

export interface CompatibilityReason {
  readonly code:
    | 'STATE_NOT_MAPPED'
    | 'MAX_PARALLELISM_CHANGED'
    | 'PARALLELISM_TOO_HIGH'
    | 'STATE_KIND_CHANGED'
    | 'STATE_TTL_CHANGED'
    | 'STATE_UNMERGEABLE'
    | 'SOURCE_CHANGED'
    | 'IN_FLIGHT_NOT_MAPPED'
    | 'OTHER_JOB';
  readonly operator: OperatorUid | null;
  readonly message: string;
}

export interface CompatibilityReport {
  readonly ok: boolean;
  readonly reasons: readonly CompatibilityReason[];
  readonly mapped: readonly OperatorUid[];
  /** State that is left behind, by the user's word. */
  readonly dropped: readonly OperatorUid[];
  /** Stateful operators that the snapshot does not know. */
  readonly startsEmpty: readonly OperatorUid[];
  readonly parallelismChanges: readonly { readonly vertex: OperatorUid; readonly from: number; readonly to: number }[];
  readonly warnings: readonly string[];
}

export interface CompatibilityOptions {
  readonly allowNonRestoredState: boolean;
  /** A job under another name: a fork, or a job that was renamed. */
  readonly allowOtherJob: boolean;
}

interface Placed {
  readonly operator: PlannedOperator;
  readonly vertex: PlannedVertex;
  readonly isSource: boolean;
}

export interface ComparedSnapshot {
  readonly jobName: string;
  readonly plan: JobPlan;
  /** Edges on which something is in flight. */
  readonly inFlightEdges?: readonly PlannedEdge[];
}

export function checkCompatibility(snapshot: ComparedSnapshot, plan: JobPlan, options: CompatibilityOptions): CompatibilityReport {
  const adopted = adoptMaxParallelism(plan, snapshot);
  const before = statefulOperators(snapshot.plan);
  const after = statefulOperators(adopted);
  const pairs = [...before.values()].flatMap((old) => {
    const now = after.get(old.operator.uid);
    return now === undefined ? [] : [{ old, now }];
  });
  const unmapped = [...before.keys()].filter((uid) => !after.has(uid));
  const reasons = [
    ...otherJob(snapshot, plan, options),
    ...(options.allowNonRestoredState ? [] : unmapped.map(notMapped)),
    ...(snapshot.inFlightEdges ?? []).flatMap((edge) => inFlightReasons(edge, adopted, options)),
    ...pairs.flatMap(({ old, now }) => [
      ...sourceReasons(old, now),
      ...parallelismReasons(old, now),
      ...stateReasons(old.operator, now.operator),
      ...unmergeableStates(old, now),
    ]),
  ];
  return {
    ok: reasons.length === 0,
    reasons,
    mapped: pairs.map(({ now }) => now.operator.uid),
    dropped: options.allowNonRestoredState ? unmapped : [],
    startsEmpty: [...after.keys()].filter((uid) => !before.has(uid)),
    parallelismChanges: parallelismChanges(snapshot.plan, adopted),
    warnings: pairs.flatMap(({ old, now }) => forgottenStates(old.operator, now.operator)),
  };
}

/** A source's positions are its state. */
function statefulOperators(plan: JobPlan): ReadonlyMap<OperatorUid, Placed> {
  const placed = plan.vertices.flatMap((vertex) =>
    vertex.operators.map((operator) => ({ operator, vertex, isSource: operator.uid === vertex.uid && isSourceVertex(plan, vertex.uid) })),
  );
  return new Map(placed.filter(({ operator, isSource }) => operator.stateful || isSource).map((entry) => [entry.operator.uid, entry]));
}

function otherJob(snapshot: { readonly jobName: string }, plan: JobPlan, options: CompatibilityOptions): readonly CompatibilityReason[] {
  if (options.allowOtherJob || snapshot.jobName === plan.name) return [];
  return [{ code: 'OTHER_JOB', operator: null, message: `the snapshot is of job ${snapshot.jobName}, this is job ${plan.name}` }];
}

function notMapped(operator: OperatorUid): CompatibilityReason {
  return { code: 'STATE_NOT_MAPPED', operator, message: `the snapshot has state of operator ${operator}, which this job does not have` };
}

function inFlightReasons(edge: PlannedEdge, plan: JobPlan, options: CompatibilityOptions): readonly CompatibilityReason[] {
  const { to, input, partitioner } = edge;
  const operator = plan.vertices.flatMap(({ operators }) => operators).find(({ uid }) => uid === to);
  if (operator === undefined && options.allowNonRestoredState) return [];
  const ways = plan.edges.filter((now) => now.to === to && now.input === input);
  const isTaken = partitioner === 'hash' ? ways.some((now) => now.partitioner === 'hash') : ways.length > 0 || isLinked(operator, input);
  if (isTaken) return [];
  const how = partitioner === 'hash' ? ` by key on its input ${input}` : ` on its input ${input}`;
  return [{ code: 'IN_FLIGHT_NOT_MAPPED', operator: to, message: `records are in flight to operator ${to}${how}, which this job has not` }];
}

/** Chained to what feeds it, since. */
function isLinked(operator: PlannedOperator | undefined, input: number): boolean {
  return operator?.links.some((link) => link.input === input) === true;
}

function sourceReasons(old: Placed, now: Placed): readonly CompatibilityReason[] {
  const [from, to] = [old, now].map(({ operator, isSource }) => (isSource ? (operator.connector?.connector ?? 'no connector') : null));
  if (from === to) return intakeReasons(old.operator, now.operator);
  const message = `operator ${now.operator.uid} was ${from ?? 'no source'} and is ${to ?? 'no source'}: its positions mean nothing there`;
  return [{ code: 'SOURCE_CHANGED', operator: now.operator.uid, message }];
}

/** What a push source has not read yet stands in its log, by name and partition. */
function intakeReasons({ connector: old }: PlannedOperator, { uid, connector: now }: PlannedOperator): readonly CompatibilityReason[] {
  const [from, to] = [old, now].map(intakeOptionsOf);
  if (from === undefined || to === undefined || (from.intake === to.intake && from.partitions === to.partitions)) return [];
  const [was, is] = [from, to].map(({ intake, partitions }) => `the intake ${intake} in ${partitions} partitions`);
  return [
    { code: 'SOURCE_CHANGED', operator: uid, message: `operator ${uid} read ${was} and reads ${is}: its positions mean nothing there` },
  ];
}

function parallelismReasons(old: Placed, now: Placed): readonly CompatibilityReason[] {
  const { uid } = now.operator;
  const { maxParallelism, parallelism } = now.vertex;
  if (maxParallelism !== old.vertex.maxParallelism) {
    const message = `operator ${uid} has max parallelism ${maxParallelism}, its state ${old.vertex.maxParallelism}`;
    return [{ code: 'MAX_PARALLELISM_CHANGED', operator: uid, message }];
  }
  if (parallelism <= maxParallelism) return [];
  const message = `operator ${uid} has parallelism ${parallelism}, its state allows ${maxParallelism} at most`;
  return [{ code: 'PARALLELISM_TOO_HIGH', operator: uid, message }];
}

function stateReasons(old: PlannedOperator, now: PlannedOperator): readonly CompatibilityReason[] {
  return old.states.flatMap((was): CompatibilityReason[] => {
    const is = now.states.find(({ name }) => name === was.name);
    if (is === undefined) return [];
    const what = `state ${was.name} of operator ${now.uid}`;
    if (is.kind !== was.kind) {
      return [{ code: 'STATE_KIND_CHANGED', operator: now.uid, message: `${what} was ${was.kind} state and is ${is.kind} state` }];
    }
    if (expires(is) === expires(was)) return [];
    const message = `${what} ${expires(was) ? 'expired and no longer does' : 'did not expire and now does'}`;
    return [{ code: 'STATE_TTL_CHANGED', operator: now.uid, message }];
  });
}

/** Judged by the new job: a function that can merge may have been added. */
function unmergeableStates(old: Placed, now: Placed): readonly CompatibilityReason[] {
  if (now.vertex.parallelism >= old.vertex.parallelism) return [];
  const held = now.operator.states.filter((is) => is.unmergeable === true && old.operator.states.some(({ name }) => name === is.name));
  return held.map(({ name }) => ({
    code: 'STATE_UNMERGEABLE',
    operator: now.operator.uid,
    message:
      `state ${name} of operator ${now.operator.uid} cannot be merged: it was in ${old.vertex.parallelism} subtasks, ` +
      `${now.vertex.parallelism} are too few`,
  }));
}

function expires({ ttlMs }: StateDeclaration): boolean {
  return ttlMs !== undefined;
}

function forgottenStates(old: PlannedOperator, now: PlannedOperator): readonly string[] {
  return old.states
    .filter(({ name }) => !now.states.some((state) => state.name === name))
    .map(({ name }) => `state ${name} of operator ${now.uid} is no longer declared; what it holds is kept and not used`);
}

function parallelismChanges(before: JobPlan, after: JobPlan): CompatibilityReport['parallelismChanges'] {
  return after.vertices.flatMap(({ uid, parallelism }) => {
    const old = before.vertices.find((vertex) => vertex.uid === uid);
    return old === undefined || old.parallelism === parallelism ? [] : [{ vertex: uid, from: old.parallelism, to: parallelism }];
  });
}
