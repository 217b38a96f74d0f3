import type { JobId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import type { HistoryEntry, JobHistory } from '../../ports/job-history.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

type Kind = HistoryEntry['kind'];

/** Bounded as it is applied, so that a replay of the journal ends with the same entries. */
export class MemoryJobHistory implements JobHistory {
  readonly #context: StoreContext;
  /** By job and kind, so that checkpoints never push out what is rare. */
  readonly #jobs = new Map<JobId, Map<Kind, Map<number, HistoryEntry>>>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async append(job: JobId, entry: HistoryEntry): Promise<void> {
    if (this.#jobs.get(job)?.get(entry.kind)?.has(entry.id) === true) return;
    const mutation = { kind: 'history-put', job, entry } as const;
    this.apply(mutation);
    this.#context.journal.append(mutation);
  }

  async read(job: JobId): Promise<readonly HistoryEntry[]> {
    return [...(this.#jobs.get(job)?.values() ?? [])].flatMap((entries) => [...entries.values()]);
  }

  apply({ job, entry }: MutationOf<'history-put'>): void {
    const kinds = this.#jobs.get(job) ?? new Map<Kind, Map<number, HistoryEntry>>();
    this.#jobs.set(job, kinds);
    const entries = kinds.get(entry.kind) ?? new Map<number, HistoryEntry>();
    kinds.set(entry.kind, entries);
    entries.set(entry.id, this.#context.protect(entry));
    if (entries.size > limits.historyEntriesMax) entries.delete(entries.keys().next().value!);
  }

  *snapshot(): Iterable<MutationOf<'history-put'>> {
    for (const [job, kinds] of this.#jobs) {
      for (const entries of kinds.values()) for (const entry of entries.values()) yield { kind: 'history-put', job, entry };
    }
  }
}
