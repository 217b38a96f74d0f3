/**
 * Field names and types of the answers of a Flink 2.3 cluster, taken from recordings. An object is exact: every field without `?` is there, and no other
 * than these and our own additions (`extra`).
 */
export type Shape = 'text' | 'number' | 'flag' | 'null' | 'anything' | Either | readonly [Shape] | { readonly [field: string]: Shape };

interface Either {
  readonly either: readonly Shape[];
}

const either = (...shapes: readonly Shape[]): Either => ({ either: shapes });

const taskCounts = {
  running: 'number',
  canceling: 'number',
  canceled: 'number',
  total: 'number',
  created: 'number',
  scheduled: 'number',
  deploying: 'number',
  reconciling: 'number',
  finished: 'number',
  initializing: 'number',
  failed: 'number',
} as const;

const states = {
  SCHEDULED: 'number',
  DEPLOYING: 'number',
  FAILED: 'number',
  RECONCILING: 'number',
  CANCELING: 'number',
  RUNNING: 'number',
  INITIALIZING: 'number',
  CREATED: 'number',
  CANCELED: 'number',
  FINISHED: 'number',
} as const;

const io = {
  'read-bytes': 'number',
  'read-bytes-complete': 'flag',
  'write-bytes': 'number',
  'write-bytes-complete': 'flag',
  'read-records': 'number',
  'read-records-complete': 'flag',
  'write-records': 'number',
  'write-records-complete': 'flag',
  'accumulated-backpressured-time': 'number',
  'accumulated-idle-time': 'number',
  'accumulated-busy-time': 'number',
} as const;

const plan = {
  jid: 'text',
  name: 'text',
  type: 'text',
  nodes: [
    {
      id: 'text',
      operator: 'text',
      parallelism: 'number',
      operator_strategy: 'text',
      description: 'text',
      optimizer_properties: {},
      '?inputs': [{ id: 'text', num: 'number', exchange: 'text', ship_strategy: 'text' }],
    },
  ],
} as const;

const quantile = either('number', 'text');
const summary = {
  min: 'number',
  max: 'number',
  avg: 'number',
  p50: quantile,
  p90: quantile,
  p95: quantile,
  p99: quantile,
  p999: quantile,
} as const;

const sizes = {
  latest_ack_timestamp: 'number',
  checkpointed_size: 'number',
  state_size: 'number',
  end_to_end_duration: 'number',
  alignment_buffered: 'number',
  processed_data: 'number',
  persisted_data: 'number',
  num_subtasks: 'number',
  num_acknowledged_subtasks: 'number',
} as const;

const checkpoint = {
  className: 'text',
  id: 'number',
  status: 'text',
  is_savepoint: 'flag',
  savepointFormat: either('null', 'text'),
  trigger_timestamp: 'number',
  ...sizes,
  checkpoint_type: 'text',
  tasks: { '*': { id: 'number', status: 'text', ...sizes } },
} as const;
const completed = { ...checkpoint, external_path: either('text', 'null'), discarded: 'flag' } as const;
const failed = { ...checkpoint, failure_timestamp: 'number', failure_message: either('text', 'null') } as const;
const restored = { id: 'number', restore_timestamp: 'number', is_savepoint: 'flag', external_path: either('text', 'null') } as const;

const exception = {
  exceptionName: 'text',
  stacktrace: 'text',
  timestamp: 'number',
  failureLabels: {},
  '?taskName': 'text',
  '?endpoint': 'text',
  '?taskManagerId': 'text',
} as const;

const aggregate = {
  min: 'number',
  max: 'number',
  avg: 'number',
  sum: 'number',
  median: 'number',
  p25: 'number',
  p75: 'number',
  p95: 'number',
} as const;
const durations = { SCHEDULED: 'number', DEPLOYING: 'number', RUNNING: 'number', INITIALIZING: 'number', CREATED: 'number' } as const;

