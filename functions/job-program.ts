/** The job of the bundle as this deployment plans it: the same in every function of it. */
import { SluiceError } from '../lib/base/errors.ts';
import { checkSettings, defaultCheckpointSettings, withOptions } from '../lib/checkpoint/checkpoint-settings.ts';
import { readConfiguration } from '../lib/checkpoint/read-configuration.ts';
import type { NewPlan } from '../lib/coordinator/new-plan.ts';
import { compileJob, type CompiledJob } from '../lib/dsl/compile-job.ts';
import type { Job } from '../lib/dsl/define-job.ts';
import { planHashWithCode } from '../lib/model/plan-hash.ts';
import * as bundled from './bundled-job.ts';
import type { JobEnvironment } from './job-environment.ts';

/** Of the deployment, or as a restore wants it at another parallelism. */
export function compileBundled({ options }: Pick<JobEnvironment, 'options'>, parallelism?: number): CompiledJob {
  return compileJob(bundledJob(), parallelism === undefined ? options : { ...options, parallelism });
}

export function newPlanOf({ code }: Pick<JobEnvironment, 'code'>, compiled: CompiledJob): NewPlan {
  const { plan, planHash, checkpointing, configuration } = compiled;
  const { restart, checkpointing: configured } = readConfiguration(configuration);
  const settings = checkSettings([configured.ofJob, checkpointing].reduce(withOptions, defaultCheckpointSettings));
  return { plan, planHash: planHashWithCode(code, planHash), settings, restart, code };
}

/** By its name, or as the module's default. */
function bundledJob(): Job {
  const { job, default: byDefault } = bundled as { readonly job?: Job; readonly default?: Job };
  const found = job ?? byDefault;
  if (found !== undefined) return found;
  throw new SluiceError('SLUICE-JOB-EXPORT', 'the module of the job exports no job', {
    hint: 'Export what defineJob returns as `job`, or as the default.',
  });
}
