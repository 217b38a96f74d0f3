import type { JobConfiguration } from '../model/job-configuration.ts';
import type { ParameterDeclarations, ParameterValues } from './parameters.ts';
import type { StreamEnvironment } from './stream-environment.ts';

export interface JobDefinition<P extends ParameterDeclarations> {
  readonly name: string;
  readonly parameters?: P;
  /** Options by Flink's names, such as `'execution.checkpointing.interval': '10 s'`. `env.enableCheckpointing` and the command line go before them. */
  readonly configuration?: JobConfiguration;
  /** Describes the graph. Called whenever the job is planned or started, so it must do the same every time and no I/O. */
  build(env: StreamEnvironment, parameters: ParameterValues<P>): void;
}

/** What a job file exports as `job`. */
export interface Job {
  readonly kind: 'sluice-job';
  readonly name: string;
  readonly parameters: ParameterDeclarations;
  /** Absent in jobs of a bundle that is older. */
  readonly configuration?: JobConfiguration;
  readonly build: (env: StreamEnvironment, parameters: Readonly<Record<string, unknown>>) => void;
}

export function defineJob<P extends ParameterDeclarations = Readonly<Record<never, never>>>(definition: JobDefinition<P>): Job {
  return {
    kind: 'sluice-job',
    name: definition.name,
    parameters: definition.parameters ?? {},
    configuration: definition.configuration ?? {},
    build: (env, parameters) => definition.build(env, parameters as ParameterValues<P>),
  };
}
