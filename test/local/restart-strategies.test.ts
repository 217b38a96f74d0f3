/** Restart strategies in the whole engine: a function that throws repeats its own batch and never takes the job back. */
import { describe, expect, test } from 'vitest';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { exceptionsView } from '../../lib/api/views/exceptions-view.ts';
import { collectSink, compileJob, defineJob, valueState, type CompiledJob } from '../../lib/index.ts';
import type { JobConfiguration } from '../../lib/model/job-configuration.ts';
import { gatedInput, until, useWorld, type GatedInput } from '../scenarios/support.ts';

const world = useWorld();
const numbers = Array.from({ length: 500 }, (_, n) => n);

/** Throws at `bad` so many times. */
class Trouble {
  readonly bad: number;
  left: number;
  readonly metAtMs: number[] = [];

  constructor(bad: number, times: number) {
    this.bad = bad;
    this.left = times;
  }

  meet(n: number): void {
    if (n !== this.bad || this.left === 0) return;
    this.left--;
    this.metAtMs.push(performance.now());
    throw new Error(`not ${n}`);
  }
}

function summing(input: GatedInput<number>, trouble: Trouble, configuration: JobConfiguration): CompiledJob {
  const job = defineJob({
    name: 'summing',
    configuration,
    build(env) {
      env
        .fromSource(input.source)
        .uid('numbers')
        .keyBy((n) => n % 7)
        .process({
          state: { sum: valueState<number>() },
          process(n, { state, emit }) {
            const sum = (state.sum.value() ?? 0) + n;
            state.sum.update(sum);
            emit({ n, sum });
            trouble.meet(n);
          },
        })
        .uid('sum')
        .sinkTo(collectSink('sums'))
        .uid('sums');
    },
  });
  return compileJob(job);
}

function expectExact(): void {
  const sums = new Map<number, number>();
  const expected = numbers.map((n) => {
    sums.set(n % 7, (sums.get(n % 7) ?? 0) + n);
    return { n, sum: sums.get(n % 7)! };
  });
  const results = world.collect.published('sums') as readonly { n: number; sum: number }[];
  expect(results.toSorted((a, b) => a.n - b.n)).toEqual(expected);
}

const fixed = (attempts: number, delay: string): JobConfiguration => ({
  'restart-strategy.type': 'fixed-delay',
  'restart-strategy.fixed-delay.attempts': attempts,
  'restart-strategy.fixed-delay.delay': delay,
});

describe('a function that throws', () => {
  test('and then does not any more has its batch done once, after the pauses of the strategy, in the same attempt', async () => {
    const trouble = new Trouble(333, 3);
    const input = gatedInput('passing', [numbers]);
    const run = await world.start(summing(input, trouble, fixed(3, '60 ms')));
    input.open(1);
    expect(await run.finished()).toMatchObject({ attempt: 1, counts: { restored: 0 }, restarts: { attempts: 3 } });
    const [first, second, third] = trouble.metAtMs as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(55);
    expect(third - second).toBeGreaterThanOrEqual(55);
    expectExact();
  });

  test('once more than the strategy bears fails the job, which says where; corrected and run again it goes on', async () => {
    const trouble = new Trouble(333, Infinity);
    const input = gatedInput('lasting', [numbers], 50);
    const run = await world.start(summing(input, trouble, fixed(2, '20 ms')), { dataDir: 'data', code: 'a' });
    await run.checkpointAfter(() => input.open(0.4));
    input.open(1);
    const { status, attempt } = await run.running.ended;
    expect({ status, attempt, tries: trouble.metAtMs.length }).toEqual({ status: 'FAILED', attempt: 1, tries: 3 });
    const deps = run.running.engine.coordinator;
    const control = createPortJobControl({ deps, savepointDirectory: null, checkpointLocation: (key) => key });
    const failure = (await control.failure(run.running.job))!;
    expect(failure).toMatchObject({ code: 'SLUICE-USER-CODE', operator: 'sum', shard: 0 });
    expect(failure.facts).toMatchObject({
      key: '4',
      record: '333',
      channel: '0/0>0',
      sequence: expect.any(Number) as unknown,
      index: 33,
      restarts: 2,
    });
    const shown = JSON.stringify(exceptionsView(failure, []));
    for (const fact of ['sum (1)', 'key: 4', 'record: 333', 'channel: ', 'sequence: ', 'index: ', 'restarts: 2'])
      expect(shown).toContain(fact);
    await run.close();

    trouble.left = 0;
    const again = await world.start(summing(input, trouble, fixed(2, '20 ms')), { dataDir: 'data', code: 'b' });
    expect(await again.finished()).toMatchObject({ attempt: 2, restarts: { attempts: 0 } });
    expectExact();
  });

  test('fails the job at once where there is no strategy', async () => {
    const trouble = new Trouble(3, Infinity);
    const input = gatedInput('none', [numbers]);
    const run = await world.start(summing(input, trouble, { 'restart-strategy.type': 'none' }));
    input.open(1);
    expect((await run.running.ended).status).toBe('FAILED');
    expect(trouble.metAtMs).toHaveLength(1);
  });

  test('may throw as often as it likes by default: the problem is shown at once, with what to do, and the job goes on', async () => {
    const trouble = new Trouble(333, 1);
    const input = gatedInput('default', [numbers]);
    const run = await world.start(summing(input, trouble, { 'restart-strategy.exponential-delay.initial-backoff': '200 ms' }));
    input.open(1);
    const deps = run.running.engine.coordinator;
    const control = createPortJobControl({ deps, savepointDirectory: null, checkpointLocation: (key) => key });
    await until(async () => (await control.problems(run.running.job)).length > 0);
    expect(await control.problems(run.running.job)).toMatchObject([{ code: 'SLUICE-USER-CODE', operator: 'sum', shard: 0, tries: 1 }]);
    expect((await control.details(run.running.job))!.restart).toMatchObject({ type: 'exponential-delay', initialBackoffMs: 200 });
    await run.finished();
    expectExact();
  });

  test('keeps its count over the end of the process', async () => {
    const trouble = new Trouble(333, Infinity);
    const input = gatedInput('killed', [numbers]);
    const first = await world.start(summing(input, trouble, fixed(1, '300 ms')), { dataDir: 'data', code: 'a' });
    input.open(1);
    await until(async () => (await first.record()).restarts?.attempts === 1);
    await first.close();
    // What it waited for in memory is gone; how often it has failed, and when it may be tried again, is not.
    const second = await world.start(summing(input, trouble, fixed(1, '300 ms')), { dataDir: 'data', code: 'a' });
    expect((await second.running.ended).status).toBe('FAILED');
    const [before, , after] = trouble.metAtMs as [number, number, number];
    expect(trouble.metAtMs).toHaveLength(3);
    expect(after - before).toBeGreaterThanOrEqual(260);
  });
});
