/** What survives every container: the stores, the sinks, the savepoints, and the service that runs flows. */
import { createCollectSink, type CollectSink } from '../../adapters/connectors/collect-sink.ts';
import { createIntakeSource } from '../../adapters/connectors/intake-source.ts';
import { createMemoryIntakeLog } from '../../adapters/memory/intake-log.ts';
import { MemorySavepointFolders } from '../../adapters/memory/savepoint-folders.ts';
import { createMemoryStores, type LocalStores } from '../../adapters/memory/memory-stores.ts';
import type { CoordinatorDeps } from '../../coordinator/coordinator-deps.ts';
import type { IntakeDeps } from '../../intake/wake-source.ts';
import { intakeConnector } from '../../model/intake.ts';
import type { Connectors, SplitReader } from '../../ports/connectors.ts';
import type { IntakeLog } from '../../ports/intake-log.ts';
import type { MessageSender } from '../../ports/message-queue.ts';
import type { Clock, CoordinatorSignal, Delay, FlowStarter, Logger, Random } from '../../ports/system.ts';
import { readMessage } from '../../model/envelope-codec.ts';
import type { RuntimeDeps } from '../../runtime/runtime-deps.ts';
import { withoutMemory } from './forgetful-queue.ts';
import { keptBySink } from './sim-connectors.ts';
import { ShownParts } from './shown-parts.ts';
import { times } from './circumstances.ts';
import type { Container, Containers } from './container.ts';
import { countedCalls } from './counted-calls.ts';
import type { Decisions } from './decisions.ts';
import { SwitchedSources } from './switched-sources.ts';
import { unsteadyDelay } from './unsteady-delay.ts';
import type { VirtualTime } from './virtual-time.ts';

/** When garbage is collected, and how old it is then: older than anybody who is about to name it. */
export const collecting = { collectMs: 1_000, garbageAgeMs: times.life + 1_000 + times.skewMax };

export interface SimStoresOptions {
  readonly time: VirtualTime;
  readonly decisions: Decisions;
  readonly containers: Containers;
  readonly sources: Readonly<Record<string, SplitReader>>;
  readonly logger: Logger;
  readonly losing: boolean;
  readonly sweepMs: number;
  /** Of the invocation in hand; absent: nobody is told. */
  readonly timeLeft: ((container: Container) => number) | undefined;
}

export class SimStores {
  readonly #options: SimStoresOptions;
  readonly stores: LocalStores;
  /** How often anything of the base may have changed, and objects may have gone. */
  readonly baseChanges: () => number;
  readonly removals: () => number;
  readonly collect: CollectSink = createCollectSink();
  readonly savepoints = new MemorySavepointFolders();
  readonly intakeLog = createMemoryIntakeLog();
  readonly eventSources = new SwitchedSources();
  readonly shown = new ShownParts(this.collect);
  readonly #sink = keptBySink(this.shown.sink);
  readonly #random: Random;
  readonly #sender: MessageSender;
  readonly #delay: Delay;

  constructor(options: SimStoresOptions) {
    this.#options = options;
    const { time, decisions } = options;
    this.#random = { hex: (digits) => decisions.hex('random/hex', digits), fraction: () => decisions.fraction('random/fraction') };
    const queue = { staleReceipts: decisions.chance('queue/stale receipts', 0.5) ? 'expired-refused' : 'latest-deletes' } as const;
    const stores = createMemoryStores({ clock: time.clock, timers: time.timers, random: this.#random, queue });
    const base = countedCalls(stores.base, ['write', 'purgeTombstones', 'drop']);
    const objects = countedCalls(stores.objects, ['remove']);
    this.stores = { ...stores, base: base.port, objects: objects.port };
    this.baseChanges = base.calls;
    this.removals = objects.calls;
    const sender = decisions.chance('queue/forgetful', 0.3) ? withoutMemory(this.stores.queue) : this.stores.queue;
    this.#delay = unsteadyDelay(this.stores.delay, options.containers, decisions);
    this.#sender = options.losing ? losingOne(sender, 10 + decisions.below('queue/lost', 60)) : sender;
  }

  runtimeDeps(container: Container): RuntimeDeps {
    const { stores } = this;
    const { containers, time, logger, timeLeft } = this.#options;
    const port = <T extends object>(name: string, target: T): T => containers.port(container, name, target);
    return {
      ...(timeLeft === undefined ? {} : { timeLeft: () => timeLeft(container) }),
      jobs: port('jobs', stores.jobs),
      shards: port('shards', stores.shards),
      objects: port('objects', stores.objects),
      base: port('base', stores.base),
      messages: port('messages', this.#sender),
      delay: port('delay', this.#delay),
      connectors: this.#connectors(container),
      clock: offBy(time.clock, container.skewMs),
      random: this.#random,
      logger,
      metrics: { count: () => undefined, gauge: () => undefined },
    };
  }

  intakeDeps(container: Container): IntakeDeps {
    const { jobs, objects, messages, clock, logger } = this.runtimeDeps(container);
    return { log: this.#intakeLog(container), jobs, objects, messages, clock, logger };
  }

  #intakeLog(container: Container): IntakeLog {
    return this.#options.containers.port(container, 'intake', this.intakeLog);
  }

  coordinatorDeps(container: Container, flows: CoordinatorSignal & FlowStarter): CoordinatorDeps {
    const { stores } = this;
    const { containers, sweepMs } = this.#options;
    const { jobs, shards, objects, base, messages, connectors, clock, random, logger } = this.runtimeDeps(container);
    const port = <T extends object>(name: string, target: T): T => containers.port(container, name, target);
    const service = port('flows', flows);
    return {
      jobs,
      shards,
      objects,
      base,
      messages,
      connectors,
      clock,
      random,
      logger,
      acknowledgements: port('acknowledgements', stores.acknowledgements),
      operations: port('operations', stores.operations),
      history: port('history', stores.history),
      savepoints: {
        at: (location) => containers.port(container, 'savepoints', this.savepoints.at(location)),
        inside: (directory, name) => containers.port(container, 'savepoints', this.savepoints.inside(directory, name)),
      },
      signal: service,
      flows: service,
      intakeLog: this.#intakeLog(container),
      eventSources: port('event sources', this.eventSources),
      sweepMs,
      ...collecting,
      stepMs: 200,
    };
  }

  #connectors(container: Container): Connectors {
    const { containers, sources } = this.#options;
    const readers = Object.entries(sources).map(([name, reader]) => [name, containers.port(container, 'sources', reader)] as const);
    return {
      sources: { ...Object.fromEntries(readers), [intakeConnector]: createIntakeSource(this.#intakeLog(container)) },
      sinks: new Proxy({}, { get: () => containers.port(container, 'sinks', this.#sink, ['locate']) }),
    };
  }
}

/** Of a container whose clock is off; how long something took it still knows. */
function offBy(clock: Clock, skewMs: number): Clock {
  return skewMs === 0 ? clock : { now: () => clock.now() + skewMs, monotonic: () => clock.monotonic() };
}

/** Nobody hears that one envelope was not taken. */
function losingOne(queue: MessageSender, at: number): MessageSender {
  let number = 0;
  return {
    depth: (name) => queue.depth(name),
    sendBatch: async (name, messages) => {
      const lost = name.endsWith('#coordinator')
        ? -1
        : messages.findIndex(({ body }) => readMessage(body).kind === 'data' && number++ === at);
      if (lost < 0) return queue.sendBatch(name, messages);
      const rest = messages.toSpliced(lost, 1);
      const taken = rest.length === 0 ? [] : await queue.sendBatch(name, rest);
      return taken.toSpliced(lost, 0, true);
    },
  };
}
