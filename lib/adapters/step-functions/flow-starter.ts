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
  /** Of which flow the execution of that name is; a name of Sluice's begins with it. */
  readonly flowOf: (name: string) => string | undefined;
}

export function createStepFunctionsFlowStarter({ client, stateMachineArn, flowOf }: FlowStarterOptions): FlowStarter {
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
      const flow = flowOf(name);
      const machine = flow === undefined ? undefined : stateMachineArn(flow);
      if (machine === undefined) return false;
      const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${executionName(name)}`;
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
        return status === 'RUNNING';
      } catch (error) {
        if (errorName(error) === 'ExecutionDoesNotExist') return false;
        throw error;
      }
    },
  });
}
