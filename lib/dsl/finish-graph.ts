/** Turns what the build function described into the two things that go on: the graph as plain frozen data, and the user's functions by uid. */
import { operatorUid, type OperatorUid } from '../base/ids.ts';
import { murmur3 } from '../base/murmur3.ts';
import { deadLetterSink } from '../connectors/dead-letter-sink.ts';
import type { BufferSettings, GraphEdge, GraphNode, StreamGraph } from '../graph/stream-graph.ts';
import { deadLetterOutput } from '../model/dead-letter.ts';
import type { OperatorDefinition, OperatorRegistry } from '../operators/operator.ts';
import type { NodeDraft } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';

export interface FinishedGraph {
  readonly graph: StreamGraph;
  readonly registry: OperatorRegistry;
}

export function finishGraph(pipeline: Pipeline, name: string, parameters: Readonly<Record<string, string>>): FinishedGraph {
  for (const node of [...pipeline.nodes]) if (node.onError === 'dead-letter') addDeadLetterSink(pipeline, node);
  const ids = new Map(pipeline.nodes.map((node, id) => [node, id]));
  const uids = deriveUids(pipeline.nodes);
  const nodes = pipeline.nodes.map((node, id) => graphNode(node, id, uids.get(node)!));
  const graph: StreamGraph = {
    name,
    parameters,
    ...buffersOf(pipeline.buffers),
    nodes,
    edges: pipeline.nodes.flatMap((node) => edgesInto(node, ids)),
    problems: pipeline.problems.map(({ node, ...problem }) => ({ ...problem, where: typeof node === 'string' ? node : uids.get(node)! })),
  };
  const definitions = pipeline.nodes.map((node) => definitionOf(node, uids.get(node)!));
  return { graph: deepFreeze(graph), registry: new Map(definitions.map((definition) => [definition.uid, definition])) };
}

/** What the operator sets aside goes to a sink of its own, which is chained to it; it heads its chain, so that what it fails at is an element of its input. */
function addDeadLetterSink(pipeline: Pipeline, node: NodeDraft): void {
  if (node.uid === undefined) {
    pipeline.report(
      node,
      'uid-missing',
      'it sets records aside, and has no uid',
      "Add .uid('…') to it: its dead letters are kept by that name.",
    );
    return;
  }
  if (node.chaining === 'always') node.chaining = 'head';
  const { name, states, create, connector } = deadLetterSink(operatorUid(node.uid));
  const inputs = [{ endpoints: [{ node, output: deadLetterOutput, partitioner: 'forward' as const }] }];
  const sink = pipeline.add({
    kind: 'dead-letters',
    role: 'sink',
    name,
    states,
    create,
    inputs,
    ...(connector === undefined ? {} : { connector }),
  });
  sink.uid = `${node.uid}.dead-letters`;
}

/** An operator without a uid is named after the one before it: short, readable, and stable while the graph around it is. */
function deriveUids(nodes: readonly NodeDraft[]): Map<NodeDraft, OperatorUid> {
  const taken = new Set(nodes.map(({ uid }) => uid));
  const uids = new Map<NodeDraft, OperatorUid>();
  for (const node of nodes) {
    const before = node.facts.inputs[0]?.endpoints[0]?.node;
    const stem = before === undefined ? node.facts.kind : `${uids.get(before) ?? 'stream'}.${node.facts.kind}`;
    let uid = node.uid ?? shortened(stem);
    for (let number = 2; node.uid === undefined && taken.has(uid); number++) uid = `${shortened(stem)}-${number}`;
    taken.add(uid);
    uids.set(node, operatorUid(uid));
  }
  return uids;
}

function shortened(stem: string): string {
  return stem.length <= 80 ? stem : `${stem.slice(0, 60)}~`.replace('~', `-${murmur3(stem).toString(16)}`);
}

function graphNode(
  { uid: given, name, parallelism, maxParallelism, chaining, buffers, onError, facts }: NodeDraft,
  id: number,
  uid: OperatorUid,
): GraphNode {
  return {
    id,
    uid,
    uidGiven: given !== undefined,
    name,
    kind: facts.kind,
    role: facts.role,
    states: facts.states,
    inputs: facts.inputs.length,
    keyed: facts.inputs.some(({ keySelector }) => keySelector !== undefined),
    eventTime: facts.eventTime ?? false,
    chaining,
    ...buffersOf(buffers),
    ...(onError === 'fail' ? {} : { onError }),
    ...(facts.connector === undefined ? {} : { connector: facts.connector }),
    ...(facts.target === undefined ? {} : { target: facts.target }),
    ...(facts.source === undefined ? {} : { watermarks: facts.source.watermarks.kind !== 'none' }),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
  };
}

function buffersOf(buffers: BufferSettings): { readonly buffers?: BufferSettings } {
  return Object.keys(buffers).length === 0 ? {} : { buffers };
}

function edgesInto(node: NodeDraft, ids: ReadonlyMap<NodeDraft, number>): GraphEdge[] {
  return node.facts.inputs.flatMap(({ endpoints }, input) =>
    endpoints.flatMap(({ node: upstream, output, partitioner }) => {
      const from = ids.get(upstream);
      // A stream of another job: reported where it was used.
      return from === undefined ? [] : [{ from, output, to: ids.get(node)!, input, partitioner }];
    }),
  );
}

function definitionOf({ name, facts }: NodeDraft, uid: OperatorUid): OperatorDefinition {
  const keySelectors = facts.inputs.map(({ keySelector }) => keySelector);
  return {
    uid,
    name,
    kind: facts.kind,
    states: facts.states,
    ...(facts.connector === undefined ? {} : { connector: facts.connector }),
    ...(facts.source === undefined ? {} : { source: facts.source }),
    ...(facts.create === undefined ? {} : { create: facts.create }),
    ...(keySelectors.every((selector) => selector === undefined) ? {} : { keySelectors }),
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
