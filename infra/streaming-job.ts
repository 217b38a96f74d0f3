/**
 * Everything of one job, made from its plan: a queue and a function per vertex, the coordinator with its state machines, the relay of delayed messages.
 *
 * SJ1. What the functions are told (job, code, plan options) is the same for all of them, so that all compile the same plan.
 * SJ2. Every resource is allowed by name; what reads and writes the user's data is allowed by the URIs, tables and queues that the plan names.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { createHash } from 'node:crypto';
import { isJobId, type JobId } from '../lib/base/ids.ts';
import { limits } from '../lib/base/limits.ts';
import { compileJob } from '../lib/dsl/compile-job.ts';
import type { Job } from '../lib/dsl/define-job.ts';
import { intakeOptionsOf } from '../lib/model/intake.ts';
import { isSourceVertex, type JobPlan } from '../lib/model/job-plan.ts';
import { bundleJob } from './bundle-job.ts';
import { allowCollecting, allowFlows, allowReadingSavepoints, allowSignals, allowTurning } from './coordination-grants.ts';
import { Coordinator } from './coordinator.ts';
import { DelayRelay } from './delay-relay.ts';
import { allowDeliveries } from './delivery-grants.ts';
import { Deployment } from './deployment.ts';
import { allowDataOf, allowPublishing } from './data-grants.ts';
import { deployedNames, type DeployedNames } from './deployed-names.ts';
import { allowDepths, allowObjects, allowSending, allowSettingAside, allowUploads } from './grants.ts';
import { allowIntake, allowReadingIntake, allowTrimmingIntake } from './intake-grants.ts';
import { SourceIntake, type IntakeSettings, type SourceIntakeProps } from './intake.ts';
import { JobAlarms } from './job-alarms.ts';
import { JobApi } from './job-api.ts';
import { JobDashboard } from './job-dashboard.ts';
import { Operator, type OperatorProps } from './operator.ts';
import type { SluiceControlPlane } from './sluice-control-plane.ts';
import { allowAudit, allowTable } from './table-grants.ts';

export interface StreamingJobProps {
  readonly controlPlane: SluiceControlPlane;
  readonly job: Job;
  /** The module that `job` comes from: it is bundled into the functions. Exports it as `job` or as its default. */
  readonly entry: string;
  /** A name that CloudFormation gives to a bucket or a table may stand in them: `s3://${bucket.bucketName}/in/`. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  /** 32 lower-case hex digits; made of the construct's path where it is not given. Whoever changes it makes another job. */
  readonly jobId?: string;
  /** Of operators: a crash stalls a shard for so long. At most 5 minutes. */
  readonly functionTimeout?: Duration;
  readonly memorySize?: number;
  /** Records that a source reads into one commit: fewer are smaller steps, at more requests. */
  readonly sourceRecordsPerCommit?: number;
  /** State whose operator the new version no longer has is dropped instead of refusing the deployment. */
  readonly allowNonRestoredState?: boolean;
  /** Of push sources, by the name of their intake. */
  readonly intakes?: Readonly<Record<string, IntakeSettings>>;
  /** Invocations of one operator at a time, 2 to 1,000 (Lambda). Default: as many as it has subtasks, at least 10. */
  readonly maxConcurrency?: number;
  /** Told of the job's alarms. */
  readonly alarmTopic?: ITopic;
}

const longestFunctionTimeout = Duration.minutes(5);
/** With the name of a job, and the longest of a table in it, still a description of a function. */
const labelCharactersMax = 100;
/** Lambda's bounds, and enough for what drains of an attempt that was given up. */
const concurrencyOf = (parallelism: number): number => Math.min(1_000, Math.max(10, parallelism));

export class StreamingJob extends Construct {
  readonly jobId: JobId;
  readonly plan: JobPlan;
  readonly operators: readonly Operator[];
  readonly coordinator: Coordinator;
  readonly relay: DelayRelay;
  readonly api: JobApi;
  /** By name. */
  readonly intakes: ReadonlyMap<string, SourceIntake>;
  readonly deployment: Deployment;
  readonly alarms: JobAlarms;
  readonly #names: DeployedNames;

