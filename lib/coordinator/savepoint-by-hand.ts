/**
 * Step: what a savepoint, or a stop with one, is asked for, as a person writes it into the Step Functions console, becomes an operation.
 * (What comes from the API is one already.)
 */
import { SluiceError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import { readFields, recordedChange, triggerOf, type AskedByHand } from './asked-by-hand.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { writeOperation } from './operation-log.ts';
import { savepointFlow, type SavepointFlow, type SavepointOrder } from './savepoint-requests.ts';
import { readJob } from './update-job.ts';

interface SavepointInput {
  readonly jobId: JobId;
  readonly directory?: string;
  readonly drain?: boolean;
}

/** What the flow goes on with. */
type Asked = SavepointFlow['input'] & Pick<SavepointOrder, 'job' | 'trigger'>;

/** @throws SluiceError `SLUICE-SAVEPOINT-INPUT`, `SLUICE-JOB-ENDED`, `SLUICE-JOB-UNKNOWN`: nothing has been changed */
export function askForSavepoint(deps: CoordinatorDeps, asked: AskedByHand): Promise<Asked> {
  const input = readSavepointInput(asked.input, ['jobId', 'directory']);
  return ask(deps, asked, input, '/savepoints', (order) => savepointFlow(deps, 'savepoint', order, { then: 'run-on' }));
}

/** @throws as askForSavepoint */
export function askForStop(deps: CoordinatorDeps, asked: AskedByHand): Promise<Asked> {
  const input = readSavepointInput(asked.input, ['jobId', 'directory', 'drain']);
  const stop = input.drain === true ? 'drain' : 'suspend';
  return ask(deps, asked, input, '/stop', (order) => savepointFlow(deps, 'stop', order, { stop }));
}

async function ask(
  deps: CoordinatorDeps,
  asked: AskedByHand,
  input: SavepointInput,
  path: string,
  operationFor: (order: SavepointOrder) => Promise<SavepointFlow>,
): Promise<Asked> {
  const { status } = await readJob(deps, input.jobId);
  if (isTerminal(status)) throw jobEnded(input.jobId, status);
  const directory = input.directory ?? deps.savepointDirectory;
  if (directory === undefined) throw inputInvalid(['directory is missing: no place for savepoints is configured']);
  const [job, trigger] = [input.jobId, triggerOf(asked)];
  const { operation, input: more } = await operationFor({ job, trigger, directory });
  await recordedChange(deps, asked, path, input, () => writeOperation(deps, operation));
  return { job, trigger, ...more };
}

function readSavepointInput(value: unknown, known: readonly string[]): SavepointInput {
  const { fields, problems: some } = readFields(value, known);
  const { directory, drain } = fields;
  const problems = [
    ...some,
    ...(directory === undefined || (typeof directory === 'string' && directory !== '') ? [] : ['directory must be a place']),
    ...(drain === undefined || typeof drain === 'boolean' ? [] : ['drain must be true or false']),
  ];
  if (problems.length > 0) throw inputInvalid(problems);
  return fields as unknown as SavepointInput;
}

const example = '{"jobId": "0123456789abcdef0123456789abcdef", "directory": "s3://bucket/savepoints"}';

function inputInvalid(problems: readonly string[]): SluiceError {
  return new SluiceError('SLUICE-SAVEPOINT-INPUT', `the savepoint cannot be asked for: ${problems.join('; ')}`, {
    hint: `Nothing was changed. An input looks like ${example}; without directory the deployed one is meant. A stop takes "drain": true, too.`,
    facts: { problems },
  });
}

function jobEnded(job: JobId, status: string): SluiceError {
  return new SluiceError('SLUICE-JOB-ENDED', `job ${job} has ended and is ${status}`, {
    hint: 'Restore it first, or use one of its retained checkpoints.',
    facts: { job, status },
  });
}
