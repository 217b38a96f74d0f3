import type { Attempt, CheckpointId, JobId, OperatorUid } from '../../base/ids.ts';
import type { ShardSnapshot } from '../../model/shard-record.ts';
import type { AcknowledgementStore } from '../../ports/records.ts';
import { recordKeys } from './item-keys.ts';
import { isNew, number, recordItem, recordOf } from './stored-record.ts';
import type { Table } from './table.ts';

/** One that comes when its checkpoint is over is removed by nobody; no checkpoint waits for so long. */
const keptSeconds = 30 * 86_400;

export class DynamoDbAcknowledgements implements AcknowledgementStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async put(snapshot: ShardSnapshot): Promise<'accepted' | 'duplicate'> {
    const { job, attempt, checkpoint, uid, shard } = snapshot;
    const key = { pk: recordKeys.acknowledgements(job, attempt, checkpoint), sk: recordKeys.subtask(uid, shard) };
    const expiresAt = Math.ceil(this.#table.clock.now() / 1_000) + keptSeconds;
    // Who it was, for those who do not read the rest.
    const beside = { u: { S: uid }, n: number(shard), expiresAt: number(expiresAt) };
    const item = recordItem(key, snapshot, { job, operator: uid, shard }, beside);
    const { outcome } = await this.#table.compareAndPut(item, isNew);
    return outcome === 'stored' ? 'accepted' : 'duplicate';
  }

  async list(job: JobId, attempt: Attempt, checkpoint: CheckpointId): Promise<readonly ShardSnapshot[]> {
    const items = await this.#table.all({ pk: recordKeys.acknowledgements(job, attempt, checkpoint) });
    return items.map((item) => recordOf<ShardSnapshot>(item));
  }

  async present(
    job: JobId,
    attempt: Attempt,
    checkpoint: CheckpointId,
  ): Promise<readonly { readonly uid: OperatorUid; readonly shard: number }[]> {
    const items = await this.#table.all({ pk: recordKeys.acknowledgements(job, attempt, checkpoint) }, 'u, n');
    return items.map((item) => ({ uid: item['u']!.S as OperatorUid, shard: Number(item['n']!.N) }));
  }

  async remove(job: JobId, attempt: Attempt, checkpoint: CheckpointId): Promise<void> {
    await this.#table.removeAll({ pk: recordKeys.acknowledgements(job, attempt, checkpoint) });
  }
}
