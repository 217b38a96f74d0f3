/**
 * Answers the task token that an execution waits on.
 *
 * CS1. `gone` may be our own answer: the SDK repeats a request whose answer was lost, and a token is answered once.
 */
import { SendTaskFailureCommand, SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { errorName } from '../../base/error-name.ts';
import type { CoordinatorSignal } from '../../ports/system.ts';
import { telling } from '../aws-sdk/telling.ts';
import { payloadText } from './payload-text.ts';

/** The execution has ended, the task has timed out or was answered; or the token is of another account, which no later try would change. */
const goneNames: readonly string[] = ['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'];
const errorCharactersMax = 256;
const causeCharactersMax = 32_768;

export function createStepFunctionsSignal(client: SFNClient): CoordinatorSignal {
  return telling<CoordinatorSignal>('Step Functions', {
    succeed: (token, output) => {
      const text = payloadText('output of a task', output);
      return answered(() => client.send(new SendTaskSuccessCommand({ taskToken: token, output: text })));
    },
    fail: (token, { code, cause }) => {
      const failure = { error: code.slice(0, errorCharactersMax), cause: cause.slice(0, causeCharactersMax) };
      return answered(() => client.send(new SendTaskFailureCommand({ taskToken: token, ...failure })));
    },
  });
}

async function answered(send: () => Promise<unknown>): Promise<'taken' | 'gone'> {
  try {
    await send();
    return 'taken';
  } catch (error) {
    if (goneNames.includes(errorName(error) ?? '')) return 'gone';
    throw error;
  }
}
