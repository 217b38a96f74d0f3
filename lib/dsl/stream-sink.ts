import type { ErrorPolicy } from '../model/dead-letter.ts';
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

  /**
   * What happens with a record that the operator's code throws at. `fail` (default): its batch is tried again, by the restart strategy.
   * `dead-letter`: it is stored with the reason, nothing of it stays in state or output, and the job goes on; `sluice dead-letters` shows it. The operator
   * then begins a chain of its own.
   */
  onError(policy: ErrorPolicy): this {
    this.#settings.onError(policy);
    return this;
  }

  disableChaining(): this {
    this.#settings.setChaining('never');
    return this;
  }
}
