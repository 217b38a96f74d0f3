/**
 * The whole of Sluice in one process: stores, coordinator, flows and one function per vertex, polled from the in-process queues.
 *
 * LE1. Runtime and coordinator are the ones that run on AWS; only the adapters differ.
 * LE2. What the collector may delete is older than the oldest invocation that is still running.
 */
import { OperatorFunction } from '../runtime/operator-function.ts';
import type { JobProgram, Runtime, RuntimeDeps } from '../runtime/runtime-deps.ts';
import { withAwsSinks } from '../adapters/connectors/aws-sinks.ts';
import { withDeadLetters } from '../adapters/connectors/dead-letters.ts';
import type { LocalStores } from '../adapters/memory/memory-stores.ts';
import type { JobId } from '../base/ids.ts';
import type { CoordinatorDeps } from '../coordinator/coordinator-deps.ts';
import { coordinatorTasks } from '../coordinator/coordinator-tasks.ts';
import { flowDescriptions } from '../coordinator/flow-descriptions.ts';
import { receiveMessage } from '../coordinator/receive-message.ts';
import { decodeCoordinatorMessage } from '../model/coordinator-message.ts';
import { coordinatorQueue, operatorQueue } from '../model/queue-names.ts';
import type { Bill } from '../model/bill.ts';
import type { Connectors } from '../ports/connectors.ts';
import type { ReceivedMessage } from '../ports/message-queue.ts';
import type { ProblemBoard } from '../ports/problem-board.ts';
import type { SavepointFolders } from '../ports/savepoint-folder.ts';
import type { Clock, Logger, Metrics, Random, Timers } from '../ports/system.ts';
import { FlowInterpreter } from './flow-interpreter.ts';
import { createPresentProblems } from './present-problems.ts';
import { OperatorPoller, type PollerOptions } from './operator-poller.ts';

export interface LocalSystem {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface LocalEngineOptions extends LocalSystem {
  readonly stores: LocalStores;
  readonly connectors: Connectors;
  readonly savepoints: SavepointFolders;
  /** Where what is done costs something: what was counted since it was asked last. */
  readonly bill?: () => Bill;
}

/** Shards of one vertex that work at a time: there is one thread, more only hide the waits for the disk. */
const pollersPerVertexMax = 4;
const retryMs = 20;
const sweepMs = 60_000;
const collectMs = 500;
/** Added to the age of the oldest invocation: clocks are read at different moments. */
const garbageMarginMs = 250;
const stepMs = 200;
/** A way through source, operator, and coordinator and back. */
const turnsMax = 8;

export class LocalEngine {
  readonly #options: LocalEngineOptions;
  readonly #interpreter: FlowInterpreter;
  readonly #problems: ProblemBoard;
  readonly #connectors: Connectors;
  readonly coordinator: CoordinatorDeps;
  #pollers: OperatorPoller[] = [];
  /** Invocations ever. */
  #begun = 0;
  readonly #invocations = new Set<{ readonly startedAtMs: number }>();

  constructor(options: LocalEngineOptions) {
    this.#options = options;
    this.#problems = createPresentProblems(options.clock);
    const { stores, savepoints, clock, timers, random, logger, bill } = options;
    const { objects } = stores;
    const connectors = withAwsSinks(withDeadLetters(options.connectors, objects), objects, { durable: () => stores.durable() });
    this.#connectors = connectors;
    const interpreter = new FlowInterpreter({ store: stores.flows, clock, timers, logger, flows: flowDescriptions });
    const garbageAgeMs = (): number => this.#oldestInvocationAgeMs() + garbageMarginMs;
    this.#interpreter = interpreter;
    this.coordinator = {
      jobs: stores.jobs,
      shards: stores.shards,
      acknowledgements: stores.acknowledgements,
      operations: stores.operations,
      objects: stores.objects,
      base: stores.base,
      messages: stores.queue,
      history: stores.history,
      problems: this.#problems,
      ...(bill === undefined ? {} : { bill }),
      connectors,
      savepoints,
      signal: interpreter,
      flows: interpreter,
      clock,
      random,
      logger,
      sweepMs,
      collectMs,
      stepMs,
      get garbageAgeMs() {
        return garbageAgeMs();
      },
    };
  }

