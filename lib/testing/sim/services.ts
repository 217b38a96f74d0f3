/**
 * What AWS is to a job: event sources for its functions, a service that runs flows, each step in a container of its own, and somebody who asks for things.
 */
import { SluiceError } from '../../base/errors.ts';
import type { JobId } from '../../base/ids.ts';
import type { CoordinatorDeps } from '../../coordinator/coordinator-deps.ts';
import { coordinatorTasks } from '../../coordinator/coordinator-tasks.ts';
import { flowDescriptions } from '../../coordinator/flow-descriptions.ts';
import { receiveMessage } from '../../coordinator/receive-message.ts';
import type { CompiledJob } from '../../dsl/compile-job.ts';
import { FlowInterpreter, type TaskHandlers } from '../../local/flow-interpreter.ts';
import type { IntakeDeps } from '../../intake/wake-source.ts';
import { decodeCoordinatorMessage } from '../../model/coordinator-message.ts';
import { coordinatorQueue, operatorQueue } from '../../model/queue-names.ts';
import type { CoordinatorSignal, FlowStarter, Logger } from '../../ports/system.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import { OperatorFunction } from '../../runtime/operator-function.ts';
import type { RuntimeSettings } from '../../runtime/runtime-deps.ts';
import { times } from './circumstances.ts';
import { Container, type Containers } from './container.ts';
import { inProcess } from './process-end.ts';
import type { Decisions } from './decisions.ts';
import { EventSource, type Warm } from './event-source.ts';
import type { SimStores } from './sim-stores.ts';
import type { VirtualTime } from './virtual-time.ts';

export type FlowService = CoordinatorSignal & FlowStarter;

export interface ServicesOptions {
  readonly world: SimStores;
  readonly time: VirtualTime;
  readonly decisions: Decisions;
  readonly containers: Containers;
  readonly logger: Logger;
  readonly settings: RuntimeSettings;
  readonly visibilityMs: number;
  readonly lifeMs: number;
  /** The user functions of that version, made anew. */
  readonly functionsOf: (planHash: string) => OperatorRegistry;
  /** Told of every error in the coordinator, which whoever called may get over. */
  readonly onError: (error: unknown) => void;
}

/** The functions of one version of a job. */
export interface Deployment {
  stop(): void;
  kill(): void;
}

const concurrency = 2;
const slowTimes = 12;

export class Services {
  readonly #options: ServicesOptions;
  #interpreter: FlowInterpreter;
  /** Whoever holds it talks to the one that runs now. */
  readonly #flows: FlowService;
  #numbered = 0;
  #areClocksOff: boolean | undefined;
  /** By operator. */
  readonly #slow = new Map<string, boolean>();
  readonly #steps = new Set<Container>();

