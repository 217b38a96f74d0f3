import type { CollectSink } from '../../adapters/connectors/collect-sink.ts';
import type { Attempt, CheckpointId } from '../../base/ids.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';

/** What sinks have made visible, without what was shown above a checkpoint that a person went back to: whoever does that removes it. */
export class ShownParts {
  readonly sink: SinkCommitter;
  readonly #collect: CollectSink;
  readonly #origins = new Map<string, { readonly attempt: Attempt; readonly checkpoint: CheckpointId }>();
  readonly #forgotten = new Set<string>();

  constructor(collect: CollectSink) {
    this.#collect = collect;
    this.sink = {
      ...collect,
      publish: (spec, part) => {
        this.#origins.set(part.target, { attempt: attemptOf(part.staged), checkpoint: part.checkpoint });
        return collect.publish(spec, part);
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

  forget(above: CheckpointId, before: Attempt): void {
    for (const [target, { checkpoint, attempt }] of this.#origins) if (checkpoint > above && attempt < before) this.#forgotten.add(target);
  }
}

/** `.<job>-<attempt>-…` (part-names.ts). */
function attemptOf(staged: string): Attempt {
  return Number(/^\.[^-]+-(\d+)-/.exec(staged)?.[1] ?? 0);
}
