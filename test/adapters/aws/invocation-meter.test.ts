import { describe, expect, test } from 'vitest';
import { InvocationMeter } from '../../../lib/adapters/lambda/invocation-meter.ts';
import { withRelay } from '../../../lib/adapters/sqs/relay-bill.ts';
import { sqsRecord } from './fake-sqs.ts';

function meterAt(startMs: number, memoryMb = 100) {
  const time = { nowMs: startMs };
  return { time, meter: new InvocationMeter({ clock: { monotonic: () => time.nowMs }, memoryMb }) };
}

const batch = (...bodies: readonly string[]) => ({ Records: bodies.map((body, index) => sqsRecord({ messageId: `${index}`, body })) });

describe('what an invocation costs', () => {
  test('is a call, its time, and what its event source did in the queue', async () => {
    const { time, meter } = meterAt(0);
    await meter.around(batch('a'.repeat(65_536), 'b'), async () => void (time.nowMs += 25));
    expect(meter.takeBill()).toEqual({
      'lambda.Invoke': 1,
      'lambda.Invoke.mb-ms': 2_500,
      'event-source.ReceiveMessage': 1,
      'event-source.ReceiveMessage.standard-64kb': 2,
      'event-source.DeleteMessageBatch': 1,
      'event-source.DeleteMessageBatch.standard-64kb': 1,
    });
    expect(meter.takeBill()).toEqual({});
  });

  test('is of a FIFO queue where the batch came from one', async () => {
    const { meter } = meterAt(0);
    const { Records } = batch('a');
    await meter.around({ Records: [{ ...Records[0]!, eventSourceARN: 'arn:aws:sqs:r:0:queue.fifo' }] }, async () => undefined);
    expect(meter.takeBill()).toMatchObject({ 'event-source.ReceiveMessage.fifo-64kb': 1 });
  });

  test('has the start of its process in the first one, and no time between two', async () => {
    const { time, meter } = meterAt(300);
    await meter.around(null, async () => void (time.nowMs += 10));
    expect(meter.takeBill()).toEqual({ 'lambda.Invoke': 1, 'lambda.Invoke.mb-ms': 31_000 });
    time.nowMs += 5_000;
    await meter.around(null, async () => void (time.nowMs += 10));
    expect(meter.takeBill()).toEqual({ 'lambda.Invoke': 1, 'lambda.Invoke.mb-ms': 1_000 });
  });

  test('is taken up to now in the midst of it, and the rest later', async () => {
    const { time, meter } = meterAt(0);
    await meter.around(null, async () => {
      time.nowMs += 10;
      expect(meter.takeBill()).toEqual({ 'lambda.Invoke': 1, 'lambda.Invoke.mb-ms': 1_000 });
      time.nowMs += 5;
    });
    expect(meter.takeBill()).toEqual({ 'lambda.Invoke.mb-ms': 500 });
  });

  test('counts an invocation that throws too, and no time where the memory is not known', async () => {
    const { time, meter } = meterAt(0, 0);
    const failing = meter.around(null, () => {
      time.nowMs += 10;
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    expect(meter.takeBill()).toEqual({ 'lambda.Invoke': 1 });
  });
});

test('who sends to the delay queue is billed for the relay as well', () => {
  expect(withRelay({ 'sqs.SendMessageBatch': 3 })).toEqual({ 'sqs.SendMessageBatch': 3 });
  expect(withRelay({ 'sqs.SendMessage': 2, 'sqs.SendMessageBatch': 3 })).toMatchObject({
    'sqs.SendMessage': 2,
    'sqs.SendMessageBatch': 5,
    'lambda.Invoke': 2,
    'event-source.ReceiveMessage.standard-64kb': 2,
  });
});
