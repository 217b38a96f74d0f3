/** Stores whose job records tell when they change, so that nobody has to poll for the end of a job. */
import type { LocalStores } from '../adapters/memory/memory-stores.ts';
import type { JobId } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { JobRecordStore } from '../ports/records.ts';

export interface JobChanges {
  /** Resolves with the first stored record of the job that satisfies the condition, the present one included. */
  until(job: JobId, condition: (record: JobRecord) => boolean): Promise<JobRecord>;
}

interface Waiter {
  readonly job: JobId;
  readonly condition: (record: JobRecord) => boolean;
  readonly resolve: (record: JobRecord) => void;
}

export function watchedJobs(stores: LocalStores): { readonly stores: LocalStores; readonly changes: JobChanges } {
  const { jobs } = stores;
  let waiters: readonly Waiter[] = [];
  const tell = (record: JobRecord): void => {
    const satisfied = waiters.filter(({ job, condition }) => job === record.job && condition(record));
    waiters = waiters.filter((waiter) => !satisfied.includes(waiter));
    for (const { resolve } of satisfied) resolve(record);
  };
  const watched: JobRecordStore = {
    read: (job) => jobs.read(job),
    list: () => jobs.list(),
    create: (record) => jobs.create(record),
    async replace(record, expectedVersion) {
      const outcome = await jobs.replace(record, expectedVersion);
      if (outcome === 'stored') tell(record);
      return outcome;
    },
  };
  const changes: JobChanges = {
    async until(job, condition) {
      const changed = new Promise<JobRecord>((resolve) => (waiters = [...waiters, { job, condition, resolve }]));
      const present = await jobs.read(job);
      return present !== undefined && condition(present) ? present : changed;
    },
  };
  return { stores: { ...stores, jobs: watched, durable: () => stores.durable(), close: () => stores.close() }, changes };
}
