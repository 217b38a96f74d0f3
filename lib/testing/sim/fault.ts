/** What can go wrong at a call of a port, and which calls of a run it happens to. */
import type { Decisions } from './decisions.ts';

/**
 * `crash-before`, `crash-after`: the container is gone, before or after the call took effect. `answer-lost`: it took effect, the caller gets an error.
 * `twice`: an answer was lost on the way and the SDK asked again. `error`: throttled or refused for now. `stall-before`, `stall-after`: the container stands
 * still, longer than its messages stay invisible, and then goes on as if nothing had been. `partial`: one message of a batch is not taken.
 * `zombie-before`, `zombie-after`: it stands still until another has taken over its work, whoever waits for its answer having given up, and then goes on.
 * `missing`: an object that is there is not found; no seed draws it.
 */
export type CallFault =
  | 'crash-before'
  | 'crash-after'
  | 'answer-lost'
  | 'twice'
  | 'error'
  | 'stall-before'
  | 'stall-after'
  | 'zombie-before'
  | 'zombie-after'
  | 'partial'
  | 'missing';

/**
 * What people do to a job while it runs. `back`: to a savepoint. `restart`: the process that runs the flows ends and begins anew. `change`: the settings of its checkpoints.
 */
export type Disturbance = 'restore' | 'savepoint' | 'back' | 'move' | 'checkpoint' | 'change' | 'restart';

/** Under which a disturbance is counted. */
export const peopleSite = 'people';

/** `redelivery`: what is done is not deleted, and comes again. `late`, `twice`: a wake-up. */
export type ServiceFault = 'redelivery' | 'late' | 'twice';

/** What a service does for a queue: an event source deletes what is done, the delay sends a wake-up. */
export type ServiceAct = 'delete' | 'wake';

export interface Fault {
  /** `role.port.method`, as in `function.shards.commit`. */
  readonly site: string;
  /** Which call of that site in the run, from 0. */
  readonly occurrence: number;
  readonly kind: CallFault | ServiceFault | Disturbance;
}

export interface FaultSource {
  at(site: string, occurrence: number): CallFault | undefined;
  /** Of a service, which no container has called. */
  service(act: ServiceAct, site: string, occurrence: number): ServiceFault | undefined;
  disturbance(occurrence: number): Disturbance | undefined;
}

/** Just these: how a failing run is repeated, and made smaller. */
export function listedFaults(faults: readonly Fault[]): FaultSource {
  const kinds = new Map(faults.map(({ site, occurrence, kind }) => [`${site}#${occurrence}`, kind]));
  const kindAt = (site: string, occurrence: number): Fault['kind'] | undefined => kinds.get(`${site}#${occurrence}`);
  return {
    at: (site, occurrence) => kindAt(site, occurrence) as CallFault | undefined,
    service: (_act, site, occurrence) => kindAt(site, occurrence) as ServiceFault | undefined,
    disturbance: (occurrence) => kindAt(peopleSite, occurrence) as Disturbance | undefined,
  };
}

/** Ports whose calls are worth standing still at: each seed makes one of them far likelier than the others. */
const slowSites = [
  'function.jobs.read',
  'function.shards.read',
  'function.shards.commit',
  'function.objects.createIfAbsent',
  'function.objects.read',
  'function.messages.sendBatch',
  'function.base.write',
  'function.base.read',
  'function.sinks.stage',
  'message.acknowledgements.put',
  'message.jobs.replace',
  'task.jobs.read',
  'task.jobs.replace',
  'task.messages.sendBatch',
  'task.sinks.publish',
  'task.objects.createIfAbsent',
];

export interface FaultRates {
  readonly crash: number;
  readonly answer: number;
  readonly error: number;
  readonly stall: number;
  readonly zombie: number;
  readonly partial: number;
  readonly redelivery: number;
  readonly wakeUp: number;
  readonly slowSite: string | null;
  /** Functions often die between a commit and its sending, and others often stand still before they have read anything: the hardest on the resend rule. */
  readonly dieUnsent: number;
  readonly standStill: number;
  /** How often the slow site is slow. */
  readonly slowShare?: number;
  /** The only thing that people do. */
  readonly people?: Disturbance;
}

/** Each kind is off in half of the runs: what hides behind another kind's noise shows where that one is silent. In some runs everything is worse. */
export function drawRates(decisions: Decisions): FaultRates {
  const times = decisions.chance('rates/storm', 0.4) ? 5 : 1;
  const on = (name: string, rate: number): number => (decisions.chance(`rates/${name}`, 0.5) ? rate * times : 0);
  const zombies = decisions.fraction('rates/zombies');
  return {
    crash: on('crash', 0.02),
    answer: on('answer', 0.03),
    error: on('error', 0.03),
    stall: on('stall', 0.03),
    // Where it is given only: what a flow leaves to later tries takes longer than liveness allows.
    zombie: 0,
    partial: on('partial', 0.1),
    redelivery: on('redelivery', 0.05),
    wakeUp: on('wake up', 0.05),
    slowSite: decisions.chance('rates/slow', 0.5) ? decisions.pick('rates/slow site', slowSites) : null,
    dieUnsent: zombies < 0.1 ? 0.3 : zombies < 0.3 ? 0.15 : 0,
    standStill: zombies < 0.1 ? 0.4 : zombies < 0.3 ? 0.2 : 0,
  };
}

export function drawnFaults(decisions: Decisions, rates: FaultRates): FaultSource {
  return {
    at: (site) => draw(decisions, rates, site),
    service: (act, site) => drawOfService(decisions, rates, act, `fault/${site}`),
    disturbance: () => rates.people ?? disturb(decisions),
  };
}

function drawOfService(decisions: Decisions, { redelivery, wakeUp }: FaultRates, act: ServiceAct, name: string): ServiceFault | undefined {
  if (!decisions.chance(name, act === 'delete' ? redelivery : wakeUp)) return undefined;
  if (act === 'delete') return 'redelivery';
  return decisions.chance(`${name}/which`, 0.7) ? 'late' : 'twice';
}

function disturb(decisions: Decisions): Disturbance {
  const roll = decisions.fraction('disturb/what');
  if (roll < 0.4) return 'restore';
  if (roll < 0.55) return 'savepoint';
  if (roll < 0.65) return 'back';
  if (roll < 0.75) return 'move';
  if (roll < 0.8) return 'checkpoint';
  return roll < 0.9 ? 'change' : 'restart';
}

function draw(decisions: Decisions, rates: FaultRates, site: string): CallFault | undefined {
  if (site === 'function.messages.sendBatch') {
    if (decisions.chance('fault/function.messages.sendBatch/unsent', rates.dieUnsent)) return 'crash-before';
    if (decisions.chance('fault/function.messages.sendBatch/partial', rates.partial)) return 'partial';
  }
  if (site === 'function.shards.read' && decisions.chance('fault/function.shards.read/still', rates.standStill)) return 'stall-before';
  const { crash, answer, error, zombie } = rates;
  const stall = site === rates.slowSite ? (rates.slowShare ?? 0.3) : rates.stall;
  const roll = decisions.fraction('fault', site);
  const pair = (first: CallFault, second: CallFault): CallFault => (decisions.chance(`fault/${site}/which`, 0.5) ? first : second);
  if (roll < crash) return pair('crash-before', 'crash-after');
  if (roll < crash + answer) return pair('answer-lost', 'twice');
  if (roll < crash + answer + error) return 'error';
  if (roll < crash + answer + error + stall) return pair('stall-before', 'stall-after');
  if (roll < crash + answer + error + stall + zombie) return pair('zombie-before', 'zombie-after');
  return undefined;
}
