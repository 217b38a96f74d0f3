/**
 * Runs flow descriptions where no Step Functions does.
 *
 * Owns: moving executions from state to state, their tokens, retries, timeouts and waits. Does not own: what tasks do, durability (flow store), time.
 *
 * FI1. Every move is stored before anything that follows from it happens; after a restart each running execution goes on from its stored state.
 *      So a task may run again: tasks are idempotent.
 * FI2. A token is answered once: the first answer moves the execution, later ones and those after the timeout are `gone`.
 * FI3. Only what Step Functions can do: data is JSON, paths lead somewhere, results go where the description says.
 * FI4. The same clock, timers and answers give the same run.
 */
import { errorCode, errorMessage } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { Flow, FlowState, TaskState } from '../coordinator/flow.ts';
import type { FlowExecution, FlowStore } from '../ports/flow-store.ts';
import type { CancelTimer, Clock, CoordinatorSignal, FlowStarter, Logger, Timers } from '../ports/system.ts';
import { moveTo, passThrough, taskEnded, withToken, type TaskOutcome } from './flow-moves.ts';
import { contextOf, fillTemplate } from './flow-path.ts';

export type TaskHandlers = Readonly<Record<string, (input: unknown) => Promise<unknown>>>;

export interface FlowInterpreterDeps {
  readonly store: FlowStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly flows: readonly Flow[];
}

/** A wake-up may come a millisecond early; a stored time far ahead is looked at again from time to time, because clocks jump. */
const timerMsMax = 3_600_000;

export class FlowInterpreter implements CoordinatorSignal, FlowStarter {
  readonly #deps: FlowInterpreterDeps;
  readonly #flows: ReadonlyMap<string, Flow>;
  readonly #running = new Map<string, FlowExecution>();
  readonly #tokens = new Map<string, string>();
  readonly #timers = new Map<string, CancelTimer>();
  /** What was logged last of an execution: a task that is tried for hours fails for one reason. */
  readonly #told = new Map<string, string>();
  readonly #working = new Set<Promise<void>>();
  #handlers: TaskHandlers | null = null;

  constructor(deps: FlowInterpreterDeps) {
    this.#deps = deps;
    this.#flows = new Map(deps.flows.map((flow) => [flow.name, flow]));
  }

  /** Takes up what was running when the process ended. Tasks need the interpreter and it needs them, hence not in the constructor. */
  async resume(handlers: TaskHandlers): Promise<void> {
    this.#handlers = handlers;
    for (const execution of await this.#deps.store.running()) this.#take(execution);
  }

  /** Nothing more begins; what is under way ends. Stored executions go on after the next start. */
  async stop(): Promise<void> {
    this.#handlers = null;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.settled();
  }

  /** When no task is running and every execution waits for a time or a token. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  async start(flow: string, name: string, input: unknown): Promise<'started' | 'exists'> {
    const description = this.#flows.get(flow);
    invariant(description !== undefined, 'FI3', `there is no flow ${flow}`);
    const execution: FlowExecution = {
      name,
      flow,
      status: 'RUNNING',
      state: description.startAt,
      data: asJson(input),
      token: null,
      dueAtMs: null,
      retries: 0,
      startedAtMs: this.#deps.clock.now(),
    };
    if ((await this.#deps.store.create(execution)) === 'exists') return 'exists';
    this.#take(execution);
    return 'started';
  }

  async isRunning(name: string): Promise<boolean> {
    return (await this.#deps.store.read(name))?.status === 'RUNNING';
  }

  async succeed(token: string, output: unknown): Promise<'taken' | 'gone'> {
    return this.#answer(token, { result: asJson(output) });
  }

  async fail(token: string, error: { readonly code: string; readonly cause: string }): Promise<'taken' | 'gone'> {
    return this.#answer(token, { error: { Error: error.code, Cause: error.cause } });
  }

  async #answer(token: string, outcome: TaskOutcome): Promise<'taken' | 'gone'> {
    const name = this.#tokens.get(token);
    const execution = name === undefined ? undefined : this.#running.get(name);
    if (execution === undefined || execution.token !== token) return 'gone';
    // Taken before the first await: a second answer in the same moment finds it gone.
    this.#tokens.delete(token);
    try {
      await this.#move(this.#ended(execution, this.#stateOf(execution) as TaskState, outcome));
    } catch (error) {
      this.#tokens.set(token, execution.name);
      throw error;
    }
    return 'taken';
  }

  #stateOf({ flow, state }: FlowExecution): FlowState {
    const found = this.#flows.get(flow)?.states[state];
    invariant(found !== undefined, 'FI3', `flow ${flow} has no state ${state}`);
    return found;
  }

  async #move(next: FlowExecution): Promise<void> {
    await this.#deps.store.save(next);
    this.#timers.get(next.name)?.();
    this.#timers.delete(next.name);
    if (next.status === 'RUNNING') return this.#take(next);
    this.#running.delete(next.name);
    this.#told.delete(next.name);
  }

  /** Goes on with an execution as it is stored. */
  #take(execution: FlowExecution): void {
    this.#running.set(execution.name, execution);
    if (execution.token !== null) this.#tokens.set(execution.token, execution.name);
    const state = this.#stateOf(execution);
    const isWaiting = execution.dueAtMs !== null && (execution.token === null || state.type !== 'task');
    if (isWaiting) this.#wakeAt(execution, execution.dueAtMs);
    else this.#work(() => this.#enter(execution, state));
  }

