/**
 * Containers: one warm Lambda function each, which may die or stand still at every call of a port.
 *
 * CO1. What a dead container has called never returns, and nothing it calls happens.
 * CO2. A call takes effect at one moment, at once, or not at all.
 * CO3. No container lives longer than an invocation may: what stands still too long is dead when it wakes.
 */
import { SluiceError } from '../../base/errors.ts';
import type { Decisions } from './decisions.ts';
import { peopleSite, type CallFault, type Disturbance, type Fault, type FaultSource, type ServiceAct, type ServiceFault } from './fault.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';
import { Zombies } from './zombies.ts';

export class Container {
  readonly name: string;
  /** What its calls are counted under: function, message, task, api. */
  readonly role: string;
  /** How far its clock is off. */
  readonly skewMs: number;
  /** How much longer its calls take than others'. */
  readonly slowness: number;
  #alive = true;
  /** When the invocation in hand began; null between two. */
  invokedAtMs: number | null = null;
  /** The messages, the step or the request that it works at. */
  inHand: readonly string[] = [];
  readonly #deaths: (() => void)[] = [];
  #giveUp: (() => void) | null = null;

  constructor(name: string, role: string, { skewMs = 0, slowness = 1 }: { readonly skewMs?: number; readonly slowness?: number } = {}) {
    this.name = name;
    this.role = role;
    this.skewMs = skewMs;
    this.slowness = slowness;
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const tell of this.#deaths.splice(0)) tell();
  }

  onDeath(tell: () => void): void {
    if (this.#alive) this.#deaths.push(tell);
    else tell();
  }

  /** Whoever waits for its answer may stop waiting, and ask another; it knows nothing of that. */
  onGivenUp(tell: () => void): void {
    this.#giveUp = tell;
  }

  giveUp(): void {
    this.#giveUp?.();
  }
}

export interface ContainersOptions {
  readonly time: VirtualTime;
  readonly decisions: Decisions;
  readonly faults: FaultSource;
  readonly trace: Trace;
  /** Longest life of an invocation. */
  readonly lifeMs: number;
  /** How long a call takes at most, mostly; and who stands still, up to how long. */
  readonly latencyMs: number;
  readonly stallMs: number;
  readonly stallLeastMs?: number;
}

type Act = (parameters: readonly unknown[]) => unknown;

/** How long a zombie waits to be overtaken, and then at most: together less than an invocation may live. */
const zombieMs = 2_400;
const zombieLongerMs = 400;

/** A new one each time: whoever waits for a promise is kept by it. */
const never = (): Promise<never> => new Promise(() => undefined);

export class Containers {
  readonly #options: ContainersOptions;
  readonly #occurrences = new Map<string, number>();
  readonly #sites = new Map<string, string>();
  /** What really happened, in order: the run can be repeated with just these. */
  readonly taken: Fault[] = [];
  /** Those that came to be: nobody died before, and who stood still went on, as a zombie where another had overtaken it. */
  readonly happened: Fault[] = [];
  readonly #zombies = new Zombies();
  /** Off in the second phase, in which everything must come to its end. */
  active = true;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  /** What people do now; undefined = nothing this time. */
  disturbance(occurrence: number): Disturbance | undefined {
    const kind = this.#options.faults.disturbance(occurrence);
    if (kind !== undefined) this.taken.push({ site: peopleSite, occurrence, kind });
    return kind;
  }

  /** What goes wrong at what a service does for a queue; undefined = nothing. */
  service(act: ServiceAct, queue: string): ServiceFault | undefined {
    if (!this.active) return undefined;
    const site = `service.${act}.${queue}`;
    const occurrence = this.#count(site);
    const kind = this.#options.faults.service(act, site, occurrence);
    if (kind === undefined) return undefined;
    this.taken.push({ site, occurrence, kind });
    this.happened.push({ site, occurrence, kind });
    this.#options.trace.tell(this.#options.time.nowMs, 'service', `${kind} at ${site} #${occurrence}`);
    return kind;
  }

  #count(site: string): number {
    const occurrence = this.#occurrences.get(site) ?? 0;
    this.#occurrences.set(site, occurrence + 1);
    return occurrence;
  }

  /** The same port as a container sees it. Methods named in `plain` are no calls. */
  port<T extends object>(container: Container, name: string, target: T, plain: readonly string[] = []): T {
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(target, {
      get: (object, property) => {
        const value: unknown = Reflect.get(object, property);
        if (typeof value !== 'function') return value;
        let method = methods.get(property);
        if (method === undefined) {
          const act: Act = (parameters) => Reflect.apply(value, object, parameters) as unknown;
          const site = this.#siteOf(container.role, name, String(property));
          const call = (...parameters: unknown[]): Promise<unknown> => this.#call(container, site, parameters, act);
          methods.set(property, (method = plain.includes(String(property)) ? (value.bind(object) as unknown) : call));
        }
        return method;
      },
    });
  }

