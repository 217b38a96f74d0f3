import { describe, expect, test } from 'vitest';
import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import type { Flow, TaskState } from '../../lib/coordinator/flow.ts';
import type { RetryRule } from '../../lib/coordinator/flow-rules.ts';
import { flowDescriptions } from '../../lib/coordinator/flow-descriptions.ts';
import { FlowInterpreter, type TaskHandlers } from '../../lib/local/flow-interpreter.ts';
import type { FlowExecution } from '../../lib/ports/flow-store.ts';
import { deepFreeze } from '../contract/fixture.ts';
import { ManualTime, settle } from '../contract/manual-time.ts';

function task(name: string, more: Partial<TaskState> = {}): TaskState {
  return { type: 'task', task: name, parameters: {}, resultPath: null, retry: [], catch: [], ...more };
}

const retry = (errors: readonly string[], maxAttempts: number, more: Partial<RetryRule> = {}): RetryRule => ({
  errors,
  maxAttempts,
  intervalSeconds: 1,
  backoffRate: 2,
  maxDelaySeconds: 60,
  ...more,
});

/** One of everything: wait, choice, token, plain task, catch. */
const everything: Flow = {
  name: 'everything',
  startAt: 'Wait',
  states: {
    Wait: { type: 'wait', timestampPath: '$.at', next: 'Ask' },
    Ask: task('ask', {
      waitForToken: true,
      parameters: { 'token.$': '$$.Task.Token', 'name.$': '$$.Execution.Name', constant: { 'deep.$': '$.deep.value', kept: 1 } },
      timeoutSeconds: 30,
      resultPath: '$.answer',
      catch: [{ errors: ['States.ALL'], resultPath: '$.error', next: 'Caught' }],
      next: 'Branch',
    }),
    Branch: { type: 'choice', choices: [{ path: '$.answer.again', equals: true, next: 'Ask' }], otherwise: 'Do' },
    Do: task('do', {
      parameters: { 'answer.$': '$.answer' },
      retry: [retry(['Nope'], 0), retry(['States.ALL'], 2)],
      catch: [{ errors: ['Nope'], resultPath: '$.error', next: 'Caught' }],
      next: 'Done',
    }),
    Done: { type: 'succeed' },
    Caught: task('caught', { parameters: { 'error.$': '$.error' }, next: 'Broken' }),
    Broken: { type: 'fail', error: 'Broken', causePath: '$.error.Cause' },
  },
};

class Bench {
  readonly time = new ManualTime();
  readonly stores = createMemoryStores({ ...this.time, random: { hex: () => '0', fraction: () => 0 }, protect: deepFreeze });
  readonly calls: { readonly task: string; readonly input: unknown }[] = [];
  readonly saved: FlowExecution[] = [];
  interpreter: FlowInterpreter;
  handlers: Record<string, (input: unknown) => Promise<unknown>> = {};

  constructor() {
    const save = this.stores.flows.save.bind(this.stores.flows);
    this.stores.flows.save = async (execution) => {
      this.saved.push(execution);
      await save(execution);
    };
    this.interpreter = this.#make();
  }

  #make(): FlowInterpreter {
    const logger = { log: () => undefined };
    return new FlowInterpreter({
      store: this.stores.flows,
      clock: this.time.clock,
      timers: this.time.timers,
      logger,
      flows: [everything, ...flowDescriptions],
    });
  }

  #recorded(): TaskHandlers {
    return Object.fromEntries(
      ['ask', 'do', 'caught'].map((name) => [
        name,
        async (input: unknown) => {
          this.calls.push({ task: name, input });
          return this.handlers[name]?.(input);
        },
      ]),
    );
  }

  async boot(): Promise<void> {
    await this.interpreter.resume(this.#recorded());
    await settle();
  }

  /** Another process on the same store. */
  async reboot(): Promise<void> {
    await this.interpreter.stop();
    this.interpreter = this.#make();
    await this.boot();
  }

  async start(inMs = 1_000): Promise<void> {
    const at = new Date(this.time.clock.now() + inMs).toISOString();
    expect(await this.interpreter.start('everything', 'one', { at, deep: { value: [1, 2] } })).toBe('started');
    await settle();
  }

  async execution(): Promise<FlowExecution> {
    return (await this.stores.flows.read('one'))!;
  }

  get token(): string {
    return (this.calls.findLast((call) => call.task === 'ask')!.input as { token: string }).token;
  }
}