  #work(task: () => Promise<void>): void {
    if (this.#handlers === null) return;
    const work: Promise<void> = Promise.resolve()
      .then(task)
      .catch((error: unknown) =>
        this.#deps.logger.log('error', 'a flow could not be moved on; it goes on at the next start', { error: errorMessage(error) }),
      )
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  #wakeAt(execution: FlowExecution, dueAtMs: number): void {
    const { clock, timers } = this.#deps;
    const delayMs = Math.min(Math.max(dueAtMs - clock.now(), 0), timerMsMax);
    const wake = (): void => {
      this.#timers.delete(execution.name);
      if (this.#running.get(execution.name) !== execution) return;
      if (clock.now() < dueAtMs) this.#wakeAt(execution, dueAtMs);
      else this.#work(() => this.#due(execution));
    };
    this.#timers.set(execution.name, timers.after(delayMs, wake));
  }

  /** A wait is over, a retry's pause is over, or a token's time is. */
  async #due(execution: FlowExecution): Promise<void> {
    const state = this.#stateOf(execution);
    if (state.type === 'wait') return this.#move(moveTo(execution, state.next, execution.data));
    if (state.type !== 'task') return;
    if (execution.token === null) return this.#move({ ...execution, dueAtMs: null });
    // An answer that is being stored was first.
    if (!this.#tokens.delete(execution.token)) return;
    return this.#move(
      this.#ended(execution, state, { error: { Error: 'States.Timeout', Cause: 'the task did not end within its timeout' } }),
    );
  }

  async #enter(execution: FlowExecution, state: FlowState): Promise<void> {
    if (state.type !== 'task') return this.#move(passThrough(execution, state));
    return state.waitForToken === true ? this.#enterTokenTask(execution, state) : this.#enterTask(execution, state);
  }

  async #enterTask(execution: FlowExecution, state: TaskState): Promise<void> {
    const outcome = await this.#run(execution, state);
    // Stopped meanwhile: the stored state stands, and the task runs again after the next start.
    if (this.#handlers === null) return;
    await this.#move(this.#ended(execution, state, outcome));
  }

  /** The token is stored before its task can answer it; after a restart the task runs again with the same token. */
  async #enterTokenTask(execution: FlowExecution, state: TaskState): Promise<void> {
    const waiting = execution.token === null ? withToken(execution, state, this.#deps.clock.now()) : execution;
    if (waiting !== execution) await this.#deps.store.save(waiting);
    this.#running.set(waiting.name, waiting);
    this.#tokens.set(waiting.token!, waiting.name);
    if (waiting.dueAtMs !== null) this.#wakeAt(waiting, waiting.dueAtMs);
    if (this.#handlers === null) return;
    const outcome = await this.#run(waiting, state);
    const answered = this.#running.get(waiting.name) !== waiting || !this.#tokens.has(waiting.token!);
    if (answered || this.#handlers === null || !('error' in outcome)) return;
    this.#tokens.delete(waiting.token!);
    await this.#move(this.#ended(waiting, state, outcome));
  }

  #ended(execution: FlowExecution, state: TaskState, outcome: TaskOutcome): FlowExecution {
    const next = taskEnded(execution, state, outcome, this.#deps.clock.now());
    if (next.status === 'FAILED') this.#deps.logger.log('error', `flow ${execution.name} failed`, { state: execution.state, outcome });
    return next;
  }

  async #run(execution: FlowExecution, state: TaskState): Promise<TaskOutcome> {
    const handler = this.#handlers?.[state.task];
    invariant(handler !== undefined, 'FI3', `there is no task ${state.task}`);
    try {
      const result = asJson(await handler(fillTemplate(state.parameters, contextOf(execution))));
      this.#told.delete(execution.name);
      return { result };
    } catch (error) {
      const facts = { error: errorMessage(error), code: errorCode(error) };
      const isNews = this.#told.get(execution.name) !== facts.error;
      this.#told.set(execution.name, facts.error);
      this.#deps.logger.log(isNews ? 'warn' : 'debug', `task ${state.task} of flow ${execution.name} failed`, facts);
      return { error: { Error: errorCode(error) ?? 'Error', Cause: errorMessage(error) } };
    }
  }
}

/** As it would come back from the store: what is no JSON is lost here already, and not only after a restart. */
function asJson(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}
