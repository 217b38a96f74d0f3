/** The intake of one push source: told by its environment which. */
import { invariant } from '../lib/base/invariant.ts';
import { createIntake, type TakeIn } from '../lib/intake/take-in.ts';
import { intakeOptionsOf } from '../lib/model/intake.ts';
import { vertexOf } from '../lib/model/job-plan.ts';
import { createAwsStores, type AwsStores } from './aws-stores.ts';
import { readJobEnvironment } from './job-environment.ts';
import { compileBundled } from './job-program.ts';

export function createAwsIntake(): { readonly takeIn: TakeIn; readonly stores: AwsStores } {
  const environment = readJobEnvironment();
  const { job, uid } = environment;
  const { plan } = compileBundled(environment);
  const options = uid === null ? undefined : intakeOptionsOf(vertexOf(plan, uid).operators[0]!.connector);
  const stores = createAwsStores(environment, plan);
  const { intakeLog } = stores;
  invariant(uid !== null && options !== undefined && intakeLog !== undefined, 'SJ1', 'the function is told no push source');
  return {
    stores,
    takeIn: createIntake({ ...stores, log: intakeLog }, { job, uid, name: options.intake, partitions: options.partitions }),
  };
}