export const flinkShapes = {
  errors: { errors: ['text'] },
  config: {
    'refresh-interval': 'number',
    'timezone-name': 'text',
    'timezone-offset': 'number',
    'flink-version': 'text',
    'flink-revision': 'text',
    features: { 'web-submit': 'flag', 'web-cancel': 'flag', 'web-rescale': 'flag', 'web-history': 'flag' },
  },
  overview: {
    taskmanagers: 'number',
    'slots-total': 'number',
    'slots-available': 'number',
    'jobs-running': 'number',
    'jobs-finished': 'number',
    'jobs-cancelled': 'number',
    'jobs-failed': 'number',
    'flink-version': 'text',
    'flink-commit': 'text',
  },
  jobs: { jobs: [{ id: 'text', status: 'text' }] },
  jobsOverview: {
    jobs: [
      {
        jid: 'text',
        name: 'text',
        jobType: 'text',
        schedulerType: 'text',
        'start-time': 'number',
        'end-time': 'number',
        duration: 'number',
        state: 'text',
        'last-modification': 'number',
        tasks: taskCounts,
        'pending-operators': 'number',
      },
    ],
  },
  job: {
    jid: 'text',
    'application-id': 'text',
    name: 'text',
    isStoppable: 'flag',
    state: 'text',
    'job-type': 'text',
    schedulerType: 'text',
    'start-time': 'number',
    'end-time': 'number',
    duration: 'number',
    maxParallelism: 'number',
    now: 'number',
    timestamps: {
      SUSPENDED: 'number',
      RUNNING: 'number',
      RESTARTING: 'number',
      FAILING: 'number',
      CREATED: 'number',
      FINISHED: 'number',
      CANCELED: 'number',
      RECONCILING: 'number',
      INITIALIZING: 'number',
      FAILED: 'number',
      CANCELLING: 'number',
    },
    vertices: [
      {
        id: 'text',
        slotSharingGroupId: 'text',
        name: 'text',
        maxParallelism: 'number',
        parallelism: 'number',
        status: 'text',
        'start-time': 'number',
        'end-time': 'number',
        duration: 'number',
        tasks: states,
        metrics: io,
      },
    ],
    'status-counts': states,
    plan,
    'pending-operators': 'number',
  },
  plan: { plan },
  jobConfig: {
    jid: 'text',
    name: 'text',
    'execution-config': {
      'restart-strategy': 'text',
      'job-parallelism': 'number',
      'object-reuse-mode': 'flag',
      'user-config': { '*': 'text' },
    },
  },
  status: { status: 'text' },
  exceptions: { exceptionHistory: { entries: [{ ...exception, concurrentExceptions: [exception] }], truncated: 'flag' } },
  checkpoints: {
    counts: { restored: 'number', total: 'number', in_progress: 'number', completed: 'number', failed: 'number' },
    summary: {
      checkpointed_size: summary,
      state_size: summary,
      end_to_end_duration: summary,
      alignment_buffered: summary,
      processed_data: summary,
      persisted_data: summary,
    },
    latest: {
      completed: either(completed, 'null'),
      savepoint: either(completed, 'null'),
      failed: either(failed, 'null'),
      restored: either(restored, 'null'),
    },
    history: [either(completed, failed, checkpoint)],
  },
  checkpointDetails: either(completed, failed, checkpoint),
  checkpointConfig: {
    mode: 'text',
    interval: 'number',
    timeout: 'number',
    min_pause: 'number',
    max_concurrent: 'number',
    externalization: { enabled: 'flag', delete_on_cancellation: 'flag' },
    state_backend: 'text',
    checkpoint_storage: 'text',
    unaligned_checkpoints: 'flag',
    tolerable_failed_checkpoints: 'number',
    aligned_checkpoint_timeout: 'number',
    checkpoints_after_tasks_finish: 'flag',
    state_changelog_enabled: 'flag',
    changelog_periodic_materialization_interval: 'number',
    changelog_storage: either('text', 'null'),
  },
  trigger: { 'request-id': 'text' },
  savepointInProgress: { status: { id: 'text' }, operation: 'null' },
  savepointCompleted: { status: { id: 'text' }, operation: { location: 'text' } },
  savepointFailed: {
    status: { id: 'text' },
    operation: { 'failure-cause': { class: 'text', 'stack-trace': 'text', 'serialized-throwable': 'text' } },
  },
  vertex: {
    id: 'text',
    name: 'text',
    parallelism: 'number',
    maxParallelism: 'number',
    now: 'number',
    subtasks: [
      {
        subtask: 'number',
        status: 'text',
        attempt: 'number',
        endpoint: 'text',
        'start-time': 'number',
        'end-time': 'number',
        duration: 'number',
        metrics: io,
        'taskmanager-id': 'text',
        'status-duration': durations,
        start_time: 'number',
      },
    ],
    aggregated: { metrics: { '*': aggregate }, 'status-duration': { '*': aggregate } },
  },
  watermarks: [{ id: 'text', value: 'text' }],
} as const satisfies Readonly<Record<string, Shape>>;

/** Our own fields, which Flink's clients ignore. */
const extra: ReadonlySet<string> = new Set(['uid', 'code', 'message', 'hint', 'num_retained']);

/** One sentence per difference. */
export function differences(value: unknown, shape: Shape, path = '$'): readonly string[] {
  if (typeof shape === 'string') return fits(value, shape) ? [] : [`${path} is ${JSON.stringify(value)}, ${shape} is wanted`];
  if (isEither(shape)) {
    const all = shape.either.map((one) => differences(value, one, path));
    return all.find((found) => found.length === 0) ?? all.reduce((least, found) => (found.length < least.length ? found : least));
  }
  if (Array.isArray(shape)) {
    return Array.isArray(value)
      ? value.flatMap((item, index) => differences(item, shape[0] as Shape, `${path}[${index}]`))
      : [`${path} is no list`];
  }
  return objectDifferences(value, shape as Readonly<Record<string, Shape>>, path);
}

function isEither(shape: Shape): shape is Either {
  return typeof shape === 'object' && 'either' in shape;
}

function fits(value: unknown, shape: string): boolean {
  if (shape === 'null') return value === null;
  if (shape === 'number') return typeof value === 'number' && Number.isFinite(value);
  return shape === 'anything' || typeof value === { text: 'string', flag: 'boolean' }[shape];
}

function objectDifferences(value: unknown, fields: Readonly<Record<string, Shape>>, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no object`];
  const found: string[] = [];
  const known = new Set(Object.keys(fields).map((name) => name.replace('?', '')));
  for (const [name, item] of Object.entries(value)) {
    if (fields['*'] !== undefined) found.push(...differences(item, fields['*'], `${path}.${name}`));
    else if (!known.has(name) && !extra.has(name)) found.push(`${path}.${name} is not in Flink's answer`);
  }
  for (const [name, shape] of Object.entries(fields)) {
    const plain = name.replace('?', '');
    if (name === '*') continue;
    if (Object.hasOwn(value, plain)) found.push(...differences((value as Record<string, unknown>)[plain], shape, `${path}.${plain}`));
    else if (!name.startsWith('?')) found.push(`${path}.${name} is missing`);
  }
  return found;
}
