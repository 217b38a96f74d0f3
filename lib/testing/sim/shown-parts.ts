import type { CollectSink } from '../../adapters/connectors/collect-sink.ts';
import type { Attempt, CheckpointId } from '../../base/ids.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';
import { partOf } from './part-of.ts';

/** What sinks have made visible, without what was shown above a checkpoint that a person went back to: whoever does that removes it. */
export class ShownParts {
  readonly sink: SinkCommitter;
  readonly #collect: CollectSink;
  readonly #origins = new Map<string, { readonly attempt: Attempt; readonly checkpoint: CheckpointId }>();
  #forgotten = new Set<string>();

  constructor(collect: CollectSink) {
    this.#collect = collect;
    this.sink = {
      ...collect,
      publish: (spec, part, by) => {
        // A savepoint's part is published with another number, under the name that it always had.
        if (!this.#origins.has(part.target))
          this.#origins.set(part.target, { attempt: attemptOf(part.staged), checkpoint: partOf(part.target).checkpoint });
        return collect.publish(spec, part, by);
      },
    };
  }

  published(name: string): readonly unknown[] {
    return [...this.#collect.publishedParts(name)].filter(([target]) => !this.#forgotten.has(target)).flatMap(([, records]) => records);
  }

  /** As it is now. */
  get forgotten(): ReadonlySet<string> {
    return new Set(this.#forgotten);
  }

  /** `known`: what was forgotten already where the job goes back to. */
  forget(above: CheckpointId, before: Attempt, known: ReadonlySet<string> = this.#forgotten): void {
    this.#forgotten = new Set(known);
    for (const [target, { checkpoint, attempt }] of this.#origins) if (checkpoint > above && attempt < before) this.#forgotten.add(target);
  }
}

/** `.<job>-<attempt>-…`, where the job may be the namespace of an import (part-names.ts). */
function attemptOf(staged: string): Attempt {
  return Number(/^\.[^-]+-(\d+)-/.exec(staged)?.[1] ?? 0);
}
