/** The one way from a job to what runs: parameters, build, graph, plan. For the composition roots. */
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';
import type { StreamGraph } from '../graph/stream-graph.ts';
import type { JobCheckpointing } from '../model/checkpoint-options.ts';
import type { JobConfiguration } from '../model/job-configuration.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { OperatorRegistry } from '../operators/operator.ts';
import type { ParallelismOptions } from '../planner/assign-parallelism.ts';
import { planHashOf, planJob } from '../planner/plan-job.ts';
import type { Job } from './define-job.ts';
import { finishGraph } from './finish-graph.ts';
import type { Pipeline } from './pipeline.ts';
import { resolveParameters } from './resolve-parameters.ts';
import { environmentOf, newPipeline } from './stream-environment.ts';

export interface CompileOptions extends ParallelismOptions {
  /** As given on the command line. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface CompiledJob {
  readonly plan: JobPlan;
  readonly registry: OperatorRegistry;
  readonly planHash: string;
  readonly graph: StreamGraph;
  /** What the job itself says of its checkpoints; no part of the plan, so that a change of it is no change of the plan. */
  readonly checkpointing: JobCheckpointing;
  /** Beside the plan: it may change while the job runs. */
  readonly configuration: JobConfiguration;
}

/**
 * @throws SluiceError `SLUICE-PARAMETERS-INVALID`, `SLUICE-GRAPH-INVALID` (each lists everything that is wrong), or `SLUICE-JOB-BUILD-FAILED` where
 * the build function itself failed
 */
export function compileJob(job: Job, { parameters = {}, ...parallelism }: CompileOptions = {}): CompiledJob {
  const { values, texts } = resolveParameters(job.name, job.parameters, parameters);
  const pipeline = newPipeline();
  build(job, pipeline, values);
  const { graph, registry } = finishGraph(pipeline, job.name, texts);
  const plan = planJob(graph, parallelism);
  const { checkpointing } = pipeline;
  return { plan, registry, planHash: planHashOf(plan), graph, checkpointing, configuration: job.configuration ?? {} };
}

/** The user functions alone, made anew: what they keep in fields is as at the start. */
export function newFunctions(job: Job, parameters: Readonly<Record<string, string>>): OperatorRegistry {
  const { values, texts } = resolveParameters(job.name, job.parameters, parameters);
  const pipeline = newPipeline();
  build(job, pipeline, values);
  return finishGraph(pipeline, job.name, texts).registry;
}

function build(job: Job, pipeline: Pipeline, values: Readonly<Record<string, unknown>>): void {
  try {
    const result: unknown = job.build(environmentOf(pipeline), values);
    if (result instanceof Promise) throw new Error('it is async, and the plan is made before it goes on');
  } catch (error) {
    if (errorCode(error)?.startsWith('SLUICE-') === true) throw error;
    throw new SluiceError('SLUICE-JOB-BUILD-FAILED', `the build function of job ${job.name} failed: ${errorMessage(error)}`, {
      hint: 'Correct the job file; the cause says where.',
      facts: { job: job.name },
      cause: error,
    });
  }
}