  constructor(scope: Construct, id: string, props: StreamingJobProps) {
    super(scope, id);
    const { controlPlane, job, entry, parameters = {}, parallelism, maxParallelism } = props;
    const { functionTimeout = Duration.millis(limits.functionTimeoutMs), memorySize = 1_769, allowNonRestoredState = false } = props;
    if (functionTimeout.toSeconds() > longestFunctionTimeout.toSeconds())
      throw new Error(
        `a function timeout of ${functionTimeout.toHumanString()} would stall a shard for as long after a crash: at most ${longestFunctionTimeout.toHumanString()}`,
      );
    this.jobId = jobIdOf(props.jobId ?? createHash('sha256').update(this.node.path).digest('hex').slice(0, 32));
    const options = {
      parameters,
      ...(parallelism === undefined ? {} : { parallelism }),
      ...(maxParallelism === undefined ? {} : { maxParallelism }),
    };
    controlPlane.admit(this.jobId, this.node.path);
    this.#names = deployedNames(parameters);
    this.plan = compileJob(job, { ...options, parameters: this.#names.parameters }).plan;
    const { directory, digest } = bundleJob(entry);
    const code = Code.fromAsset(directory);
    const environment = {
      SLUICE_JOB_ID: this.jobId,
      SLUICE_CODE: digest,
      SLUICE_OPTIONS: JSON.stringify(options),
      SLUICE_TABLE: controlPlane.table.tableName,
      SLUICE_BUCKET: controlPlane.bucket.bucketName,
      SLUICE_ACCOUNT: Aws.ACCOUNT_ID,
      ...(intakesOf(this.plan).length === 0 ? {} : { SLUICE_INTAKE_TABLE: controlPlane.intakeTable.tableName }),
      SLUICE_QUEUES: `https://sqs.${Aws.REGION}.${Aws.URL_SUFFIX}/${Aws.ACCOUNT_ID}/`,
      ...settingsOf(props),
      SLUICE_MACHINES: `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:stateMachine:`,
    };
    const common = { jobId: this.jobId, jobName: this.plan.name, code, environment, enforceSSL: controlPlane.enforceSSL };
    this.deployment = new Deployment(this, 'Deployment', { ...common, allowNonRestoredState });
    this.relay = new DelayRelay(this, 'Relay', common);
    this.operators = this.#makeOperators({ ...common, timeout: functionTimeout, memorySize }, props.maxConcurrency);
    this.coordinator = new Coordinator(this, 'Coordinator', common);
    this.api = new JobApi(this, 'Api', { ...common, api: controlPlane.control });
    this.intakes = this.#makeIntakes(props, common);
    const watched = { jobId: this.jobId, jobName: this.plan.name, operators: this.operators, coordinator: this.coordinator };
    this.alarms = new JobAlarms(this, 'Alarms', { ...watched, intakes: this.intakes, table: controlPlane.table, topic: props.alarmTopic });
    new JobDashboard(this, 'Dashboard', watched);
    this.#allow(controlPlane);
    this.#allowIntakes(controlPlane);
    const { relay, coordinator, api, operators, intakes } = this;
    const consuming = [relay, ...operators, ...intakes.values()].map((each) => each.function);
    allowTurning(coordinator.tasks, [coordinator.messages, ...consuming]);
    const functions = [coordinator.messages, coordinator.tasks, api.function, ...consuming];
    this.deployment.between(functions, [relay, coordinator, api, ...operators, ...intakes.values()]);
  }

  #makeOperators(common: Omit<OperatorProps, 'vertex' | 'label' | 'maxConcurrency'>, maxConcurrency?: number): readonly Operator[] {
    return this.plan.vertices.map((vertex) => {
      const label = this.#names.deployed(vertex.name.slice(0, labelCharactersMax));
      const most = maxConcurrency ?? concurrencyOf(vertex.parallelism);
      return new Operator(this, `Operator-${vertex.uid}`, { ...common, vertex, label, maxConcurrency: most });
    });
  }

  #makeIntakes(
    { controlPlane: { control: api }, intakes: settings = {} }: StreamingJobProps,
    common: CommonProps,
  ): ReadonlyMap<string, SourceIntake> {
    const sources = intakesOf(this.plan);
    const unknown = Object.keys(settings).filter((name) => !sources.some(({ options }) => options.intake === name));
    if (unknown.length > 0)
      throw new Error(
        `the job has no intake ${unknown.join(', ')}: ${sources.map(({ options }) => options.intake).join(', ') || 'it has none'}`,
      );
    return new Map(
      sources.map(({ uid, options }) => {
        const { intake } = options;
        return [intake, new SourceIntake(this, `Intake-${intake}`, { ...common, api, uid, options, settings: settings[intake] ?? {} })];
      }),
    );
  }