  /** One text for each: it is looked up at every call. */
  #siteOf(role: string, port: string, method: string): string {
    const site = `${role}.${port}.${method}`;
    const known = this.#sites.get(site);
    if (known === undefined) this.#sites.set(site, site);
    return known ?? site;
  }

  async #call(container: Container, site: string, parameters: readonly unknown[], act: Act): Promise<unknown> {
    if (!container.alive) return never();
    const { time, trace } = this.#options;
    this.#zombies.called(container);
    const occurrence = this.#count(site);
    const kind = this.active ? this.#faultAt(site, occurrence) : undefined;
    trace.add(`${time.nowMs} ${container.name} ${site} ${kind ?? ''}`);
    if (kind !== undefined) {
      this.taken.push({ site, occurrence, kind });
      trace.tell(time.nowMs, container.name, `${kind} at ${site} #${occurrence}`);
    }
    await this.#pass(container, this.#latency(site, container));
    const happened = (as: CallFault): unknown => this.happened.push({ site, occurrence, kind: as });
    return this.#perform(container, site, kind, parameters, act, happened);
  }

  #faultAt(site: string, occurrence: number): CallFault | undefined {
    const kind = this.#options.faults.at(site, occurrence);
    // Of a batch a message can be refused, of anything else nothing; and only of an object it can be said that it is not there.
    const isImpossible = (kind === 'partial' && !site.endsWith('.sendBatch')) || (kind === 'missing' && !site.endsWith('.objects.read'));
    return isImpossible ? undefined : kind;
  }

  async #perform(
    container: Container,
    site: string,
    kind: CallFault | undefined,
    parameters: readonly unknown[],
    act: Act,
    happened: (as: CallFault) => unknown,
  ): Promise<unknown> {
    switch (kind) {
      case undefined:
        return this.#answer(container, site, await act(parameters));
      case 'crash-before':
        happened(kind);
        container.kill();
        return never();
      case 'crash-after':
        await act(parameters);
        happened(kind);
        container.kill();
        return never();
      case 'error':
        happened(kind);
        throw unavailable(site);
      case 'answer-lost':
        await act(parameters);
        await this.#pass(container, this.#latency(site, container));
        happened(kind);
        throw unavailable(site);
      case 'twice':
        await act(parameters);
        await this.#pass(container, this.#latency(site, container));
        happened(kind);
        return this.#answer(container, site, await act(parameters));
      case 'stall-before':
      case 'zombie-before':
        happened((await this.#standStill(container, site, kind)) ? 'zombie-before' : 'stall-before');
        return this.#answer(container, site, await act(parameters));
      case 'stall-after':
      case 'zombie-after': {
        const result = await act(parameters);
        happened((await this.#standStill(container, site, kind)) ? 'zombie-after' : 'stall-after');
        return result;
      }
      case 'partial':
        happened(kind);
        return this.#answer(container, site, await this.#sendSome(site, parameters, act));
      case 'missing':
        happened(kind);
        return this.#answer(container, site, undefined);
    }
  }

  /** Whether another has taken over meanwhile. A zombie stands still until one has, and somewhat longer: the other may be anywhere by then. */
  async #standStill(container: Container, site: string, kind: CallFault): Promise<boolean> {
    const { time, decisions } = this.#options;
    const standing = this.#zombies.stand(container);
    container.onDeath(() => standing.goOn());
    if (kind.startsWith('stall')) await this.#pass(container, this.#stall(site));
    else {
      container.giveUp();
      await Promise.race([standing.overtaken, time.sleep(zombieMs)]);
      await this.#pass(container, decisions.fraction(`zombie/${site}`) * zombieLongerMs);
    }
    standing.goOn();
    return standing.isOvertaken;
  }

  async #answer(container: Container, site: string, result: unknown): Promise<unknown> {
    await this.#pass(container, this.#latency(site, container) / 2);
    return result;
  }

  async #sendSome(site: string, [queue, messages]: readonly unknown[], act: Act): Promise<readonly boolean[]> {
    const all = messages as readonly unknown[];
    const refused = this.#options.decisions.below(`partial/${site}`, all.length);
    const rest = all.toSpliced(refused, 1);
    const taken = rest.length === 0 ? [] : ((await act([queue, rest])) as readonly boolean[]);
    return taken.toSpliced(refused, 0, false);
  }

  /** Time passes; a container that has died meanwhile, or lived too long, does not come back. */
  async #pass(container: Container, delayMs: number): Promise<void> {
    const { time, lifeMs } = this.#options;
    await time.sleep(delayMs);
    if (container.invokedAtMs !== null && time.nowMs > container.invokedAtMs + lifeMs) container.kill();
    if (!container.alive) await never();
  }

  #latency(site: string, { slowness }: Container): number {
    const { decisions, latencyMs } = this.#options;
    return decisions.fraction('latency', site) * latencyMs * (this.active ? slowness : 1);
  }

  #stall(site: string): number {
    const { decisions, stallMs, stallLeastMs = 0 } = this.#options;
    // Once everything works nobody stands still any longer than a call takes.
    return this.active ? stallLeastMs + decisions.fraction(`stall/${site}`) * (stallMs - stallLeastMs) : 0;
  }
}

/** Its code tells what the simulation has done from what went wrong by itself. */
export const simulatedFault = 'SLUICE-SIMULATED-FAULT';

function unavailable(site: string): SluiceError {
  return new SluiceError(simulatedFault, `${site} was not answered`, {
    hint: 'A fault of the simulation: whoever called tries again.',
    retryable: true,
  });
}
