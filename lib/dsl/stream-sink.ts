import { OperatorSettings } from './operator-settings.ts';
import type { NodeDraft } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';

/** The end of a stream. */
export class StreamSink {
  readonly #settings: OperatorSettings;

  constructor(pipeline: Pipeline, node: NodeDraft) {
    this.#settings = new OperatorSettings(pipeline, node);
  }

  /** Names the sink for all versions of the job. Mandatory for a sink that commits or has state. */
  uid(uid: string): this {
    this.#settings.uid(uid);
    return this;
  }

  name(name: string): this {
    this.#settings.name(name);
    return this;
  }

  setParallelism(parallelism: number): this {
    this.#settings.setParallelism(parallelism);
    return this;
  }

  disableChaining(): this {
    this.#settings.setChaining('never');
    return this;
  }
}
