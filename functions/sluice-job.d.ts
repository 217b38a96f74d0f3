/** The user's job: the bundler puts its module here (infra/bundle-worker.ts). */
declare module 'sluice-job' {
  import type { Job } from '../lib/dsl/define-job.ts';

  export const job: Job | undefined;
  const byDefault: Job | undefined;
  export default byDefault;
}
