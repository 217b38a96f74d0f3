import type { CollectSink } from '../../adapters/connectors/collect-sink.ts';
import { parseStaged } from '../../adapters/connectors/part-names.ts';
import type { Attempt, CheckpointId } from '../../base/ids.ts';
import type { SinkCommitter } from '../../ports/connectors.ts';

interface Shown {
  readonly sink: string;
  readonly attempt: Attempt;
  readonly checkpoint: CheckpointId;
  readonly records: readonly unknown[];
}

/** What a sink has made visible, by the checkpoint that it came with: after a restore to an older one, what is above it has to go. */
export class ShownParts {
  readonly sink: SinkCommitter;
  #shown: readonly Shown[] = [];

  constructor(collect: CollectSink) {
    this.sink = {
      ...collect,
      publish: async (spec, part) => {
        const sink = String(spec.options['name']);
        const before = collect.published(sink).length;
        const outcome = await collect.publish(spec, part);
        const records = collect.published(sink).slice(before);
        if (outcome === 'published')
          this.#shown = [...this.#shown, { sink, attempt: attemptOf(part.staged), checkpoint: part.checkpoint, records }];
        return outcome;
      },
    };
  }

  visible(name: string): readonly unknown[] {
    return this.#shown.filter(({ sink }) => sink === name).flatMap(({ records }) => records);
  }

  forget(above: CheckpointId, before: Attempt): void {
    this.#shown = this.#shown.filter(({ checkpoint, attempt }) => checkpoint <= above || attempt >= before);
  }
}

function attemptOf(staged: string): Attempt {
  const job = /^\.(.*?)-/.exec(staged)?.[1] ?? '';
  return parseStaged(staged, job as Parameters<typeof parseStaged>[1])?.attempt ?? 0;
}
