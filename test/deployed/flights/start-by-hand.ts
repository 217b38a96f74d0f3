/** A flow started as from the Step Functions console: no more than a small JSON. */
import { DescribeExecutionCommand, ListStateMachinesCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsStateMachineName } from '../../../lib/model/aws-names.ts';
import type { JobId } from '../../../lib/base/ids.ts';
import { region } from '../../../localstack/emulator.ts';
import type { Deployed } from '../deployed.ts';

const lookEveryMs = 250;

export interface Execution {
  readonly arn: string;
  readonly status: string;
  /** The data that it ended with. */
  readonly output: Readonly<Record<string, unknown>>;
}

/** `input`: besides the job's id. Waits for the end. */
export async function startByHand({ emulator, outputs }: Deployed, flow: string, input: object): Promise<Execution> {
  const sfn = new SFNClient({ endpoint: emulator.endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const jobId = outputs['JobId']!;
  const { stateMachines = [] } = await sfn.send(new ListStateMachinesCommand());
  const machine = stateMachines.find(({ name }) => name === awsStateMachineName(jobId as JobId, flow));
  const asked = { stateMachineArn: machine!.stateMachineArn!, input: JSON.stringify({ jobId, ...input }) };
  const { executionArn } = await sfn.send(new StartExecutionCommand(asked));
  for (;;) {
    const { status, output } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') return { arn: executionArn!, status: status!, output: JSON.parse(output ?? '{}') as Execution['output'] };
    await sleep(lookEveryMs);
  }
}