  #allow({ table, bucket, savepointsIn }: SluiceControlPlane): void {
    const { jobId, plan, relay, operators } = this;
    const names = this.#names;
    const { messages, tasks, queue } = this.coordinator;
    const { check, restore } = this.deployment;
    const api = this.api.function;
    const queues = [...operators.map((each) => each.queue), queue];
    for (const [index, { function: operator }] of operators.entries()) {
      const vertex = plan.vertices[index]!;
      const isSource = isSourceVertex(plan, vertex.uid);
      allowTable(operator, isSource ? 'sources' : 'operates', table, jobId);
      allowDataOf(operator, plan, vertex, names);
      if (isSource) allowDepths(operator, plan, queues);
      allowUploads(operator, bucket, jobId);
      relay.allowDelay(operator);
    }
    for (const coordinating of [messages, tasks, api, restore]) {
      allowTable(coordinating, 'coordinates', table, jobId);
      allowFlows(coordinating, jobId);
    }
    allowTable(check, 'checks', table, jobId);
    for (const one of [...operators.map((each) => each.function), messages, api, restore, check]) allowObjects(one, bucket, jobId);
    for (const sending of [...operators.map((each) => each.function), tasks, restore, relay.function]) allowSending(sending, plan, queues);
    for (const signalling of [messages, tasks]) allowSignals(signalling, 'all');
    // An overdue checkpoint is ended by whoever meets it.
    for (const ending of [api, restore]) allowSignals(ending, 'failures');
    allowSettingAside(relay.function, bucket, jobId);
    allowCollecting(tasks, bucket, jobId);
    allowPublishing(tasks, plan, names);
    allowDeliveries(tasks, plan, names);
    allowReadingSavepoints(api, [bucket, ...savepointsIn]);
    allowReadingSavepoints(tasks, savepointsIn);
    for (const recording of [api, tasks]) allowAudit(recording, table, jobId);
  }

  #allowIntakes(controlPlane: SluiceControlPlane): void {
    for (const { uid, options } of intakesOf(this.plan)) {
      const { table, bucket, intakeTable: log } = controlPlane;
      const source = this.operators[this.plan.vertices.findIndex((vertex) => vertex.uid === uid)]!;
      allowIntake(this.intakes.get(options.intake)!.function, {
        table,
        log,
        bucket,
        source: source.queue,
        job: this.jobId,
        intake: options.intake,
      });
      allowReadingIntake(source.function, log, bucket, this.jobId, options.intake);
    }
    if (this.intakes.size === 0) return;
    allowTrimmingIntake(this.coordinator.tasks, controlPlane.intakeTable, controlPlane.bucket, this.jobId);
    // The preview of a restore.
    allowReadingIntake(this.api.function, controlPlane.intakeTable, controlPlane.bucket, this.jobId);
  }
}

type CommonProps = Pick<SourceIntakeProps, 'jobId' | 'jobName' | 'code' | 'environment' | 'enforceSSL'>;

function intakesOf({ vertices }: JobPlan) {
  return vertices.flatMap(({ uid, operators }) => {
    const options = intakeOptionsOf(operators[0]!.connector);
    return options === undefined ? [] : [{ uid, options }];
  });
}

/** What differs from the defaults: a part of the runtime's settings (functions/job-environment.ts). */
function settingsOf({ functionTimeout, sourceRecordsPerCommit }: StreamingJobProps): Readonly<Record<string, string>> {
  const settings = {
    ...(functionTimeout === undefined ? {} : { functionTimeoutMs: functionTimeout.toMilliseconds() }),
    ...(sourceRecordsPerCommit === undefined ? {} : { sourceRecordsPerCommit }),
  };
  return Object.keys(settings).length === 0 ? {} : { SLUICE_SETTINGS: JSON.stringify(settings) };
}

function jobIdOf(text: string): JobId {
  if (isJobId(text)) return text;
  throw new Error(`${JSON.stringify(text)} is no job id: 32 lower-case hexadecimal digits are wanted`);
}