describe('the flow interpreter', () => {
  test('waits, asks with a token, branches, does and succeeds, with data where the description puts it', async () => {
    const bench = new Bench();
    await bench.boot();
    await bench.start();
    await bench.time.advance(999);
    expect(bench.calls).toEqual([]);
    await bench.time.advance(1);
    expect(bench.calls).toMatchObject([{ task: 'ask', input: { name: 'one', constant: { deep: [1, 2], kept: 1 } } }]);
    expect(await bench.interpreter.succeed(bench.token, { again: true })).toBe('taken');
    await settle();
    expect(await bench.interpreter.succeed(bench.token, { again: false, n: 7 })).toBe('taken');
    await settle();
    expect(bench.calls.at(-1)).toEqual({ task: 'do', input: { answer: { again: false, n: 7 } } });
    expect(await bench.execution()).toMatchObject({ status: 'SUCCEEDED', data: { deep: { value: [1, 2] }, answer: { n: 7 } } });
    expect(await bench.interpreter.isRunning('one')).toBe(false);
  });

  test('starts a name once, also after its end and after a restart', async () => {
    const bench = new Bench();
    await bench.boot();
    await bench.start();
    expect(await bench.interpreter.start('everything', 'one', {})).toBe('exists');
    await bench.reboot();
    expect(await bench.interpreter.start('everything', 'one', {})).toBe('exists');
    await expect(bench.interpreter.start('unknown', 'two', {})).rejects.toMatchObject({ code: 'SLUICE-INVARIANT' });
  });

  test('takes one answer to a token, the first, and none after its timeout or to an earlier try', async () => {
    const bench = new Bench();
    await bench.boot();
    await bench.start(0);
    await bench.time.advance(0);
    const first = bench.token;
    const answers = await Promise.all([
      bench.interpreter.succeed(first, { again: true }),
      bench.interpreter.fail(first, { code: 'X', cause: '' }),
    ]);
    expect(answers).toEqual(['taken', 'gone']);
    await settle();
    expect(bench.token).not.toBe('');
    const second = bench.token;
    await bench.time.advance(30_000);
    expect(await bench.interpreter.succeed(second, {})).toBe('gone');
    expect(await bench.interpreter.succeed('nobody', {})).toBe('gone');
    expect(await bench.execution()).toMatchObject({ status: 'FAILED', data: { error: { Error: 'Broken' } } });
    expect(bench.calls.at(-1)).toMatchObject({ task: 'caught', input: { error: { Error: 'States.Timeout' } } });
  });

  test('a token may be answered while its task still runs, and the task that fails afterwards changes nothing', async () => {
    const bench = new Bench();
    bench.handlers['ask'] = async (input) => {
      await bench.interpreter.succeed((input as { token: string }).token, { again: false });
      throw new Error('too late');
    };
    await bench.boot();
    await bench.start(0);
    await bench.time.advance(0);
    expect(await bench.execution()).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('tries again with growing pauses as the first rule that names the error says, then catches', async () => {
    const bench = new Bench();
    let left = 5;
    bench.handlers['ask'] = async (input) => bench.interpreter.succeed((input as { token: string }).token, { again: false });
    bench.handlers['do'] = async () => {
      if (left-- > 0) throw Object.assign(new Error('no'), { code: 'Temporary' });
    };
    await bench.boot();
    await bench.start(0);
    await bench.time.advance(0);
    const tries = (): number => bench.calls.filter((call) => call.task === 'do').length;
    expect(tries()).toBe(1);
    await bench.time.advance(999);
    expect(tries()).toBe(1);
    await bench.time.advance(1);
    expect(tries()).toBe(2);
    await bench.time.advance(1_999);
    expect(tries()).toBe(2);
    await bench.time.advance(1);
    expect(tries()).toBe(3);
    expect(await bench.execution()).toMatchObject({ status: 'FAILED', state: 'Do', data: { error: { Error: 'Temporary', Cause: 'no' } } });
  });

  test('does not try again what a rule of no attempts names', async () => {
    const bench = new Bench();
    bench.handlers['ask'] = async (input) => bench.interpreter.succeed((input as { token: string }).token, { again: false });
    bench.handlers['do'] = async () => {
      throw Object.assign(new Error('never'), { code: 'Nope' });
    };
    await bench.boot();
    await bench.start(0);
    await bench.time.advance(0);
    expect(bench.calls.map((call) => call.task)).toEqual(['ask', 'do', 'caught']);
  });

  test('goes on from every state that it ever stored, as if nothing had been', async () => {
    const run = async (rebootAt: number | null): Promise<{ readonly data: unknown; readonly saves: number }> => {
      const bench = new Bench();
      let failures = 1;
      let again = true;
      bench.handlers['ask'] = async (input) => {
        await bench.interpreter.succeed((input as { token: string }).token, { again });
        again = false;
      };
      bench.handlers['do'] = async () => {
        if (failures-- > 0) throw new Error('once');
      };
      await bench.boot();
      await bench.start();
      for (let ms = 0; ms < 10_000; ms += 100) {
        if (rebootAt !== null && bench.saved.length >= rebootAt) {
          rebootAt = null;
          await bench.reboot();
        }
        await bench.time.advance(100);
      }
      const { status, data } = await bench.execution();
      expect(status).toBe('SUCCEEDED');
      return { data, saves: bench.saved.length };
    };
    const straight = await run(null);
    for (let at = 0; at <= straight.saves; at++) expect(await run(at)).toEqual(straight);
  });

  test.each(['Wait', 'Ask', 'Branch', 'Do', 'Done', 'Caught', 'Broken'])(
    'resumes an execution that was stored in state %s',
    async (state) => {
      const bench = new Bench();
      bench.handlers['ask'] = async (input) => bench.interpreter.succeed((input as { token: string }).token, { again: false });
      const data = {
        at: new Date(bench.time.clock.now()).toISOString(),
        deep: { value: 1 },
        answer: { again: false },
        error: { Error: 'E', Cause: 'C' },
      };
      await bench.stores.flows.create({
        name: 'one',
        flow: 'everything',
        status: 'RUNNING',
        state,
        data,
        token: null,
        dueAtMs: null,
        retries: 0,
        startedAtMs: 1,
      });
      await bench.boot();
      await bench.time.advance(10);
      expect((await bench.execution()).status).toBe(['Caught', 'Broken'].includes(state) ? 'FAILED' : 'SUCCEEDED');
    },
  );

  test('asks again with the same token after a restart, and keeps its timeout', async () => {
    const bench = new Bench();
    await bench.boot();
    await bench.start(0);
    await bench.time.advance(20_000);
    const before = bench.token;
    await bench.reboot();
    expect(bench.calls.filter((call) => call.task === 'ask')).toHaveLength(2);
    expect(bench.token).toBe(before);
    await bench.time.advance(9_999);
    expect((await bench.execution()).status).toBe('RUNNING');
    await bench.time.advance(1);
    expect((await bench.execution()).status).toBe('FAILED');
  });

  test('waits for the clock, not for the timer: one that comes early is set again', async () => {
    const bench = new Bench();
    await bench.boot();
    await bench.start(5 * 3_600_000);
    await bench.time.advance(5 * 3_600_000 - 1);
    expect(bench.calls).toEqual([]);
    await bench.time.advance(1);
    expect(bench.calls).toHaveLength(1);
  });
});

describe('the flow descriptions', () => {
  const states = flowDescriptions.flatMap((flow) => Object.entries(flow.states).map(([name, state]) => ({ flow, name, state })));

  test('lead from every state to states that exist, and to an end', () => {
    for (const { flow, name, state } of states) {
      const next =
        state.type === 'task'
          ? [state.next, ...state.catch.map((rule) => rule.next)]
          : state.type === 'choice'
            ? [state.otherwise, ...state.choices.map((choice) => choice.next)]
            : state.type === 'wait'
              ? [state.next]
              : [];
      for (const target of next) if (target !== undefined) expect(Object.keys(flow.states), `${flow.name}.${name}`).toContain(target);
    }
    for (const flow of flowDescriptions) {
      expect(flow.states[flow.startAt]).toBeDefined();
      expect(
        Object.values(flow.states).some((state) =>
          state.type === 'task' ? state.next === undefined : ['succeed', 'fail'].includes(state.type),
        ),
      ).toBe(true);
    }
  });

  test('use only what Step Functions can do: whole seconds, one token, retries in bounds, errors caught where all are', () => {
    for (const { flow, name, state } of states) {
      if (state.type !== 'task') continue;
      for (const rule of state.retry) {
        expect(Number.isInteger(rule.intervalSeconds) && rule.intervalSeconds >= 1, name).toBe(true);
        expect(Number.isInteger(rule.maxAttempts) && rule.maxAttempts <= 99_999_999 && rule.backoffRate >= 1, name).toBe(true);
        // Step Functions wants States.ALL alone, and last.
        if (rule.errors.includes('States.ALL')) expect([rule.errors.length, state.retry.at(-1)], name).toEqual([1, rule]);
      }
      const usesToken = JSON.stringify(state.parameters).includes('$$.Task.Token');
      expect(usesToken, `${flow.name}.${name}`).toBe(state.waitForToken === true);
    }
  });

  test('have a handler for every task, and a task for every handler', async () => {
    const { coordinatorTasks } = await import('../../lib/coordinator/coordinator-tasks.ts');
    const used = new Set(states.flatMap(({ state }) => (state.type === 'task' ? [state.task] : [])));
    expect(Object.keys(coordinatorTasks({} as never)).sort()).toEqual([...used].sort());
  });
});
