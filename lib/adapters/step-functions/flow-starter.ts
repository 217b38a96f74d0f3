/**
 * Starts flows as executions of their state machines.
 *
 * FS1. A name is used once, for ninety days after its execution has ended. While it runs, the same start with the same input is `started` once more, which
 *      is true, too.
 * FS2. What DescribeExecution does not know is not running. It may be a moment behind: an execution may be unknown that has just been started.
 */
import { DescribeExecutionCommand, StartExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { errorName } from '../../base/error-name.ts';
import { invariant } from '../../base/invariant.ts';
import type { FlowStarter } from '../../ports/system.ts';
import { telling } from '../aws-sdk/telling.ts';
import { executionName } from './execution-name.ts';
import { payloadText } from './payload-text.ts';

export interface FlowStarterOptions {
  readonly client: SFNClient;
  readonly stateMachineArn: (flow: string) => string | undefined;
  /** In which flows an execution of that name may be: people start some of them under any. */
  readonly flowsOf: (name: string) => readonly string[];
}

export function createStepFunctionsFlowStarter({ client, stateMachineArn, flowsOf }: FlowStarterOptions): FlowStarter {
  return telling<FlowStarter>('Step Functions', {
    start: async (flow, name, input) => {
      const machine = stateMachineArn(flow);
      invariant(machine !== undefined, 'FS1', `there is no state machine for the flow ${flow}`);
      const execution = { stateMachineArn: machine, name: executionName(name), input: payloadText(`input of ${name}`, input) };
      try {
        await client.send(new StartExecutionCommand(execution));
        return 'started';
      } catch (error) {
        if (errorName(error) === 'ExecutionAlreadyExists') return 'exists';
        throw error;
      }
    },
    isRunning: async (name) => {
      for (const flow of flowsOf(name)) {
        const machine = stateMachineArn(flow);
        if (machine !== undefined && (await isRunningIn(client, machine, name))) return true;
      }
      return false;
    },
  });
}

async function isRunningIn(client: SFNClient, machine: string, name: string): Promise<boolean> {
  const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${executionName(name)}`;
  try {
    const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
    return status === 'RUNNING';
  } catch (error) {
    if (errorName(error) === 'ExecutionDoesNotExist') return false;
    throw error;
  }
}
