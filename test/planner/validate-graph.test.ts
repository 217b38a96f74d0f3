import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { GraphEdge, GraphNode, StreamGraph } from '../../lib/graph/stream-graph.ts';
import { planJob } from '../../lib/planner/plan-job.ts';
import { validateGraph } from '../../lib/planner/validate-graph.ts';

/** Graphs that no stream of the DSL can make, because a graph may also come from a file. */
function graph(nodes: readonly Partial<GraphNode>[], edges: readonly Partial<GraphEdge>[]): StreamGraph {
  const whole = nodes.map((node, id): GraphNode => ({
    id,
    uid: operatorUid(`operator-${id}`),
    uidGiven: true,
    name: 'operator',
    kind: 'map',
    role: 'operator',
    states: [],
    inputs: 1,
    keyed: false,
    eventTime: false,
    chaining: 'always',
    ...node,
  }));
  return {
    name: 'by-hand',
    parameters: {},
    nodes: whole,
    edges: edges.map((edge) => ({ from: 0, output: '', to: 1, input: 0, partitioner: 'forward', ...edge })),
    problems: [],
  };
}

const source: Partial<GraphNode> = { role: 'source', inputs: 0 };
const sink: Partial<GraphNode> = { role: 'sink' };
const found = (of: StreamGraph): string[] => validateGraph(of).map(({ code, where }) => `${code} ${where}`);

describe('a graph that was not made by streams', () => {
  test('is fine where it could have been', () => {
    expect(found(graph([source, {}, sink], [{}, { from: 1, to: 2 }]))).toEqual([]);
  });

  test('has a circle', () => {
    const circle = graph([source, {}, {}, sink], [{ to: 1 }, { from: 2, to: 1 }, { from: 1, to: 2 }, { from: 2, to: 3 }]);
    expect(found(circle)).toEqual(['cycle operator-1, operator-2, operator-3']);
    expect(() => planJob(circle)).toThrow(expect.objectContaining({ code: 'SLUICE-GRAPH-INVALID' }));
  });

  test('has an input that is connected to nothing', () => {
    expect(found(graph([source, { inputs: 2 }, sink], [{}, { from: 1, to: 2 }]))).toEqual(['input-missing operator-1']);
  });

  test('has edges that lead nowhere, to an input that is not there, out of a sink, or by a key that is not there', () => {
    expect(found(graph([source, sink], [{}, { to: 7 }]))).toContain('edge-invalid edge 0 → 7');
    expect(found(graph([source, sink], [{}, { input: 1 }]))).toContain('edge-invalid edge 0 → 1');
    expect(found(graph([source, sink, sink], [{}, { from: 1, to: 2 }]))).toContain('edge-invalid edge 1 → 2');
    expect(found(graph([source, sink], [{ partitioner: 'hash' }]))).toEqual(['edge-invalid operator-1']);
  });

  test('has a sink that replaces rows, and is not reached by their key', () => {
    const rows: Partial<GraphNode> = { ...sink, keyed: true, connector: { connector: 'dynamodb', options: {}, guarantee: 'idempotent' } };
    expect(found(graph([source, rows], [{ partitioner: 'hash' }]))).toEqual([]);
    expect(found(graph([source, rows], [{}]))).toEqual(['sink-unkeyed operator-1']);
    expect(found(graph([source, source, rows], [{ to: 2, partitioner: 'hash' }, { from: 1, to: 2, partitioner: 'rebalance' }]))).toEqual(['sink-unkeyed operator-2']); // prettier-ignore
  });

  test('may list its operators in any order', () => {
    const plan = planJob(
      graph(
        [sink, {}, source],
        [
          { from: 2, to: 1 },
          { from: 1, to: 0 },
        ],
      ),
    );
    expect(plan.vertices.map(({ operators }) => operators.map(({ uid }) => uid))).toEqual([['operator-2', 'operator-1', 'operator-0']]);
  });
});
