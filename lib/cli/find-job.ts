import { SluiceError } from '../base/errors.ts';
import { isJobId } from '../base/ids.ts';
import type { ApiClient, ListedJob } from './api-client.ts';

/**
 * A job by its id, by the beginning of its id, or by its name; of several of one name the one that has not ended.
 *
 * @throws SluiceError `SLUICE-JOB-UNKNOWN` or `SLUICE-JOB-AMBIGUOUS`
 */
export async function findJob(client: ApiClient, text: string): Promise<string> {
  if (isJobId(text.toLowerCase())) return text.toLowerCase();
  const { jobs } = await client.get<{ readonly jobs: readonly ListedJob[] }>('/jobs/overview');
  const named = jobs.filter(({ name, jid }) => name === text || (text.length >= 4 && jid.startsWith(text.toLowerCase())));
  const live = named.filter((job) => job['end-time'] === -1);
  const candidates = live.length > 0 ? live : named;
  if (candidates.length === 1) return candidates[0]!.jid;
  const known = jobs.map(({ name, jid, state }) => `${name} (${jid}, ${state})`).join(', ');
  if (candidates.length === 0) {
    throw new SluiceError('SLUICE-JOB-UNKNOWN', `there is no job ${text}`, {
      hint: known === '' ? 'The server runs no job.' : `Name one of ${known}.`,
      facts: { text },
    });
  }
  throw new SluiceError('SLUICE-JOB-AMBIGUOUS', `${text} names ${candidates.length} jobs`, {
    hint: `Use the id: ${candidates.map(({ jid }) => jid).join(', ')}.`,
    facts: { text, jobs: candidates.map(({ jid }) => jid) },
  });
}
