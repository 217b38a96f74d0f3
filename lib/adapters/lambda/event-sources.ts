/**
 * Turns the event source mappings of a job's functions on and off.
 *
 * EM1. A mapping that is being changed takes no other change (`ResourceInUseException`, up to a minute): the step that wants one is tried again.
 */
import { GetEventSourceMappingCommand, UpdateEventSourceMappingCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { errorName } from '../../base/error-name.ts';
import { SluiceError } from '../../base/errors.ts';
import type { EventSources } from '../../ports/event-sources.ts';
import { telling } from '../aws-sdk/telling.ts';

export interface LambdaEventSourcesOptions {
  readonly client: LambdaClient;
  /** UUIDs of the mappings of the one job that asks. */
  readonly mappings: readonly string[];
}

/** What a mapping is, or is about to become. */
const wantedStates = { on: ['Enabled', 'Enabling'], off: ['Disabled', 'Disabling'] } as const;

export function createLambdaEventSources({ client, mappings }: LambdaEventSourcesOptions): EventSources {
  return telling<EventSources>('Lambda', {
    turn: async (_, to) => {
      for (const UUID of mappings) {
        const { State: state = '' } = await client.send(new GetEventSourceMappingCommand({ UUID }));
        if (!(wantedStates[to] as readonly string[]).includes(state)) await update(client, UUID, to);
      }
    },
  });
}

async function update(client: LambdaClient, UUID: string, to: 'on' | 'off'): Promise<void> {
  try {
    await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: to === 'on' }));
  } catch (error) {
    if (errorName(error) !== 'ResourceInUseException') throw error;
    throw new SluiceError('SLUICE-MAPPING-BUSY', `event source mapping ${UUID} is being changed and cannot be turned ${to} yet`, {
      hint: 'It is tried again by itself. If it stays: look at the mapping in the Lambda console, or deploy again.',
      facts: { mapping: UUID },
      cause: error,
      retryable: true,
    });
  }
}
