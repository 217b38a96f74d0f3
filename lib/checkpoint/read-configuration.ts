/** The options that a job and a command line give by Flink's names, read together: whatever is wrong with them is said at once. */
import { SluiceError } from '../base/errors.ts';
import type { JobCheckpointing } from '../model/checkpoint-options.ts';
import type { JobConfiguration } from '../model/job-configuration.ts';
import { newKeyOf, readCheckpointing } from './checkpoint-options.ts';
import { readRestart } from './restart-options.ts';
import type { RestartStrategy } from './restart-strategy.ts';
import { unknownOption } from './unknown-options.ts';

export interface ReadConfiguration {
  readonly restart: RestartStrategy;
  /** Apart, because what the job says in code stands between the two. */
  readonly checkpointing: { readonly ofJob: JobCheckpointing; readonly ofCommandLine: JobCheckpointing };
}

/**
 * What the command line gives (`-D`) replaces what the job's `configuration` says of the same option, under either of its names.
 *
 * @throws SluiceError `SLUICE-CONFIGURATION-INVALID` naming every fault at once
 */
export function readConfiguration(job: JobConfiguration, commandLine: JobConfiguration = {}): ReadConfiguration {
  const line = given(commandLine);
  const replaced = new Set(Object.keys(line).map(newKeyOf));
  const left = Object.fromEntries(Object.entries(given(job)).filter(([key]) => !replaced.has(newKeyOf(key))));
  const both = { ...left, ...line };
  const restart = readRestart(both);
  const [ofJob, ofCommandLine] = [readCheckpointing(left), readCheckpointing(line)];
  const unknown = Object.keys(both).flatMap((key) => unknownOption(key) ?? []);
  const faults = [...restart.faults, ...ofJob.faults, ...ofCommandLine.faults, ...unknown];
  if (faults.length === 0) {
    return {
      restart: restart.strategy,
      checkpointing: { ofJob: ofJob.checkpointing, ofCommandLine: ofCommandLine.checkpointing },
    };
  }
  throw new SluiceError('SLUICE-CONFIGURATION-INVALID', `the job's configuration is not usable: ${faults.join('; ')}`, {
    hint: 'Correct the options named above; docs/cli.md and docs/checkpoints.md list them all.',
    facts: { faults },
  });
}

function given(configuration: JobConfiguration): JobConfiguration {
  return Object.fromEntries(Object.entries(configuration).filter(([, value]) => value !== undefined));
}