  #oldestInvocationAgeMs(): number {
    const now = this.#options.clock.now();
    let oldest = now;
    for (const { startedAtMs } of this.#invocations) oldest = Math.min(oldest, startedAtMs);
    return now - oldest;
  }

  /** Takes up flows that an earlier process left. */
  async resumeFlows(): Promise<void> {
    await this.#interpreter.resume(coordinatorTasks(this.coordinator));
  }

  /** When no task of a flow is running and every execution waits for a time or a message. */
  flowsSettled(): Promise<void> {
    return this.#interpreter.settled();
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.timers.after(delayMs, resolve));
  }

  runtimeDeps(): RuntimeDeps {
    const { stores, clock, random, logger, metrics, bill } = this.#options;
    const connectors = this.#connectors;
    const { jobs, shards, objects, base, delay, queue } = stores;
    const problems = this.#problems;
    const turn = (): Promise<void> => this.#turn();
    const deps = { jobs, shards, objects, base, delay, messages: queue, connectors, clock, random, logger, metrics, problems, turn };
    return bill === undefined ? deps : { ...deps, bill };
  }

  /** Until the others have come to rest, or have had their share: who works for long gives way to who has little to do. */
  async #turn(): Promise<void> {
    for (let turns = 0; turns < turnsMax; turns++) {
      const before = this.#begun;
      await this.pause(0);
      if (this.#begun === before) return;
    }
  }

  /** Begins to work off the queues of a job. */
  run(program: JobProgram): void {
    const runtime: Runtime = { deps: this.runtimeDeps(), program };
    this.#poll(coordinatorQueue(program.job), (messages) => this.#coordinate(messages));
    for (const { uid, parallelism } of program.plan.vertices) {
      const operator = new OperatorFunction(runtime, uid);
      const handle: PollerOptions['handle'] = (messages, postpone) => operator.handle(messages, postpone);
      for (let i = 0; i < Math.min(parallelism, pollersPerVertexMax); i++) this.#poll(operatorQueue(program.job, uid), handle);
    }
  }

  #poll(queue: string, handle: PollerOptions['handle']): void {
    const { stores, timers, logger } = this.#options;
    const timed: PollerOptions['handle'] = (messages, postpone) => this.#timed(() => handle(messages, postpone));
    const poller = new OperatorPoller({ queue, receiver: stores.queue, timers, logger, handle: timed, retryMs });
    this.#pollers.push(poller);
    poller.start();
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    this.#begun++;
    const invocation = { startedAtMs: this.#options.clock.now() };
    this.#invocations.add(invocation);
    try {
      return await work();
    } finally {
      this.#invocations.delete(invocation);
    }
  }

  async #coordinate(messages: readonly ReceivedMessage[]): Promise<readonly string[]> {
    for (const { body } of messages) await receiveMessage(this.coordinator, decodeCoordinatorMessage(body));
    return [];
  }

  /** Ends what is in hand, takes nothing more, and closes the stores: state is kept where they keep it. */
  async close(): Promise<void> {
    for (const poller of this.#pollers) poller.requestStop();
    await this.#interpreter.stop();
    // Before the stores are gone: it would fail, and say so.
    await Promise.all(this.#pollers.map((poller) => poller.idle()));
    const stopping = this.#pollers.map((poller) => poller.stop());
    // Ends the receives that wait.
    await this.#options.stores.close();
    await Promise.all(stopping);
    this.#pollers = [];
  }
}

/** 32 hex digits, as in Flink. */
export function newJobId(random: Random): JobId {
  return random.hex(32) as JobId;
}
