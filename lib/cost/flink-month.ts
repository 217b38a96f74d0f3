/**
 * What the same load costs on Managed Service for Apache Flink with a Kinesis stream before it, and from which load on that is cheaper. Kinesis with records
 * put together to 25 KB by its producers, provisioned.
 */
import { hoursPerMonth } from './idle-month.ts';
import type { PriceTable } from './prices.ts';

export interface FlinkLoad {
  readonly eventsPerSecond: number;
  readonly bytesPerEvent: number;
  /** Of a job as simple as ours: not measured, see docs/cost.md. */
  readonly eventsPerSecondAndUnit: number;
}

const secondsPerMonth = hoursPerMonth * 3_600;
const shardBytesPerSecond = 1_000_000;
const putUnitBytes = 25_600;

export function flinkMonth(load: FlinkLoad, { flink, kinesis }: PriceTable): number {
  const { eventsPerSecond, bytesPerEvent, eventsPerSecondAndUnit } = load;
  const units = Math.max(1, Math.ceil(eventsPerSecond / eventsPerSecondAndUnit));
  const bytesPerSecond = eventsPerSecond * bytesPerEvent;
  const shards = Math.max(1, Math.ceil(bytesPerSecond / shardBytesPerSecond));
  const puts = (bytesPerSecond / putUnitBytes) * secondsPerMonth;
  const stream = shards * kinesis.shardHour * hoursPerMonth + (puts / 1e6) * kinesis.perMillionPuts;
  return (units + 1) * flink.unitHour * hoursPerMonth + units * flink.storageMonthPerUnit + stream;
}

export interface SluiceLoad {
  readonly dollarsPerMillionEvents: number;
  readonly dollarsPerCheckpoint: number;
  readonly checkpointSeconds: number;
  readonly idleMonth: number;
}

export function sluiceMonth(eventsPerSecond: number, load: SluiceLoad): number {
  const events = (eventsPerSecond * secondsPerMonth) / 1e6;
  const checkpoints = eventsPerSecond === 0 ? 0 : secondsPerMonth / load.checkpointSeconds;
  return load.idleMonth + events * load.dollarsPerMillionEvents + checkpoints * load.dollarsPerCheckpoint;
}

const stepsPerTen = 40;

/** The load from which on Flink is cheaper whatever the load above it, up to `upTo`; null = there is none. */
export function crossover(load: SluiceLoad, flink: Omit<FlinkLoad, 'eventsPerSecond'>, prices: PriceTable, upTo: number): number | null {
  let found: number | null = null;
  for (let step = Math.ceil(Math.log10(upTo) * stepsPerTen); step >= 0; step--) {
    const eventsPerSecond = 10 ** (step / stepsPerTen);
    if (flinkMonth({ eventsPerSecond, ...flink }, prices) >= sluiceMonth(eventsPerSecond, load)) break;
    found = eventsPerSecond;
  }
  return found;
}
