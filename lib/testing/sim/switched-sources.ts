/** Which jobs' event sources are turned off. */
import type { JobId } from '../../base/ids.ts';
import type { EventSources } from '../../ports/event-sources.ts';

export class SwitchedSources implements EventSources {
  readonly #off = new Set<JobId>();

  async turn(job: JobId, to: 'on' | 'off'): Promise<void> {
    if (to === 'off') this.#off.add(job);
    else this.#off.delete(job);
  }

  isOn(job: JobId): boolean {
    return !this.#off.has(job);
  }
}
