/** What goes wrong with a deployed job while a test looks on. Each returns when it has happened, and what shows that it did. */
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { region, type Emulator, type FunctionProcess } from '../../../localstack/emulator.ts';
import { functionProcesses, requestCounts } from '../../../localstack/observe.ts';
import type { JobId, OperatorUid } from '../../../lib/base/ids.ts';
import { awsQueueName } from '../../../lib/model/aws-names.ts';
import type { Deployed } from '../deployed.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const lookEveryMs = 20;
const patienceMs = 60_000;
const restedPatienceMs = 3_000;

function sqsOf({ endpoint }: Emulator): SQSClient {
  return new SQSClient({ endpoint, region, credentials, useQueueUrlAsEndpoint: false });
}

/** Logical ids have no hyphens. */
function isNamed(functionName: string, uid: string): boolean {
  return functionName.includes(`Operator${uid.replaceAll('-', '')}`);
}

async function busyProcess(emulator: Emulator, uid: string): Promise<FunctionProcess> {
  for (const endsAt = Date.now() + patienceMs; Date.now() < endsAt; await sleep(lookEveryMs)) {
    const found = (await functionProcesses(emulator)).find(({ function: name, busy }) => busy && isNamed(name, uid));
    if (found !== undefined) return found;
  }
  throw new Error(`no process of ${uid} was at work within ${patienceMs / 1_000} s`);
}

/** False where it is gone: its time may end at any moment, and Lambda ends it then. */
function isSignalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** SIGKILL in the midst of a batch. */
export async function killOne({ emulator }: Deployed, uid: string): Promise<number> {
  for (;;) {
    const { pid } = await busyProcess(emulator, uid);
    if (isSignalled(pid, 'SIGKILL')) return pid;
  }
}

export async function setVisibility({ emulator, outputs }: Deployed, uid: string, seconds: number): Promise<void> {
  const sqs = sqsOf(emulator);
  const QueueUrl = queueUrl(emulator, outputs['JobId']!, uid);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: String(seconds) } }));
  const { Attributes: now } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] }));
  if (now?.['VisibilityTimeout'] !== String(seconds)) throw new Error(`the queue of ${uid} keeps its visibility`);
}

/** One that has just taken a batch, and is not starting: what starts has read nothing that could be old by and by. */
async function beginningProcess(emulator: Emulator, uid: string): Promise<FunctionProcess> {
  const rested = new Set<number>();
  for (const endsAt = Date.now() + restedPatienceMs; Date.now() < endsAt; await sleep(lookEveryMs)) {
    const all = (await functionProcesses(emulator)).filter(({ function: name }) => isNamed(name, uid));
    const found = all.find(({ pid, busy }) => busy && rested.has(pid));
    if (found !== undefined) return found;
    for (const { pid, busy } of all) if (!busy) rested.add(pid);
  }
  return busyProcess(emulator, uid);
}

/** Held with SIGSTOP until its messages have been given to another, and let go again. `afterMs` its batch has begun: it is to have read, and not to have committed. */
export async function holdOne({ emulator }: Deployed, uid: string, heldMs: number, afterMs: number): Promise<number> {
  for (;;) {
    const { pid } = await beginningProcess(emulator, uid);
    await sleep(afterMs);
    if (!isSignalled(pid, 'SIGSTOP')) continue;
    try {
      // Its batch may have ended on the way here.
      if (!(await functionProcesses(emulator)).some((one) => one.pid === pid && one.busy)) continue;
      await sleep(heldMs);
      return pid;
    } finally {
      isSignalled(pid, 'SIGCONT');
    }
  }
}

/** How many commits were refused because another was first: what a process from the dead tries. */
export async function refusedCommits({ emulator }: Deployed, uid: string): Promise<number> {
  const { requests } = await requestCounts(emulator);
  return requests
    .filter(({ caller, operation, status }) => isNamed(caller, uid) && operation === 'PutItem' && status === 400)
    .reduce((sum, { count }) => sum + count, 0);
}

/** Messages of the queue once more under other deduplication ids, so that the queue takes them. */
export async function sendTwice({ emulator, outputs }: Deployed, uid: string, wanted: number): Promise<number> {
  const sqs = sqsOf(emulator);
  const QueueUrl = queueUrl(emulator, outputs['JobId']!, uid);
  let sent = 0;
  for (const endsAt = Date.now() + patienceMs; sent < wanted && Date.now() < endsAt;) {
    const { Messages: messages = [] } = await sqs.send(
      // Visible again at once: who should have it gets it.
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 0,
        MessageSystemAttributeNames: ['MessageGroupId'],
      }),
    );
    for (const { Body, Attributes } of messages) {
      const MessageGroupId = Attributes!['MessageGroupId']!;
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: Body, MessageGroupId, MessageDeduplicationId: `again-${sent++}` }));
    }
    if (messages.length === 0) await sleep(lookEveryMs);
  }
  return sent;
}

function queueUrl({ endpoint }: Emulator, job: string, uid: string): string {
  return `${endpoint}/000000000000/${awsQueueName(job as JobId, uid as OperatorUid)}`;
}
