/** Lambda: what shards tell the coordinator (`messages`), and the steps of its flows (`tasks`). */
import { errorCode } from '../lib/base/errors.ts';
import { coordinatorTasks } from '../lib/coordinator/coordinator-tasks.ts';
import { receiveMessage } from '../lib/coordinator/receive-message.ts';
import { decodeCoordinatorMessage } from '../lib/model/coordinator-message.ts';
import { checkCoordinatorMessage } from '../lib/model/own-message.ts';
import { coordinatorQueue } from '../lib/model/queue-names.ts';
import { workOnBatch } from './batch-work.ts';
import { createCoordinator } from './coordinator-runtime.ts';
import { receiveInOrder } from './receive-in-order.ts';
import { readJobEnvironment } from './job-environment.ts';
import { withPlainCause } from './plain-cause.ts';

const environment = readJobEnvironment();
const { job } = environment;
const { deps, stores } = createCoordinator(environment);
const handlers = coordinatorTasks(deps);

export const messages = workOnBatch(stores, {
  job,
  queue: coordinatorQueue(job),
  handle: receiveInOrder((body) => receiveMessage(deps, decodeCoordinatorMessage(body)), stores.logger),
  recognise: (message) => checkCoordinatorMessage(job, message),
});

/** The name of what is thrown is what Retry and Catch of the state machine go by. */
export async function tasks({ task, input }: { readonly task: string; readonly input: unknown }): Promise<unknown> {
  try {
    return (await stores.invocations.around(null, () => handlers[task]!(withPlainCause(input)))) ?? null;
  } catch (error) {
    if (error instanceof Error) error.name = errorCode(error) ?? error.name;
    throw error;
  } finally {
    stores.metrics.flush();
  }
}
