import type { Attempt, CheckpointId, JobId, OperatorUid } from '../../base/ids.ts';
import type { ShardSnapshot } from '../../model/shard-record.ts';
import type { AcknowledgementStore } from '../../ports/records.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

type AcknowledgementMutation = MutationOf<'acknowledgement-put' | 'acknowledgements-remove'>;

export class MemoryAcknowledgements implements AcknowledgementStore {
  readonly #context: StoreContext;
  /** By checkpoint, then by shard. */
  readonly #pending = new Map<string, Map<string, ShardSnapshot>>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async put(snapshot: ShardSnapshot): Promise<'accepted' | 'duplicate'> {
    if (this.#of(snapshot.job, snapshot.attempt, snapshot.checkpoint)?.has(subtaskId(snapshot)) === true) return 'duplicate';
    this.#change({ kind: 'acknowledgement-put', snapshot });
    return 'accepted';
  }

  async list(job: JobId, attempt: Attempt, checkpoint: CheckpointId): Promise<readonly ShardSnapshot[]> {
    return [...(this.#of(job, attempt, checkpoint)?.values() ?? [])];
  }

  async present(
    job: JobId,
    attempt: Attempt,
    checkpoint: CheckpointId,
  ): Promise<readonly { readonly uid: OperatorUid; readonly shard: number }[]> {
    return (await this.list(job, attempt, checkpoint)).map(({ uid, shard }) => ({ uid, shard }));
  }

  async remove(job: JobId, attempt: Attempt, checkpoint: CheckpointId): Promise<void> {
    if (this.#of(job, attempt, checkpoint) !== undefined) this.#change({ kind: 'acknowledgements-remove', job, attempt, checkpoint });
  }

  apply(mutation: AcknowledgementMutation): void {
    if (mutation.kind === 'acknowledgements-remove') {
      this.#pending.delete(checkpointId(mutation.job, mutation.attempt, mutation.checkpoint));
      return;
    }
    const { snapshot } = mutation;
    const id = checkpointId(snapshot.job, snapshot.attempt, snapshot.checkpoint);
    let present = this.#pending.get(id);
    if (present === undefined) this.#pending.set(id, (present = new Map<string, ShardSnapshot>()));
    present.set(subtaskId(snapshot), this.#context.protect(snapshot));
  }

  *snapshot(): Iterable<AcknowledgementMutation> {
    for (const present of this.#pending.values()) for (const snapshot of present.values()) yield { kind: 'acknowledgement-put', snapshot };
  }

  #change(mutation: AcknowledgementMutation): void {
    this.apply(mutation);
    this.#context.journal.append(mutation);
  }

  #of(job: JobId, attempt: Attempt, checkpoint: CheckpointId): ReadonlyMap<string, ShardSnapshot> | undefined {
    return this.#pending.get(checkpointId(job, attempt, checkpoint));
  }
}

function checkpointId(job: JobId, attempt: Attempt, checkpoint: CheckpointId): string {
  return `${job}/${attempt}/${checkpoint}`;
}

function subtaskId({ uid, shard }: ShardSnapshot): string {
  return `${shard}/${uid}`;
}
