/** The module of the user's job stands here in a bundle (infra/bundle-worker.ts); outside of one there is none. */
import type { Job } from '../lib/dsl/define-job.ts';

export const job: Job | undefined = undefined;
