/**
 * The graph while the build function describes it.
 *
 * Owns: operators as they are added, and what is wrong with how they were described (collected, never thrown, so that all is reported at once).
 * Does not own: the shape of the whole graph, which the planner judges, nor the classes that users hold (they come in through `streamOf`).
 */
import type { GraphProblem, GraphProblemCode } from '../graph/graph-problem.ts';
import type { BufferSettings } from '../graph/stream-graph.ts';
import type { JobCheckpointing } from '../model/checkpoint-options.ts';
import type { DataStream } from './data-stream.ts';
import type { NodeDraft, NodeFacts } from './node-draft.ts';

export class Pipeline {
  readonly nodes: NodeDraft[] = [];
  buffers: BufferSettings = {};
  checkpointing: JobCheckpointing = {};
  readonly problems: (Omit<GraphProblem, 'where'> & { readonly node: NodeDraft | string })[] = [];
  readonly #streamOf: (pipeline: Pipeline, node: NodeDraft) => DataStream<unknown>;

  constructor(streamOf: (pipeline: Pipeline, node: NodeDraft) => DataStream<unknown>) {
    this.#streamOf = streamOf;
  }

  add(facts: NodeFacts): NodeDraft {
    const node: NodeDraft = {
      facts,
      pipeline: this,
      uid: undefined,
      name: facts.name ?? facts.kind,
      parallelism: undefined,
      maxParallelism: undefined,
      chaining: 'always',
      buffers: {},
      onError: 'fail',
    };
    this.nodes.push(node);
    const foreign = facts.inputs.some(({ endpoints }) => endpoints.some((endpoint) => endpoint.node.pipeline !== this));
    if (foreign)
      this.report(node, 'foreign-stream', 'it reads a stream of another job', 'Use only streams that came from the env of this build.');
    return node;
  }

  /** Adds an operator and hands out the stream of its main output. */
  stream<T>(facts: NodeFacts): DataStream<T> {
    return this.#streamOf(this, this.add(facts)) as DataStream<T>;
  }

  report(node: NodeDraft | string, code: GraphProblemCode, message: string, hint: string): void {
    this.problems.push({ node, code, message, hint });
  }
}
