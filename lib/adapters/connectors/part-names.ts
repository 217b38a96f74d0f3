/**
 * Names of staged and published parts. A staged name begins with a dot: not yet committed, for every reader that knows the convention of the shell.
 *
 * P1. A uid cannot lead out of the folder or make two parts share a name: what is not a letter, digit, `.`, `_` or `-` is escaped.
 */
import { createHash } from 'node:crypto';
import type { Attempt, CheckpointId, JobId } from '../../base/ids.ts';
import type { SinkPart } from '../../model/shard-record.ts';
import type { PartName } from '../../ports/connectors.ts';

const uidCharactersMax = 80;

export function locatePart(name: PartName, extension: string): Pick<SinkPart, 'staged' | 'target'> {
  const { job, attempt, operator, checkpoint, shard, number } = name;
  const place = `${safe(operator)}-${String(checkpoint).padStart(6, '0')}-${shard}-${number}`;
  return { staged: `.${safe(job)}-${attempt}-${place}.staged`, target: `${safe(job.slice(0, 8))}-${place}.${extension}` };
}

export interface StagedName {
  readonly attempt: Attempt;
  readonly checkpoint: CheckpointId;
}

/** What the names of all staged parts of a job begin with. */
export function stagedPrefix(job: JobId): string {
  return `.${safe(job)}-`;
}

/** What a file name says, where it is one of this job's staged parts, whole or still being written. */
export function parseStaged(fileName: string, job: JobId): StagedName | undefined {
  const prefix = stagedPrefix(job);
  if (!fileName.startsWith(prefix)) return undefined;
  const match = /^(\d+)-.*-(\d+)-\d+-\d+\.staged(\.[0-9a-f]+)?$/.exec(fileName.slice(prefix.length));
  return match === null ? undefined : { attempt: Number(match[1]), checkpoint: Number(match[2]) };
}

/** False for whatever could name another folder: parts come from records and savepoints. */
export function isPlainFileName(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && !/[/\\\0]/.test(text);
}

function safe(text: string): string {
  const escaped = text.replace(/[^A-Za-z0-9._-]/gu, (character) => `%${Buffer.from(character, 'utf8').toString('hex')}`);
  if (escaped.length <= uidCharactersMax) return escaped;
  return `${escaped.slice(0, uidCharactersMax - 17)}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}
