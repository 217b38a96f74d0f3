/**
 * First pass: everything that is wrong with a graph, whatever the parallelism. Every rule is one function over the whole graph, so that all of them
 * speak even where one has found something.
 */
import { limits } from '../base/limits.ts';
import type { GraphProblem, GraphProblemCode } from '../graph/graph-problem.ts';
import { deadLetterOutput } from '../model/dead-letter.ts';
import { intakeOptionsOf } from '../model/intake.ts';
import type { GraphNode, StreamGraph } from '../graph/stream-graph.ts';

type Rule = (graph: StreamGraph) => readonly GraphProblem[];

const uidPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const jobNamePattern = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/;
const uidHint = "Use letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit.";

export function validateGraph(graph: StreamGraph): GraphProblem[] {
  return [...graph.problems, ...rules.flatMap((rule) => rule(graph))];
}

function problem(where: string, code: GraphProblemCode, message: string, hint: string): GraphProblem {
  return { code, where, message, hint };
}

const jobIsNamed: Rule = ({ name }) =>
  jobNamePattern.test(name) ? [] : [problem('the job', 'name-invalid', `its name ${JSON.stringify(name)} cannot be used`, uidHint)];

const graphHasSinks: Rule = ({ nodes }) => [
  ...(nodes.some(({ role }) => role === 'source')
    ? []
    : [problem('the job', 'graph-empty', 'it has no source', 'Begin with env.fromSource(…).')]),
  ...(nodes.some(({ role }) => role === 'sink')
    ? []
    : [problem('the job', 'graph-empty', 'it has no sink', 'End a stream with sinkTo(…).')]),
];

const uidsAreWellFormed: Rule = ({ nodes }) =>
  nodes
    .filter(({ uid, uidGiven }) => uidGiven && !uidPattern.test(uid))
    .map(({ uid }) => problem(JSON.stringify(uid), 'uid-invalid', 'its uid cannot be used', uidHint));

const uidsAreUnique: Rule = ({ nodes }) =>
  repeated(nodes.filter(({ uidGiven }) => uidGiven).map(({ uid }) => uid)).map((uid) =>
    problem(uid, 'uid-duplicate', 'several operators have this uid', 'Give every operator a uid of its own.'),
  );

const statefulOnesHaveUids: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const reason = node.uidGiven ? undefined : whyUid(node);
    if (reason === undefined) return [];
    return [
      problem(
        node.uid,
        'uid-missing',
        `${reason}, and has no uid`,
        "Add .uid('…') to it: by that name its state is found again after a change of the job.",
      ),
    ];
  });

function whyUid({ role, keyed, states, connector }: GraphNode): string | undefined {
  if (role === 'source') return 'it is a source, whose position is state';
  if (role === 'sink' && connector !== undefined) return 'it is a sink that commits';
  if (keyed) return 'it is keyed';
  return states.length > 0 ? 'it has state' : undefined;
}

const statesAreNamed: Rule = ({ nodes }) =>
  nodes.flatMap(({ uid, states }) => [
    ...states
      .filter(({ name, kind }) => kind !== 'timers' && !uidPattern.test(name))
      .map(({ name }) => problem(uid, 'state-name-invalid', `its state name ${JSON.stringify(name)} cannot be used`, uidHint)),
    ...repeated(states.map(({ name }) => name)).map((name) =>
      problem(
        uid,
        'state-duplicate',
        `it has two states named ${name}`,
        'Name keyed, operator and broadcast state of one operator differently.',
      ),
    ),
  ]);

const sideOutputsAreNamed: Rule = ({ nodes, edges }) =>
  [...new Set(edges.filter(({ output }) => output !== '' && !uidPattern.test(output)))].map(({ from, output }) =>
    problem(uidOf(nodes, from), 'side-output-invalid', `the side output ${JSON.stringify(output)} cannot be used`, uidHint),
  );

const outputsAreRead: Rule = ({ nodes, edges }) =>
  nodes
    .filter(({ id, role }) => role !== 'sink' && !edges.some(({ from, output }) => from === id && output !== deadLetterOutput))
    .map(({ uid, role }) =>
      problem(
        uid,
        'output-unread',
        role === 'source' ? 'nothing reads this source' : 'nothing reads its output',
        'End it with sinkTo(…), or remove it.',
      ),
    );

/** Whoever lets a source go on where it cannot read must say where the records go. */
const deadLettersAreRead: Rule = ({ nodes, edges }) =>
  nodes
    .filter(
      ({ id, connector }) =>
        connector?.options['onMalformed'] === 'dead-letter' && !edges.some(({ from, output }) => from === id && output === 'malformed'),
    )
    .map(({ uid }) =>
      problem(
        uid,
        'dead-letters-unread',
        'what it cannot read would be lost',
        'Read getSideOutput(malformedRecords) of it, and end that in a sink.',
      ),
    );

const inputsAreConnected: Rule = ({ nodes, edges }) =>
  nodes.flatMap(({ id, uid, inputs }) =>
    Array.from({ length: inputs }, (_, input) => input)
      .filter((input) => !edges.some((edge) => edge.to === id && edge.input === input))
      .map((input) =>
        problem(uid, 'input-missing', `its input ${input + 1} is connected to nothing`, 'Connect it to a stream of this job.'),
      ),
  );

