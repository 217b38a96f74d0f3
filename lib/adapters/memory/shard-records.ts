import type { Attempt } from '../../base/ids.ts';
import { invariant } from '../../base/invariant.ts';
import type { ShardAddress, ShardRecord } from '../../model/shard-record.ts';
import type { CommitOutcome, ShardRecordStore } from '../../ports/records.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

export class MemoryShardRecords implements ShardRecordStore {
  readonly #context: StoreContext;
  readonly #records = new Map<string, ShardRecord>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async read(address: ShardAddress): Promise<ShardRecord | undefined> {
    return this.#records.get(shardId(address));
  }

  async commit(record: ShardRecord, expected: { readonly version: number; readonly attempt: Attempt }): Promise<CommitOutcome> {
    invariant(record.version === expected.version + 1, 'shard-record', 'a commit is one version above what it replaces', {
      shard: shardId(record),
      version: record.version,
      expectedVersion: expected.version,
    });
    const existing = this.#records.get(shardId(record));
    const asExpected =
      existing === undefined ? expected.version === 0 : existing.version === expected.version && existing.attempt === expected.attempt;
    if (!asExpected) return { outcome: 'conflict', existing };
    const mutation = { kind: 'shard-put', record } as const;
    this.apply(mutation);
    this.#context.journal.append(mutation);
    await this.#context.journal.committed();
    return { outcome: 'committed' };
  }

  apply(mutation: MutationOf<'shard-put'>): void {
    this.#records.set(shardId(mutation.record), this.#context.protect(mutation.record));
  }

  *snapshot(): Iterable<MutationOf<'shard-put'>> {
    for (const record of this.#records.values()) yield { kind: 'shard-put', record };
  }
}

function shardId({ job, uid, shard }: ShardAddress): string {
  return `${job}/${shard}/${uid}`;
}
