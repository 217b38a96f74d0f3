/** The JobPlan as a stored document: part of plan objects, manifests and savepoints. */
import type { OperatorUid } from '../base/ids.ts';
import type {
  ChainLink,
  ConnectorSpec,
  JobPlan,
  PlannedEdge,
  PlannedOperator,
  PlannedVertex,
  StateDeclaration,
} from '../model/job-plan.ts';
import { shapes, type Shape } from './shape.ts';

const { anything, flag, id, integer, list, object, oneOf, optional, record, text } = shapes;
const uid = id<OperatorUid>();

export const stateDeclarationShape: Shape<StateDeclaration> = object<StateDeclaration>({
  name: text,
  kind: oneOf(
    'value',
    'list',
    'map',
    'reducing',
    'aggregating',
    'window',
    'timers',
    'operator-list',
    'operator-union',
    'broadcast',
    'accumulator',
  ),
  ttlMs: optional(integer),
  unmergeable: optional(flag),
});

const connectorSpec = object<ConnectorSpec>({
  connector: text,
  options: record(anything),
  guarantee: oneOf('exactly-once', 'at-least-once', 'idempotent', 'none'),
});

const operator = object<PlannedOperator>({
  uid,
  name: text,
  kind: text,
  stateful: flag,
  states: list(stateDeclarationShape),
  links: list(object<ChainLink>({ from: uid, output: text, input: integer })),
  connector: optional(connectorSpec),
  onError: optional(oneOf('dead-letter')),
});

const vertex = object<PlannedVertex>({
  uid,
  name: text,
  parallelism: integer,
  maxParallelism: integer,
  maxParallelismDerived: flag,
  operators: list(operator),
});

const edge = object<PlannedEdge>({
  index: integer,
  from: uid,
  operator: uid,
  output: text,
  to: uid,
  input: integer,
  partitioner: oneOf('forward', 'hash', 'rebalance', 'broadcast'),
  envelopeBytes: integer,
  bufferTimeoutMs: optional(integer),
  compressAboveBytes: integer,
});

export const planShape: Shape<JobPlan> = object<JobPlan>({
  format: oneOf(1),
  name: text,
  parameters: record(text),
  vertices: list(vertex),
  edges: list(edge),
});