const edgesFit: Rule = ({ nodes, edges }) =>
  edges.flatMap(({ from, output, to, input, partitioner }) => {
    const [upstream, downstream] = [nodes[from], nodes[to]];
    if (
      upstream === undefined ||
      downstream === undefined ||
      input >= downstream.inputs ||
      (upstream.role === 'sink' && output !== deadLetterOutput)
    ) {
      return [
        problem(
          `edge ${from} → ${to}`,
          'edge-invalid',
          'it joins what cannot be joined',
          'Build the graph with the methods of the streams.',
        ),
      ];
    }
    if (partitioner === 'hash' && !downstream.keyed) {
      return [problem(downstream.uid, 'edge-invalid', 'it is reached by key and has no key selector', 'Build the graph with keyBy.')];
    }
    return [];
  });

/** The streams of the DSL cannot make one; a graph from elsewhere can. */
const noCycles: Rule = (graph) => {
  const placed = new Set(topologicalOrder(graph));
  const stuck = graph.nodes.filter(({ id }) => !placed.has(id));
  if (stuck.length === 0) return [];
  return [
    problem(
      stuck.map(({ uid }) => uid).join(', '),
      'cycle',
      'they read from one another in a circle',
      'Break the circle: streams flow one way.',
    ),
  ];
};

const outputsAreUnique: Rule = ({ nodes }) =>
  repeated(nodes.flatMap(({ target }) => (target === undefined ? [] : [target]))).map((target) => {
    const sharing = nodes.filter((node) => node.target === target).map(({ uid }) => uid);
    return problem(sharing.join(', '), 'output-shared', `they write to the same place, ${target}`, 'Give every sink an output of its own.');
  });

const intakesAreUnique: Rule = ({ nodes }) =>
  repeated(nodes.flatMap(({ connector }) => intakeOptionsOf(connector)?.intake ?? [])).map((intake) => {
    const sharing = nodes.filter(({ connector }) => intakeOptionsOf(connector)?.intake === intake).map(({ uid }) => uid);
    return problem(
      sharing.join(', '),
      'intake-shared',
      `they read the same intake, ${intake}`,
      'Read it once, and branch off that stream.',
    );
  });
/** Two subtasks that write one row would do so in any order. */
const upsertsAreKeyed: Rule = ({ nodes, edges }) =>
  nodes
    .filter(({ role, connector }) => role === 'sink' && connector?.guarantee === 'idempotent')
    .filter(({ id }) => edges.some(({ to, partitioner }) => to === id && partitioner !== 'hash'))
    .map(({ uid }) =>
      problem(
        uid,
        'sink-unkeyed',
        'it replaces rows by key, and its records do not come by that key',
        'End the stream with sinkTo(…), which deals it out by the key of the rows.',
      ),
    );

const eventTimeHasWatermarks: Rule = (graph) =>
  graph.nodes
    .filter(({ eventTime }) => eventTime)
    .flatMap((node) =>
      sourcesAbove(graph, node)
        .filter(({ watermarks }) => watermarks !== true)
        .map((source) =>
          problem(
            node.uid,
            'watermarks-missing',
            `it works by event time, and its source ${source.uid} makes no watermarks`,
            'Give the source watermarks: boundedOutOfOrderness(minutes(1), (record) => record.time).',
          ),
        ),
    );

const buffersAreUsable: Rule = ({ nodes, buffers }) =>
  [{ uid: 'the job', buffers }, ...nodes].flatMap(({ uid, buffers: { timeoutMs = 0, bytes = 1 } = {} }) => [
    ...(isWithin(timeoutMs, 0, limits.bufferTimeoutMsMax)
      ? []
      : [
          problem(uid, 'buffer-invalid', `its buffer timeout is ${timeoutMs}`, `Give milliseconds from 0 to ${limits.bufferTimeoutMsMax}.`),
        ]),
    ...(isWithin(bytes, 1, limits.envelopeBytesMax)
      ? []
      : [problem(uid, 'buffer-invalid', `its buffer size is ${bytes}`, `Give bytes from 1 to ${limits.envelopeBytesMax}.`)]),
  ]);

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

const rules: readonly Rule[] = [
  jobIsNamed,
  graphHasSinks,
  uidsAreWellFormed,
  uidsAreUnique,
  statefulOnesHaveUids,
  statesAreNamed,
  sideOutputsAreNamed,
  outputsAreRead,
  deadLettersAreRead,
  inputsAreConnected,
  edgesFit,
  noCycles,
  outputsAreUnique,
  intakesAreUnique,
  upsertsAreKeyed,
  eventTimeHasWatermarks,
  buffersAreUsable,
];

function uidOf(nodes: readonly GraphNode[], id: number): string {
  return nodes[id]?.uid ?? `operator ${id}`;
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function sourcesAbove({ nodes, edges }: StreamGraph, node: GraphNode): GraphNode[] {
  const seen = new Set([node.id]);
  for (const id of seen) for (const edge of edges) if (edge.to === id) seen.add(edge.from);
  return nodes.filter(({ id, role }) => role === 'source' && seen.has(id));
}

/** Ids of all operators that come after everything they read from; what is missing is on a circle, or behind one. */
export function topologicalOrder({ nodes, edges }: StreamGraph): number[] {
  const order: number[] = [];
  const placed = new Set<number>();
  for (let grown = true; grown;) {
    grown = false;
    for (const { id } of nodes) {
      if (placed.has(id) || !edges.every(({ from, to }) => to !== id || placed.has(from))) continue;
      placed.add(id);
      order.push(id);
      grown = true;
    }
  }
  return order;
}
