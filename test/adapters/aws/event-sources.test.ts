import { LambdaClient } from '@aws-sdk/client-lambda';
import { beforeEach, expect, test } from 'vitest';
import { createLambdaEventSources } from '../../../lib/adapters/lambda/event-sources.ts';
import type { JobId } from '../../../lib/base/ids.ts';
import { clientConfig, FakeService, json, jsonError } from './fake-service.ts';

const job = 'a'.repeat(32) as JobId;
let states: Map<string, string>;
let service: FakeService;

beforeEach(() => {
  states = new Map([
    ['one', 'Enabled'],
    ['two', 'Disabled'],
  ]);
  service = new FakeService(
    ({ method }) => (method === 'GET' ? 'GetEventSourceMapping' : 'UpdateEventSourceMapping'),
    async ({ operation, path, body }) => {
      const id = path.split('/').at(-1)!;
      const state = states.get(id);
      if (state === undefined) return jsonError('ResourceNotFoundException', 404);
      if (operation === 'GetEventSourceMapping') return json({ UUID: id, State: state });
      if (state.endsWith('ing')) return jsonError('ResourceInUseException');
      const { Enabled: isOn } = JSON.parse(body.toString()) as { readonly Enabled: boolean };
      states.set(id, isOn ? 'Enabling' : 'Disabling');
      return json({ UUID: id, State: states.get(id) });
    },
  );
});

const sources = (...mappings: readonly string[]) => createLambdaEventSources({ client: new LambdaClient(clientConfig(service)), mappings });

test('mappings that are as wanted, or about to be, are left alone', async () => {
  await sources('one', 'two').turn(job, 'off');
  await sources('one', 'two').turn(job, 'off');
  expect(service.take()).toEqual([
    ...['GetEventSourceMapping', 'UpdateEventSourceMapping', 'GetEventSourceMapping'],
    ...['GetEventSourceMapping', 'GetEventSourceMapping'],
  ]);
  expect([...states.values()]).toEqual(['Disabling', 'Disabled']);
});

test('one that is still being turned off cannot be turned on yet, and says that it may be tried again', async () => {
  states.set('one', 'Disabling');
  await expect(sources('one').turn(job, 'on')).rejects.toMatchObject({ code: 'SLUICE-MAPPING-BUSY', retryable: true });
  states.set('one', 'Disabled');
  await sources('one').turn(job, 'on');
  expect(states.get('one')).toBe('Enabling');
});

test('one that is gone is refused with the operation that was refused', async () => {
  await expect(sources('none').turn(job, 'on')).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED' });
});

test('a throttled call is tried again', async () => {
  service.inject('UpdateEventSourceMapping', () => jsonError('TooManyRequestsException', 429));
  await sources('one').turn(job, 'off');
  expect(states.get('one')).toBe('Disabling');
});
