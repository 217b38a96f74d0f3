import { describe, expect, test } from 'vitest';
import { Container, Containers } from '../../lib/testing/sim/container.ts';
import { Decisions } from '../../lib/testing/sim/decisions.ts';
import { listedFaults, type CallFault } from '../../lib/testing/sim/fault.ts';
import { Trace } from '../../lib/testing/sim/trace.ts';
import { VirtualTime } from '../../lib/testing/sim/virtual-time.ts';

const lifeMs = 1_000;

/** One call of `store.put` by one container, whose first call meets this fault. */
async function call(kind?: CallFault, { stallMs = 500, method = 'put' } = {}) {
  const time = new VirtualTime();
  const faults = listedFaults(kind === undefined ? [] : [{ site: `function.store.${method}`, occurrence: 0, kind }]);
  const containers = new Containers({ time, decisions: new Decisions(1), faults, trace: new Trace(), lifeMs, latencyMs: 10, stallMs });
  const container = new Container('it', 'function');
  container.invokedAtMs = 0;
  const done: unknown[][] = [];
  const store = {
    put: async (...values: unknown[]) => done.push(values),
    sendBatch: async (_queue: string, messages: readonly unknown[]) => {
      done.push([...messages]);
      return messages.map(() => true);
    },
  };
  const port = containers.port(container, 'store', store);
  let answer: unknown = 'none';
  const asked = method === 'put' ? port.put('a') : port.sendBatch('queue', ['a', 'b', 'c']);
  asked.then(
    (value) => (answer = value),
    (error: unknown) => (answer = error),
  );
  await time.run(() => false);
  return { answer, done, alive: container.alive, taken: containers.taken, nowMs: time.nowMs, containers, port, time };
}

describe('a call of a container', () => {
  test('takes a little time, and nothing else happens to it without a fault', async () => {
    const { answer, done, alive, nowMs } = await call();
    expect([answer, done, alive]).toEqual([1, [['a']], true]);
    expect(nowMs).toBeGreaterThan(0);
  });

  test.each([
    ['crash-before', 'none', 0, false],
    ['crash-after', 'none', 1, false],
    ['twice', 2, 2, true],
    ['stall-before', 1, 1, true],
    ['stall-after', 1, 1, true],
  ] as const)('%s: the answer is %s, it happened %i times, the container lives: %s', async (kind, answer, times, alive) => {
    const seen = await call(kind);
    expect([seen.answer, seen.done.length, seen.alive]).toEqual([answer, times, alive]);
    expect(seen.taken).toEqual([{ site: 'function.store.put', occurrence: 0, kind }]);
  });

  test.each([
    ['error', 0],
    ['answer-lost', 1],
  ] as const)('%s: SLUICE-SIMULATED-FAULT, which may be tried again, and it happened %i times', async (kind, times) => {
    const { answer, done } = await call(kind);
    expect(answer).toMatchObject({ code: 'SLUICE-SIMULATED-FAULT', retryable: true });
    expect(done).toHaveLength(times);
  });

  test('partial: one message of a batch is not taken, the others are', async () => {
    const { answer, done } = await call('partial', { method: 'sendBatch' });
    expect((answer as readonly boolean[]).filter((taken) => !taken)).toHaveLength(1);
    expect(done[0]).toHaveLength(2);
  });

  test('does not come back to a container that stood still longer than an invocation may live', async () => {
    const { answer, done, alive } = await call('stall-before', { stallMs: lifeMs * 50 });
    expect([answer, done.length, alive]).toEqual(['none', 0, false]);
  });

  test('never happens once it is dead, and has no faults once everything works', async () => {
    const dead = await call('crash-after');
    void dead.port.put('b');
    await dead.time.run(() => false);
    expect(dead.done).toEqual([['a']]);
    const healed = await call();
    healed.containers.active = false;
    void healed.port.put('b');
    await healed.time.run(() => false);
    expect(healed.done).toEqual([['a'], ['b']]);
  });
});
