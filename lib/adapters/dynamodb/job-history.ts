import type { JobId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import type { HistoryEntry, JobHistory } from '../../ports/job-history.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { recordKeys } from './item-keys.ts';
import { behindSeparator, keySeparator } from './key-text.ts';
import { isNew, recordItem, recordOf } from './stored-record.ts';
import type { Table } from './table.ts';

/** What is beyond the newest is not read, and removed by one of so many appends: a query of all for each would cost more than the entry. */
const appendsPerTrim = 100;

export class DynamoDbJobHistory implements JobHistory {
  readonly #table: Table;
  #appended = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  async append(job: JobId, entry: HistoryEntry): Promise<void> {
    const key = { pk: recordKeys.history(job), sk: recordKeys.historyEntry(entry.kind, entry.id) };
    await this.#table.write(recordItem(key, entry, { job }, { t: { S: this.#order() } }), isNew);
    if (this.#table.random.fraction() * appendsPerTrim < 1) await this.#trim(job, entry.kind);
  }

  async read(job: JobId): Promise<readonly HistoryEntry[]> {
    const kinds = new Map<string, Item[]>();
    for (const item of await this.#table.all({ pk: recordKeys.history(job) })) {
      const kind = item['sk']!.S!.split(keySeparator, 1)[0]!;
      kinds.set(kind, [...(kinds.get(kind) ?? []), item]);
    }
    return [...kinds.values()].flatMap((items) =>
      inOrder(items)
        .slice(-limits.historyEntriesMax)
        .map((item) => recordOf<HistoryEntry>(item)),
    );
  }

  async #trim(job: JobId, kind: HistoryEntry['kind']): Promise<void> {
    const range = { pk: recordKeys.history(job), from: kind + keySeparator, to: kind + behindSeparator };
    const beyond = inOrder(await this.#table.all(range, 'pk, sk, t')).slice(0, -limits.historyEntriesMax);
    await this.#table.remove(beyond.map((item) => ({ pk: item['pk']!.S!, sk: item['sk']!.S! })));
  }

  /** Time, then the order within this process. */
  #order(): string {
    return `${String(this.#table.clock.now()).padStart(16, '0')}-${String(this.#appended++).padStart(12, '0')}`;
  }
}

function inOrder(items: Item[]): Item[] {
  return items.sort((a, b) => (a['t']!.S! < b['t']!.S! ? -1 : 1));
}
