/**
 * Grants that a run of the flights job makes no use of that a server could see: each with its reason, and with the test that shows its use. The deployed
 * test fails where a grant has neither use nor reason, and where a reason is for a grant that was used, or that is granted no more.
 */
export interface Unused {
  /** As compare-grants.ts names them. */
  readonly roles: RegExp;
  readonly actions: readonly string[];
  readonly why: string;
  /** null: AWS itself acts in this role, outside of any request of ours. */
  readonly shownBy: string | null;
  /** Used in some runs, by what faults and the machine's pace make of them. */
  readonly byChance?: true;
}

const functions = /^(?!.*(?:Flow|Scheduler)$)/;

export const unusedGrants: readonly Unused[] = [
  {
    roles: functions,
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    why: 'Lambda writes what a function logs in the function’s role.',
    shownBy: null,
  },
  {
    roles: /Relay$|Operator$|CoordinatorMessages$/,
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
    why: 'Lambda’s pollers take and delete messages in the role of the function that they call.',
    shownBy: null,
  },
  {
    roles: /Relay$|daily|seasons|CoordinatorMessages$/,
    actions: ['sqs:GetQueueAttributes'],
    why: 'As its pollers do: they look at what waits. A source asks for it itself.',
    shownBy: null,
  },
  {
    roles: /Relay$|Operator$|CoordinatorMessages$/,
    actions: ['sqs:ChangeMessageVisibility'],
    why: 'Messages that failed come again soon, not after the visibility timeout.',
    shownBy: 'test/adapters/aws/answer-batch.test.ts',
    byChance: true,
  },
  {
    roles: /Api$/,
    actions: ['s3:PutObject'],
    why: 'A restore that is asked for over HTTP stores the plan that it goes on with; one that is started by hand stores it in a step.',
    shownBy: 'test/coordinator/restore-by-hand.test.ts',
    byChance: true,
  },
  {
    roles: /Relay$/,
    actions: ['sqs:SendMessage'],
    why: 'What has slept is handed on. A source sleeps while too much waits, or nothing comes.',
    shownBy: 'test/adapters/aws/delay.test.ts',
    byChance: true,
  },
  {
    roles: /Tasks$/,
    actions: ['states:SendTaskSuccess'],
    why: 'A flow whose last acknowledgement came before it began to wait is told by the step that has begun it.',
    shownBy: 'test/coordinator/checkpoint-flow.test.ts',
    byChance: true,
  },
  {
    roles: /Relay$/,
    actions: ['s3:PutObject'],
    why: 'What is no message of ours is put aside.',
    shownBy: 'test/adapters/aws/answer-batch.test.ts',
  },
  {
    roles: /Operator$/,
    actions: ['scheduler:CreateSchedule', 'iam:PassRole'],
    why: 'Timers and pauses beyond the 15 minutes of a queue wait in EventBridge Scheduler.',
    shownBy: 'test/adapters/aws/delay.test.ts',
  },
  { roles: /Scheduler$/, actions: ['sqs:SendMessage'], why: 'EventBridge Scheduler sends in this role what is due.', shownBy: null },
  {
    roles: /Operator$|Tasks$/,
    actions: ['s3:AbortMultipartUpload'],
    why: 'An upload in parts (above 16 MB) that fails is taken back: nobody sees its parts, but they are billed.',
    shownBy: 'test/adapters/aws/s3-object-store.test.ts',
  },
  {
    roles: /dailyOperator$/,
    actions: ['dynamodb:BatchGetItem'],
    why: 'State of single keys is read so; a window’s is a list of rows.',
    shownBy: 'test/contract/dynamodb.test.ts',
  },
  {
    roles: /dailyOperator$|seasonsOperator$/,
    actions: ['s3:DeleteObject'],
    why: 'Who comes back from the dead may stage a part that is published already: it takes it away again.',
    shownBy: 'test/adapters/connectors/s3-files-sink.test.ts',
    byChance: true,
  },
  {
    roles: /dailyOperator$|seasonsOperator$|CoordinatorMessages$|Api$|Overview$|DeploymentRestore$|DeploymentCheck$/,
    actions: ['s3:ListBucket'],
    why: 'To whoever may not list, S3 says of a missing object that it is forbidden (S3 API, GetObject: 403 without s3:ListBucket).',
    shownBy: 'test/adapters/aws/s3-object-store.test.ts',
  },
  {
    roles: /CoordinatorMessages$/,
    actions: ['s3:PutObject'],
    why: 'What is no message of ours is put aside, and a failure of the job is written down as an object.',
    shownBy: 'test/coordinator/failures.test.ts',
  },
  {
    roles: /CoordinatorMessages$|Api$|DeploymentRestore$/,
    actions: ['dynamodb:BatchWriteItem'],
    why: 'The acknowledgements of a checkpoint that is over are removed by whoever ends it, and old entries of the history by one of many appends.',
    shownBy: 'test/coordinator/failures.test.ts',
    byChance: true,
  },
  {
    roles: /CoordinatorMessages$|Tasks$|Api$|DeploymentRestore$/,
    actions: ['states:SendTaskFailure'],
    why: 'A checkpoint that is declined, overdue or overtaken ends: its flow waits for that.',
    shownBy: 'test/coordinator/failures.test.ts',
    byChance: true,
  },
  {
    roles: /CoordinatorMessages$|Tasks$|Api$|DeploymentRestore$/,
    actions: ['states:DescribeExecution'],
    why: 'Where the name of a flow is taken, it is asked whether that one still runs.',
    shownBy: 'test/adapters/aws/step-functions.test.ts',
    byChance: true,
  },
  {
    roles: /DeploymentRestore$/,
    actions: ['dynamodb:Query'],
    why: 'The acknowledgements of a checkpoint that a deployment finds overdue are told with its failure.',
    shownBy: 'test/coordinator/failures.test.ts',
    byChance: true,
  },
  {
    roles: /DeploymentCheck$/,
    actions: ['s3:GetObject', 's3:PutObject'],
    why: 'As the restore does, before anything has changed: the new plan is stored, and held against the newest checkpoint.',
    shownBy: 'test/deployed/flights-deploying.test.ts',
  },
  {
    roles: /Flow$/,
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
    why: 'Step Functions sends the traces of executions in the role of the state machine.',
    shownBy: null,
  },
  {
    roles: /Flow$/,
    actions: [
      ...['logs:CreateLogDelivery', 'logs:GetLogDelivery', 'logs:UpdateLogDelivery', 'logs:DeleteLogDelivery', 'logs:ListLogDeliveries'],
      ...['logs:PutResourcePolicy', 'logs:DescribeResourcePolicies', 'logs:DescribeLogGroups'],
    ],
    why: 'Step Functions sets up the delivery of its logs in the role of the state machine.',
    shownBy: null,
  },
];

/** Of the functions that take in what is pushed, in the test of intakes. */
export const unusedByIntakes: readonly Unused[] = [
  { roles: /./, actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], why: 'As for all functions.', shownBy: null },
  {
    roles: /./,
    actions: ['s3:PutObject'],
    why: 'What is too large for an item of the log is an object.',
    shownBy: 'test/adapters/dynamodb/intake-log.test.ts',
  },
  {
    roles: /orders/,
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    why: 'Lambda’s pollers act in the role of the function that they call.',
    shownBy: null,
  },
];
