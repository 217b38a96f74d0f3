/**
 * What a load costs here and on Managed Service for Apache Flink by the month, and from which load on that is cheaper. A model of one job with one shard per
 * operator, without what brings the events in and takes the results out on either side.
 */
import { hoursPerMonth } from '../lib/cost/idle-month.ts';
import type { PriceTable } from '../lib/cost/prices.ts';

export interface SluiceLoad {
  /** A source's commit and all that follows from it: what it costs with hardly a record in it, and how many it holds where there are enough. */
  readonly dollarsPerRound: number;
  readonly recordsPerRound: number;
  /** Beside the rounds that they come in. */
  readonly dollarsPerMillionEvents: number;
  /** While something comes there is one so often at the least. */
  readonly roundSeconds: number;
  readonly dollarsPerCheckpoint: number;
  readonly checkpointSeconds: number;
  readonly idleMonth: number;
}

const secondsPerMonth = hoursPerMonth * 3_600;

export function sluiceMonth(eventsPerSecond: number, load: SluiceLoad): number {
  if (eventsPerSecond === 0) return load.idleMonth;
  const rounds = Math.max(eventsPerSecond / load.recordsPerRound, Math.min(eventsPerSecond, 1 / load.roundSeconds)) * secondsPerMonth;
  const checkpoints = secondsPerMonth / load.checkpointSeconds;
  const events = ((eventsPerSecond * secondsPerMonth) / 1e6) * load.dollarsPerMillionEvents;
  return load.idleMonth + rounds * load.dollarsPerRound + events + checkpoints * load.dollarsPerCheckpoint;
}

/** Day and night, with one unit for orchestration. */
export function flinkMonth(eventsPerSecond: number, eventsPerSecondAndUnit: number, { flink }: PriceTable): number {
  const units = Math.max(1, Math.ceil(eventsPerSecond / eventsPerSecondAndUnit));
  return (units + 1) * flink.unitHour * hoursPerMonth + units * flink.storageMonthPerUnit;
}

const stepsPerTen = 40;

/** The load from which on Flink is cheaper whatever the load above it, up to `upTo`; null = there is none. */
export function crossover(load: SluiceLoad, eventsPerSecondAndUnit: number, prices: PriceTable, upTo: number): number | null {
  let found: number | null = null;
  for (let step = Math.ceil(Math.log10(upTo) * stepsPerTen); step >= 0; step--) {
    const eventsPerSecond = 10 ** (step / stepsPerTen);
    if (flinkMonth(eventsPerSecond, eventsPerSecondAndUnit, prices) >= sluiceMonth(eventsPerSecond, load)) break;
    found = eventsPerSecond;
  }
  return found;
}
