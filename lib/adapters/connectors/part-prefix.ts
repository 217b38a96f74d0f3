/**
 * Parts below one prefix on S3: staged, made visible, taken away.
 *
 * Owns: which requests, in which order.
 * Does not own: what a part holds, and its names.
 *
 * PP1. Staged parts are below `.staged/`: readers of the prefix pass it over (a folder whose name begins with a dot), and so does a listing by slashes.
 * PP2. No key ever changes what it holds: staged and published objects are made by If-None-Match only.
 * PP3. "Exists" is ours where it carries the digest of our content (an answer was lost, or another publisher was faster), and is looked at where it carries
 *      none. The published object is there before the staged one goes.
 * PP4. Every request may be made twice, and the process may end between any two: whoever begins again ends where one try would have.
 */
import { createHash } from 'node:crypto';
import type { CheckpointId, JobId } from '../../base/ids.ts';
import { partConflict, partMissing } from './part-errors.ts';
import { parseStaged, stagedPrefix } from './part-names.ts';
import type { PartPlace, PartStore } from './part-store.ts';
import type { S3Connection } from './s3-connection.ts';
import { s3ErrorText, s3Hint, s3Problem } from './s3-errors.ts';
import type { S3Facts, S3Requests } from './s3-requests.ts';
import { s3Place, s3Text } from '../../model/s3-uri.ts';

const digestName = 'sluice-sha256';
const stagedFolder = '.staged/';

export class PartPrefix implements PartStore {
  readonly path: string;
  readonly #bucket: string;
  /** Empty, or with a slash at its end. */
  readonly #prefix: string;
  readonly #connection: S3Connection;

  constructor(uri: string, connection: S3Connection) {
    const { bucket, key } = s3Place(uri);
    this.#bucket = bucket;
    this.#prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
    this.path = s3Text({ bucket, key: this.#prefix });
    this.#connection = connection;
  }

  async stage(_job: JobId, place: PartPlace, pieces: Iterable<Uint8Array>): Promise<number> {
    const content = Buffer.concat([...pieces]);
    const requests = await this.#connection();
    await requests.create(this.#at(this.#staged(place)), content, { [digestName]: createHash('sha256').update(content).digest('hex') });
    // Published, now or long ago: nobody would publish this one any more. Looked at last, because a publisher may be at work at this moment.
    if ((await requests.head(this.#at(this.#target(place)))) !== undefined) await requests.remove(this.#bucket, [this.#staged(place)]);
    return content.length;
  }

  async publish(place: PartPlace): Promise<'published' | 'already'> {
    const requests = await this.#connection();
    const outcome = await requests.copyIfAbsent(this.#bucket, this.#staged(place), this.#target(place));
    if (outcome === 'missing') {
      if ((await requests.head(this.#at(this.#target(place)))) !== undefined) return 'already';
      throw partMissing(this.path, place);
    }
    if (outcome === 'exists' && !(await this.#isSame(requests, place))) throw partConflict(this.path, place);
    await requests.remove(this.#bucket, [this.#staged(place)]);
    return outcome === 'copied' ? 'published' : 'already';
  }

  async discard(job: JobId, above: CheckpointId, below: CheckpointId): Promise<number> {
    const requests = await this.#connection();
    const folder = this.#prefix + stagedFolder;
    const { keys } = await requests.list(this.#at(folder + stagedPrefix(job)), false);
    const given = keys.filter((key) => {
      const found = parseStaged(key.slice(folder.length), job);
      return found !== undefined && found.checkpoint > above && found.checkpoint < below;
    });
    await requests.remove(this.#bucket, given);
    return given.length;
  }

  async read(place: PartPlace): Promise<Uint8Array | undefined> {
    const requests = await this.#connection();
    // Staged first: publishing makes the target before it takes the staged one away.
    return (await this.#content(requests, this.#staged(place))) ?? this.#content(requests, this.#target(place));
  }

  explain(error: unknown): ReturnType<PartStore['explain']> {
    const { status, name, isPermanent } = s3Problem(error);
    const hint = s3Hint(status, 's3:PutObject, s3:GetObject and s3:DeleteObject on the objects, and s3:ListBucket on the bucket');
    return { text: s3ErrorText(error), hint, code: name, isPermanent };
  }

  async #isSame(requests: S3Requests, place: PartPlace): Promise<boolean> {
    const staged = await requests.head(this.#at(this.#staged(place)));
    // Gone meanwhile: another publisher of the same part was faster.
    if (staged === undefined) return true;
    const target = await requests.head(this.#at(this.#target(place)));
    if (target?.bytes !== staged.bytes) return false;
    const [ours, theirs] = [digestOf(staged), digestOf(target)];
    if (ours !== undefined && theirs !== undefined) return ours === theirs;
    const [before, after] = [await this.#content(requests, this.#staged(place)), await this.#content(requests, this.#target(place))];
    return before === undefined || (after !== undefined && before.equals(after));
  }

  async #content(requests: S3Requests, key: string): Promise<Buffer | undefined> {
    try {
      return (await requests.get(this.#at(key), undefined))?.content;
    } catch (error) {
      const { status, name } = s3Problem(error);
      if (status === 404 && name !== 'NoSuchBucket') return undefined;
      throw error;
    }
  }

  #staged({ staged }: PartPlace): string {
    return this.#prefix + stagedFolder + staged;
  }

  #target({ target }: PartPlace): string {
    return this.#prefix + target;
  }

  #at(key: string): { readonly bucket: string; readonly key: string } {
    return { bucket: this.#bucket, key };
  }
}

function digestOf({ metadata }: S3Facts): string | undefined {
  return metadata[digestName];
}
