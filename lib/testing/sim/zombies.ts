/**
 * Who stands still while another takes over its work, and then goes on as if nothing had been.
 *
 * Z1. Overtaken is whoever stood still while another container called something for the same piece of work: a message, a step of a flow, a request.
 */
import type { Container } from './container.ts';

export class Zombies {
  /** Those who stand still, by what they have in hand. */
  readonly #standing = new Map<string, Set<Standing>>();

  stand(container: Container): Standing {
    const standing = new Standing(container, () => {
      for (const work of container.inHand) this.#standing.get(work)?.delete(standing);
    });
    for (const work of container.inHand) {
      const others = this.#standing.get(work) ?? new Set();
      this.#standing.set(work, others.add(standing));
    }
    return standing;
  }

  called(container: Container): void {
    if (this.#standing.size === 0) return;
    for (const work of container.inHand)
      for (const standing of this.#standing.get(work) ?? []) if (standing.container !== container) standing.overtake();
  }
}

export class Standing {
  readonly container: Container;
  readonly overtaken: Promise<void>;
  isOvertaken = false;
  readonly #tell: () => void;
  readonly #leave: () => void;

  constructor(container: Container, leave: () => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.container = container;
    this.overtaken = promise;
    this.#tell = resolve;
    this.#leave = leave;
  }

  overtake(): void {
    this.isOvertaken = true;
    this.#tell();
  }

  goOn(): void {
    this.#leave();
  }
}
