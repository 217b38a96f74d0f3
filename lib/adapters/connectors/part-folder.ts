/**
 * Parts in one folder: written, made visible, taken away.
 *
 * Owns: which steps on the file system, and in which order.
 * Does not own: what a part holds, and its names.
 *
 * FO1. A staged part is whole and durable, or it is not there: it is written under another name, synced, linked, and the folder synced.
 * FO2. No name ever changes what it holds: names are made by linking, which fails where one is taken. (A rename over a staged part that is being published
 *      at that moment makes it vanish for the publisher.) The published name is durable before the staged one goes.
 * FO3. Every step may be done twice, and the process may end between any two: whoever begins again ends where one try would have.
 * FO4. What a process left half written is removed when the next one first works for the same job in the same folder. One process at a time writes for a job.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errorCode, errorMessage } from '../../base/errors.ts';
import type { JobId } from '../../base/ids.ts';
import { isPermanentError } from '../fs/permanent-error.ts';
import type { FileSteps } from './file-steps.ts';
import { partConflict, partMissing } from './part-errors.ts';
import { parseStaged } from './part-names.ts';
import type { PartPlace, PartStore } from './part-store.ts';

export class PartFolder implements PartStore {
  readonly path: string;
  readonly #steps: FileSteps;
  /** Being written by this process. */
  readonly #active = new Set<string>();
  readonly #prepared = new Map<JobId, Promise<void>>();

  constructor(path: string, steps: FileSteps) {
    this.path = path;
    this.#steps = steps;
  }

  async stage(job: JobId, place: PartPlace, pieces: Iterable<Uint8Array>): Promise<number> {
    await this.#prepare(job);
    const steps = this.#steps;
    const staged = this.#file(place.staged);
    const target = this.#file(place.target);
    const known = (await steps.look(target)) ?? (await steps.look(staged));
    const bytes = known?.bytes ?? (await this.#write(place.staged, pieces));
    // Also where it was there: whoever staged it may have ended before this.
    await steps.syncFolder(this.path);
    // Published since the look: nobody would publish this one any more.
    if (known === undefined && (await steps.look(target)) !== undefined) await steps.remove(staged);
    return bytes;
  }

  async publish(place: PartPlace): Promise<'published' | 'already'> {
    const steps = this.#steps;
    const staged = this.#file(place.staged);
    const target = this.#file(place.target);
    const outcome = await steps.link(staged, target);
    if (outcome === 'missing') {
      if ((await steps.look(target)) !== undefined) return 'already';
      throw partMissing(this.path, place);
    }
    if (outcome === 'exists' && !(await this.#isSame(staged, target))) throw partConflict(this.path, place);
    await steps.syncFolder(this.path);
    await steps.remove(staged);
    return outcome === 'linked' ? 'published' : 'already';
  }

  /** Staged parts of the job whose checkpoint is between, and what is left of half-written ones; returns how many parts. */
  async discard(job: JobId, above: number, below: number): Promise<number> {
    const names = (await this.#steps.list(this.path)).filter((name) => {
      const found = parseStaged(name, job);
      return found !== undefined && found.checkpoint > above && found.checkpoint < below;
    });
    for (const name of names) await this.#steps.remove(this.#file(name));
    if (names.length > 0) await this.#steps.syncFolder(this.path);
    return names.filter((name) => name.endsWith('.staged')).length;
  }

  async read(place: PartPlace): Promise<Uint8Array | undefined> {
    // Staged first: publishing makes the target before it takes the staged name away.
    return (await this.#steps.read(this.#file(place.staged))) ?? (await this.#steps.read(this.#file(place.target)));
  }

  explain(error: unknown): ReturnType<PartStore['explain']> {
    const hint = 'Look at the folder: is it one, may the program write there, is there room left?';
    return { text: errorMessage(error), hint, code: errorCode(error), isPermanent: isPermanentError(error) };
  }

  async #write(stagedName: string, pieces: Iterable<Uint8Array>): Promise<number> {
    const name = `${stagedName}.${randomBytes(6).toString('hex')}`;
    this.#active.add(name);
    try {
      const bytes = await this.#steps.write(this.#file(name), pieces);
      // Where another try was faster, its part is the same.
      const outcome = await this.#steps.link(this.#file(name), this.#file(stagedName));
      if (outcome === 'missing') throw new Error(`${name} vanished while it was staged`);
      await this.#steps.remove(this.#file(name));
      return bytes;
    } catch (error) {
      await this.#steps.remove(this.#file(name)).catch(() => undefined);
      // The folder may be gone: the next try makes it again.
      this.#prepared.clear();
      throw error;
    } finally {
      this.#active.delete(name);
    }
  }

  #prepare(job: JobId): Promise<void> {
    const known = this.#prepared.get(job);
    if (known !== undefined) return known;
    const preparing = this.#makeReady(job);
    this.#prepared.set(job, preparing);
    preparing.catch(() => {
      if (this.#prepared.get(job) === preparing) this.#prepared.delete(job);
    });
    return preparing;
  }

  async #makeReady(job: JobId): Promise<void> {
    await this.#steps.makeFolder(this.path);
    for (const name of await this.#steps.list(this.path)) {
      const isHalf = parseStaged(name, job) !== undefined && !name.endsWith('.staged') && !this.#active.has(name);
      if (isHalf) await this.#steps.remove(this.#file(name));
    }
  }

  async #isSame(staged: string, target: string): Promise<boolean> {
    const [left, right] = [await this.#steps.look(staged), await this.#steps.look(target)];
    // Gone meanwhile: another publisher of the same part was faster.
    if (left === undefined || left.id === right?.id) return true;
    if (left.bytes !== right?.bytes) return false;
    const [before, after] = [await this.#steps.read(staged), await this.#steps.read(target)];
    return before === undefined || (after !== undefined && Buffer.compare(before, after) === 0);
  }

  #file(name: string): string {
    return join(this.path, name);
  }
}
