import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dollarsOf } from '../../lib/cost/dollars.ts';
import { readPrices, usEast1 } from '../../lib/cost/prices.ts';
import { addBills, requestsOf, type Bill } from '../../lib/model/bill.ts';

const bill: Bill = {
  'dynamodb.PutItem': 2,
  'dynamodb.PutItem.write-unit': 3,
  's3.PutObject': 1,
  's3.PutObject.class-1': 1,
  'lambda.Invoke': 4,
  'lambda.Invoke.mb-ms': 1_024 * 1_000,
  'lambda.UpdateEventSourceMapping': 1,
  'event-source.ReceiveMessage': 5,
  'event-source.ReceiveMessage.fifo-64kb': 6,
  'states.Transition': 4,
  'step-functions.StartExecution': 1,
  'scheduler.CreateSchedule': 1,
};

describe('a bill', () => {
  test('counts what AWS counts, and apart from it what our own clients sent', () => {
    expect(requestsOf(bill)).toBe(2 + 1 + 4 + 1 + 5 + 4 + 1 + 1);
    expect(requestsOf(bill, 'sent')).toBe(2 + 1 + 1 + 1 + 1);
  });

  test('is the sum of its parts, and nothing where there are none', () => {
    expect(addBills({ a: 1 }, undefined, { a: 2, b: 3 })).toEqual({ a: 3, b: 3 });
    expect(addBills(undefined, {})).toBeUndefined();
  });

  test('costs what its units cost, by the service that takes the money', () => {
    const { total, byService } = dollarsOf(bill, usEast1);
    expect(byService).toEqual({
      dynamodb: expect.closeTo(3 * 0.625e-6, 12) as number,
      s3: expect.closeTo(5e-6, 12) as number,
      lambda: expect.closeTo(4 * 0.2e-6 + 0.0000133334, 12) as number,
      sqs: expect.closeTo(6 * 0.5e-6, 12) as number,
      'step-functions': expect.closeTo(4 * 25e-6, 12) as number,
      scheduler: expect.closeTo(1e-6, 12) as number,
    });
    expect(total).toBeCloseTo(
      Object.values(byService).reduce((sum, dollars) => sum + dollars, 0),
      12,
    );
  });

  test('costs together what its parts cost alone', () => {
    const name = fc.constantFrom(...Object.keys(bill));
    const some = fc.dictionary(name, fc.nat({ max: 1_000_000 }));
    fc.assert(
      fc.property(some, some, (a, b) => {
        const together = dollarsOf(addBills(a, b) ?? {}, usEast1).total;
        expect(together).toBeCloseTo(dollarsOf(a, usEast1).total + dollarsOf(b, usEast1).total, 6);
      }),
    );
  });

  test('may hold what this version has no price for', () => {
    expect(dollarsOf({ 'later.Thing': 5, 'later.Thing.rare-unit': 5 }, usEast1).total).toBe(0);
  });
});

describe('a price table', () => {
  test('is the standard one where a file says nothing else', () => {
    expect(readPrices('{}', 'it')).toEqual(usEast1);
    const own = readPrices('{"region":"eu-central-1","perMillion":{"class-1":5.4}}', 'it');
    expect(own).toEqual({ ...usEast1, region: 'eu-central-1', perMillion: { ...usEast1.perMillion, 'class-1': 5.4 } });
    expect(readPrices(JSON.stringify(usEast1), 'it')).toEqual(usEast1);
  });

  test.each([
    ['{', /price table it cannot be used/],
    ['[]', /the table is no object/],
    ['{"perMillion":{"class-1":"5"}}', /perMillion\.class-1 is "5", dollars are wanted/],
    ['{"perMillion":{"class-1":-1}}', /perMillion\.class-1 is -1, dollars are wanted/],
    ['{"perMilion":{},"region":7}', /perMilion is unknown; region is 7, a text is wanted/],
    ['{"flink":3}', /flink is no object/],
  ])('%s is refused', (text, message) => {
    expect(() => readPrices(text, 'it')).toThrow(expect.objectContaining({ code: 'SLUICE-COST-PRICES', message: expect.stringMatching(message) as string }) as Error); // prettier-ignore
  });
});
