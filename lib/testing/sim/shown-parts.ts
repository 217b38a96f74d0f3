import type { CollectSink } from '../../adapters/connectors/collect-sink.ts';
import type { Attempt, CheckpointId, JobId } from '../../base/ids.ts';
import type { SinkPart } from '../../model/shard-record.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';
import { partOf } from './part-of.ts';

/** What sinks have made visible, without what was shown above a checkpoint that a person went back to: whoever does that removes it. */
export class ShownParts {
  readonly sink: SinkCommitter;
  readonly #collect: CollectSink;
  readonly #origins = new Map<string, { readonly attempt: Attempt; readonly checkpoint: CheckpointId }>();
  readonly #newest = new Map<string, { readonly checkpoint: CheckpointId; readonly number: number }>();
  readonly #disorder: string[] = [];
  #forgotten = new Set<string>();

  constructor(collect: CollectSink) {
    this.#collect = collect;
    this.sink = {
      ...collect,
      publish: async (spec, part, by) => {
        // A savepoint's part is published with another number, under the name that it always had.
        if (!this.#origins.has(part.target))
          this.#origins.set(part.target, { attempt: attemptOf(part.staged), checkpoint: partOf(part.target).checkpoint });
        const outcome = await collect.publish(spec, part, by);
        if (outcome === 'published') this.#noteOrder(by.job, part);
        return outcome;
      },
    };
  }

  /** PU3: what has become visible behind what is newer, of one shard of an operator. */
  get disorder(): readonly string[] {
    return this.#disorder;
  }

  #noteOrder(job: JobId, { operator, shard, checkpoint, number, target }: SinkPart): void {
    const place = `${job} ${operator}[${shard}]`;
    const newest = this.#newest.get(place);
    const isOlder =
      newest !== undefined && (checkpoint < newest.checkpoint || (checkpoint === newest.checkpoint && number < newest.number));
    if (isOlder) this.#disorder.push(`${target} became visible behind a newer part of ${place}`);
    else this.#newest.set(place, { checkpoint, number });
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