  constructor(options: ServicesOptions) {
    this.#options = options;
    this.#interpreter = this.#newInterpreter();
    this.#flows = {
      succeed: (token, output) => this.#interpreter.succeed(token, output),
      fail: (token, error) => this.#interpreter.fail(token, error),
      start: (flow, name, input) => this.#interpreter.start(flow, name, input),
      isRunning: (name) => this.#interpreter.isRunning(name),
    };
  }

  /** The service that runs flows goes on with what it has stored; in one process everything that is at work dies with it. */
  async restart(): Promise<void> {
    const stopped = this.#interpreter.stop();
    for (const container of [...this.#steps]) container.kill();
    await stopped;
    this.#interpreter = this.#newInterpreter();
    await this.#interpreter.resume(this.#tasks());
  }

  async start(): Promise<void> {
    await this.#interpreter.resume(this.#tasks());
  }

  deploy(job: JobId, { plan, planHash, registry: first }: CompiledJob): Deployment {
    const { world, settings, decisions, functionsOf } = this.#options;
    let registry = first;
    const sources = plan.vertices.map(({ uid }) =>
      this.#eventSource(job, operatorQueue(job, uid), () => {
        const container = this.#container(uid, 'function');
        // Fields of user functions are lost with their container; to make all functions anew for each would take half of the time.
        if (decisions.chance('functions/new', 0.25)) registry = functionsOf(planHash);
        const program = { job, plan, planHash, registry, settings };
        const operator = new OperatorFunction({ deps: world.runtimeDeps(container), program }, uid);
        return { container, handle: (messages) => inProcess(container, () => operator.handle(messages)) };
      }),
    );
    sources.push(this.#eventSource(job, coordinatorQueue(job), () => this.#messageFunction()));
    for (const source of sources) source.start();
    return { stop: () => sources.forEach((source) => source.stop()), kill: () => sources.forEach((source) => source.kill()) };
  }

  /** Somebody asks, and asks again until there is an answer. */
  async ask<T>(what: (deps: CoordinatorDeps) => Promise<T>): Promise<T> {
    const { time, decisions } = this.#options;
    const request = `request ${++this.#numbered}`;
    for (;;) {
      const container = this.#container('caller', 'api');
      container.inHand = [request];
      const answer = await this.#within(container, () => what(this.#options.world.coordinatorDeps(container, this.#flows))).catch(
        (error: unknown) => {
          if ((error as { retryable?: boolean }).retryable === true) return undefined;
          throw error;
        },
      );
      if (answer !== undefined) return answer;
      await time.sleep(decisions.fraction('ask/again') * 1_000);
    }
  }

  /** One invocation of an intake; undefined where nobody hears of its end. */
  async invokeIntake<T>(what: (deps: IntakeDeps) => Promise<T>): Promise<T | undefined> {
    const container = this.#container('intake', 'intake');
    container.inHand = [`batch ${++this.#numbered}`];
    return this.#within(container, () => what(this.#options.world.intakeDeps(container))).catch(() => undefined);
  }

  #messageFunction(): Warm {
    const container = this.#container('coordinator', 'message');
    const deps = this.#options.world.coordinatorDeps(container, this.#flows);
    return {
      container,
      handle: async (messages) => {
        for (const { body } of messages) await this.#told(receiveMessage(deps, decodeCoordinatorMessage(body)));
        return [];
      },
    };
  }

  async #told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#options.onError(error);
      throw error;
    }
  }

  #newInterpreter(): FlowInterpreter {
    const { world, time, logger } = this.#options;
    return new FlowInterpreter({ store: world.stores.flows, clock: time.clock, timers: time.timers, logger, flows: flowDescriptions });
  }

  #tasks(): TaskHandlers {
    const names = Object.keys(coordinatorTasks(this.#options.world.coordinatorDeps(this.#container('none', 'task'), this.#flows)));
    return Object.fromEntries(names.map((name) => [name, (input: unknown) => this.#runTask(name, input)]));
  }

  #runTask(name: string, input: unknown): Promise<unknown> {
    const container = this.#container(name, 'task');
    // Its next try has another token.
    container.inHand = [`${name} ${JSON.stringify(input, (key, value: unknown) => (key === 'token' ? undefined : value))}`];
    const tasks = coordinatorTasks(this.#options.world.coordinatorDeps(container, this.#flows));
    return this.#within(container, () => tasks[name]!(input));
  }

  /** The answer of one invocation; whoever waits hears in time that there will be none. */
  async #within<T>(container: Container, work: () => Promise<T>): Promise<T> {
    const { time, lifeMs } = this.#options;
    container.invokedAtMs = time.nowMs;
    this.#steps.add(container);
    try {
      return await new Promise<T>((resolve, reject) => {
        const timeout = time.after(lifeMs, () => container.kill());
        container.onGivenUp(() => reject(noAnswer(container.name)));
        container.onDeath(() => {
          timeout();
          reject(noAnswer(container.name));
        });
        this.#told(work()).then(resolve, reject).finally(timeout);
      });
    } finally {
      this.#steps.delete(container);
    }
  }

  #eventSource(job: JobId, queue: string, make: () => Warm): EventSource {
    const { world, time, decisions, containers, visibilityMs, lifeMs } = this.#options;
    const deletes = (): boolean => containers.service('delete', queue) === undefined;
    const isOn = (): boolean => world.eventSources.isOn(job);
    return new EventSource({
      queue,
      receiver: world.stores.queue,
      concurrency,
      time,
      decisions,
      visibilityMs,
      lifeMs,
      isOn,
      deletes,
      make,
    });
  }

  /** Where clocks are off, each container's is by its own; of a slow operator every call takes long. */
  #container(name: string, role: string): Container {
    const { decisions } = this.#options;
    this.#areClocksOff ??= decisions.chance('clocks/off', 0.3);
    const skewMs = this.#areClocksOff ? Math.round((2 * decisions.fraction(`clock/${role}`) - 1) * times.skewMax) : 0;
    const slowness = role === 'function' && this.#isSlow(name) ? slowTimes : 1;
    return new Container(`${name}/${++this.#numbered}`, role, { skewMs, slowness });
  }

  #isSlow(uid: string): boolean {
    const { decisions } = this.#options;
    let isSlow = this.#slow.get(uid);
    if (isSlow === undefined) this.#slow.set(uid, (isSlow = decisions.chance(`slow/${uid}`, 0.08)));
    return isSlow;
  }
}

function noAnswer(name: string): SluiceError {
  return new SluiceError('Lambda.Unknown', `${name} ended without an answer`, {
    hint: 'A fault of the simulation: whoever called tries again.',
    retryable: true,
  });
}
