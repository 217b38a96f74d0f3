import type { Chaining } from '../graph/stream-graph.ts';
import type { ErrorPolicy } from '../model/dead-letter.ts';
import type { NodeDraft } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';

/** The settings of one operator, as the fluent methods of streams and sinks change them. */
export class OperatorSettings {
  readonly #pipeline: Pipeline;
  readonly #node: NodeDraft | undefined;

  constructor(pipeline: Pipeline, node: NodeDraft | undefined) {
    this.#pipeline = pipeline;
    this.#node = node;
  }

  /** The operator that `method` means; reported where the stream belongs to none. */
  owner(method: string): NodeDraft | undefined {
    if (this.#node === undefined) {
      this.#pipeline.report(
        'a united, rebalanced or side stream',
        'uid-misplaced',
        `${method} is called on it, and it is not an operator`,
        `Call ${method} on the operator itself.`,
      );
    }
    return this.#node;
  }

  uid(uid: string): void {
    const node = this.owner('uid');
    if (node === undefined) return;
    if (node.uid !== undefined && node.uid !== uid) {
      this.#pipeline.report(node, 'uid-duplicate', `it is given a second uid, ${uid}`, 'Call uid once per operator.');
      return;
    }
    node.uid = uid;
  }

  name(name: string): void {
    const node = this.owner('name');
    if (node !== undefined) node.name = name;
  }

  setParallelism(parallelism: number): void {
    const node = this.owner('setParallelism');
    if (node !== undefined) node.parallelism = parallelism;
  }

  setMaxParallelism(maxParallelism: number): void {
    const node = this.owner('setMaxParallelism');
    if (node !== undefined) node.maxParallelism = maxParallelism;
  }

  setBufferTimeout(timeoutMs: number): void {
    const node = this.owner('setBufferTimeout');
    if (node !== undefined) node.buffers = { ...node.buffers, timeoutMs };
  }

  setBufferSize(bytes: number): void {
    const node = this.owner('setBufferSize');
    if (node !== undefined) node.buffers = { ...node.buffers, bytes };
  }

  onError(policy: ErrorPolicy): void {
    const node = this.owner('onError');
    if (node !== undefined) node.onError = policy;
  }

  setChaining(chaining: Chaining): void {
    const node = this.owner(chaining === 'never' ? 'disableChaining' : 'startNewChain');
    if (node !== undefined) node.chaining = chaining;
  }
}
