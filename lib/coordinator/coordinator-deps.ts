/** Everything that the coordinator's steps need from outside, in one object. */
import { SluiceError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { decodeStoredPlan, type StoredPlan } from '../checkpoint/stored-plan.ts';
import type { Bill } from '../model/bill.ts';
import type { Connectors } from '../ports/connectors.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { IntakeLog } from '../ports/intake-log.ts';
import type { JobHistory } from '../ports/job-history.ts';
import type { KeyedBase } from '../ports/keyed-base.ts';
import type { MessageSender } from '../ports/message-queue.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ProblemBoard } from '../ports/problem-board.ts';
import type { AcknowledgementStore, JobRecordStore, OperationStore, ShardRecordStore } from '../ports/records.ts';
import type { SavepointFolders } from '../ports/savepoint-folder.ts';
import type { NewPlan } from './new-plan.ts';
import type { Clock, CoordinatorSignal, FlowStarter, Logger, Random } from '../ports/system.ts';

/** As an audit record keeps it (lib/model/audit-record.ts). */
export interface AskedChange {
  readonly job: JobId;
  readonly who: string;
  readonly requestId: string;
  readonly request: { readonly method: string; readonly path: string; readonly query: string; readonly body: string };
}

/** Writes down what is asked for before anything is done; what it answers writes how it went, and never throws. */
export type RecordChange = (
  change: AskedChange,
) => Promise<(outcome: { readonly status: number; readonly code: string | null }) => Promise<void>>;

export interface CoordinatorDeps {
  readonly jobs: JobRecordStore;
  readonly shards: ShardRecordStore;
  readonly acknowledgements: AcknowledgementStore;
  readonly operations: OperationStore;
  readonly objects: ObjectStore;
  readonly base: KeyedBase;
  readonly messages: MessageSender;
  readonly connectors: Connectors;
  readonly savepoints: SavepointFolders;
  readonly signal: CoordinatorSignal;
  readonly flows: FlowStarter;
  /** Absent where functions ask for their messages at no cost. */
  readonly eventSources?: EventSources;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly history: JobHistory;
  /** Absent where nobody is told apart (docs/adr/0016). */
  readonly recordChange?: RecordChange;
  readonly problems?: ProblemBoard;
  /** What was counted since it was asked last; absent where nothing costs anything. */
  readonly bill?: () => Bill;
  /** Absent where no job has a push source. */
  readonly intakeLog?: IntakeLog | undefined;
  /** The job's own code, as it is deployed (null) or planned for another parallelism; absent where nobody here has it. */
  readonly planFor?: (parallelism: number | null) => NewPlan;
  /** Where savepoints go that name no place; absent where they must. */
  readonly savepointDirectory?: string;
  /** How often what is left unfinished is looked for, and how often objects are collected while a job makes checkpoints. */
  readonly sweepMs: number;
  readonly collectMs: number;
  /** Objects and tombstones younger than this are never collected: longer than any invocation can live. */
  readonly garbageAgeMs: number;
  /** What one step of an export or import may take before it hands on to the next. */
  readonly stepMs: number;
}

/** Plan objects never change, so a few are kept. */
const plansKept = 8;
const plans = new WeakMap<ObjectStore, Map<string, StoredPlan>>();

export async function readPlan(deps: Pick<CoordinatorDeps, 'objects'>, key: string): Promise<StoredPlan> {
  const known = plans.get(deps.objects) ?? new Map<string, StoredPlan>();
  plans.set(deps.objects, known);
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const plan = decodeStoredPlan(await readObject(deps, key), key);
  if (known.size >= plansKept) known.delete(known.keys().next().value!);
  known.set(key, plan);
  return plan;
}

/** @throws SluiceError `SLUICE-OBJECT-MISSING`: a record names the object, so something has been lost */
export async function readObject({ objects }: Pick<CoordinatorDeps, 'objects'>, key: string): Promise<Uint8Array> {
  const bytes = await objects.read(key);
  if (bytes !== undefined) return bytes;
  throw new SluiceError('SLUICE-OBJECT-MISSING', `the object ${key} is named by a record and does not exist`, {
    hint: 'Something outside Sluice has removed it. Restore the job from another checkpoint or a savepoint.',
    facts: { key },
  });
}
