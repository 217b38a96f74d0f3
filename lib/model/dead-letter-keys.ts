/** Where a job's dead letters stand: no business of the collector's. */
import type { JobId } from '../base/ids.ts';
import { jobPrefix } from './object-keys.ts';

export function deadLettersPrefix(job: JobId, folder: 'staged' | 'published'): string {
  return `${jobPrefix(job)}dead-letters/${folder}/`;
}
