/**
 * Faults at every port call of an environment (one warm function): crashes before and after, lost answers, calls made twice, errors, pauses that make
 * zombies, and batch calls of which one entry is not taken.
 */
import type { OperatorFunction } from '../../lib/runtime/operator-function.ts';
import type { Choices } from './chaos-random.ts';

export interface Environment {
  readonly queue: string;
  readonly function: OperatorFunction;
  busy: boolean;
  dead: boolean;
}

type Fault = 'none' | 'partial' | 'crash-before' | 'crash-after' | 'lost' | 'twice' | 'error' | 'pause-before' | 'pause-after';

type Act = (parameters: readonly unknown[]) => Promise<unknown>;

/** A new one each time: whoever waits for a promise is kept by it. */
const never = (): Promise<never> => new Promise(() => undefined);

/** Calls that are worth a pause: each seed makes one of them far likelier to stand still than the others. */
const pausable = [
  'jobs.read',
  'shards.read',
  'shards.commit',
  'objects.createIfAbsent',
  'objects.read',
  'queue.sendBatch',
  'base.write',
  'base.read',
  'sink.stage',
];

export class Faults {
  readonly #choices: Choices;
  readonly #rates: {
    readonly crash: number;
    readonly lost: number;
    readonly error: number;
    readonly pause: number;
    readonly partial: number;
  };
  readonly #slowSite: string | null;
  /** Invocations often die between a commit and its sending, and others often stand still before they have read anything. */
  readonly #zombies: { readonly dieUnsent: number; readonly standStill: number };
  #paused: (() => void)[] = [];
  active = true;
  count = 0;

  constructor(choices: Choices, manyZombies = false) {
    this.#choices = choices;
    const on = (rate: number): number => (choices.chance(0.5) ? rate : 0);
    this.#rates = { crash: on(0.01), lost: on(0.01), error: on(0.01), pause: on(0.03), partial: on(0.05) };
    this.#slowSite = choices.chance(0.5) ? choices.pick(pausable) : null;
    const some = choices.chance(0.3);
    const [dieUnsent, standStill] = manyZombies ? [0.3, 0.4] : some ? [0.15, 0.2] : [0, 0];
    this.#zombies = { dieUnsent, standStill };
  }

  /** From now on everything works; who stood still goes on. */
  heal(): void {
    this.active = false;
    for (const resume of this.#paused) resume();
    this.#paused = [];
  }

  resumeOne(): void {
    if (this.#paused.length === 0) return;
    this.#paused.splice(this.#choices.below(this.#paused.length), 1)[0]!();
  }

  /** The same port, with faults. `seen` hears of every call that is really made. */
  wrap<T extends object>(
    environment: Environment,
    name: string,
    target: T,
    seen: (site: string, parameters: readonly unknown[]) => void,
  ): T {
    return new Proxy(target, {
      get: (object, property) => {
        const value: unknown = Reflect.get(object, property);
        if (typeof value !== 'function') return value;
        if (property === 'locate') return value.bind(object) as unknown;
        const site = `${name}.${String(property)}`;
        const act = (parameters: readonly unknown[]): Promise<unknown> => {
          seen(site, parameters);
          return Reflect.apply(value, object, parameters) as Promise<unknown>;
        };
        return (...parameters: unknown[]) => this.#call(environment, site, parameters, act);
      },
    });
  }

  async #call(environment: Environment, site: string, parameters: readonly unknown[], call: Act): Promise<unknown> {
    const act = (): Promise<unknown> => call(parameters);
    if (environment.dead) return never();
    const fault = this.#draw(site);
    if (fault === 'none') return unlessDead(environment, act);
    this.count++;
    if (process.env['CHAOS_LOG'] !== undefined) console.log('fault', fault, site);
    switch (fault) {
      case 'crash-before':
        environment.dead = true;
        return never();
      case 'crash-after':
        await act();
        environment.dead = true;
        return never();
      case 'lost':
        await act();
        throw new Error(`answer of ${site} lost`);
      case 'twice':
        await act();
        return act();
      case 'error':
        throw new Error(`${site} refused`);
      case 'pause-before':
        await this.#pause();
        return unlessDead(environment, act);
      case 'pause-after': {
        const result = await act();
        await this.#pause();
        return environment.dead ? never() : result;
      }
      case 'partial': {
        const [queue, messages] = parameters as readonly [string, readonly unknown[]];
        const refused = this.#choices.below(messages.length);
        const rest = messages.filter((_, i) => i !== refused);
        const taken = rest.length === 0 ? [] : ((await call([queue, rest])) as readonly boolean[]);
        return taken.toSpliced(refused, 0, false);
      }
    }
  }

  #draw(site: string): Fault {
    if (!this.active) return 'none';
    const { dieUnsent, standStill } = this.#zombies;
    if (dieUnsent > 0 && site === 'queue.sendBatch' && this.#choices.chance(dieUnsent)) return 'crash-before';
    if (standStill > 0 && site === 'shards.read' && this.#choices.chance(standStill)) return 'pause-before';
    const { crash, lost, error, partial } = this.#rates;
    if (partial > 0 && site === 'queue.sendBatch' && this.#choices.chance(partial)) return 'partial';
    const pause = site === this.#slowSite ? 0.3 : this.#rates.pause;
    const roll = this.#choices.fraction();
    if (roll < crash) return this.#choices.chance(0.5) ? 'crash-before' : 'crash-after';
    if (roll < crash + lost) return this.#choices.chance(0.5) ? 'lost' : 'twice';
    if (roll < crash + lost + error) return 'error';
    if (roll < crash + lost + error + pause) return this.#choices.chance(0.5) ? 'pause-before' : 'pause-after';
    return 'none';
  }

  #pause(): Promise<void> {
    return this.active ? new Promise((resolve) => this.#paused.push(resolve)) : Promise.resolve();
  }
}

async function unlessDead(environment: Environment, act: () => Promise<unknown>): Promise<unknown> {
  const result = await act();
  return environment.dead ? never() : result;
}
