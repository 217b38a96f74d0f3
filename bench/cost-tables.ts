/** The tables of docs/cost.md, made of what was measured and of the price table. No number in them is written by hand. */
import { limits } from '../lib/base/limits.ts';
import { dollarsOf } from '../lib/cost/dollars.ts';
import { crossover, flinkMonth, sluiceMonth, type SluiceLoad } from './flink-month.ts';
import { idleMonth } from '../lib/cost/idle-month.ts';
import type { PriceTable } from '../lib/cost/prices.ts';
import { requestsOf, type Bill } from '../lib/model/bill.ts';

/** docs/cost-measured.json. */
export interface MeasuredCost {
  readonly job: string;
  readonly records: number;
  readonly node: string;
  readonly machine: string;
  readonly measuredOn: string;
  readonly recordsPerRound: number;
  readonly fifoQueues: number;
  readonly alarmMetrics: number;
  /** Without checkpoints, in full rounds. */
  readonly perMillion: Bill;
  /** With hardly a record in it. */
  readonly perRound: Bill;
  readonly perCheckpoint: Bill;
}

const rates = [1, 10, 100, 1_000, 10_000, 100_000];
const perUnit = [5_000, 10_000, 25_000];
const checkpointSeconds = 60;
const rateMax = 1_000_000;
const gb = 1024 ** 3;

export function costTables(measured: MeasuredCost, prices: PriceTable): string {
  const { records, node, machine, measuredOn } = measured;
  return [
    `Measured on ${measuredOn}: ${records.toLocaleString('en-US')} records of ${measured.job}, ${node}, ${machine}. Prices of ${prices.region} as of ${prices.asOf}.\n`,
    billTable(measured, prices),
    wideState(prices),
    idleTable(measured, prices),
    loadTable(measured, prices),
    crossoverTable(measured, prices),
  ].join('\n');
}

function billTable({ perMillion, perRound, perCheckpoint }: MeasuredCost, prices: PriceTable): string {
  const bills = [perMillion, perRound, perCheckpoint];
  const dollars = bills.map((bill) => dollarsOf(bill, prices));
  const services = [...new Set(dollars.flatMap(({ byService }) => Object.keys(byService)))].sort();
  return markdown([
    ['', 'per million events', 'per round, almost empty', 'per checkpoint'],
    ['requests of every kind', ...bills.map((bill) => whole(requestsOf(bill)))],
    ['of them sent by Sluice', ...bills.map((bill) => whole(requestsOf(bill, 'sent')))],
    ...services.map((service) => [service, ...dollars.map(({ byService }) => small(byService[service]))]),
    ['**in all**', ...dollars.map(({ total }) => `**${small(total)}**`)],
  ]);
}

/** Not in the tables: the measured job has few keys. */
function wideState({ perMillion }: PriceTable): string {
  const rows = limits.baseAdvanceRows.toLocaleString('en-US');
  return (
    `Keyed state comes to it where there is much of it: a million rows of up to 1 KB that the base takes cost $${perMillion['write-unit'].toFixed(3)}. ` +
    `A row is taken once for all its changes in ${limits.baseAdvanceEpochs} checkpoints, or in fewer where more than ${rows} rows have changed.\n`
  );
}

function idleTable(measured: MeasuredCost, prices: PriceTable): string {
  const { total, ...parts } = idleOf(measured, prices);
  const rows = Object.entries(parts).map(([part, dollars]) => [part, cents(dollars)]);
  return markdown([['a month in which nothing comes', ''], ...rows, ['**in all**', `**${cents(total)}**`]]);
}

function loadTable(measured: MeasuredCost, prices: PriceTable): string {
  const head = [
    'events a second',
    'Sluice, a round a second',
    'a round in 10 s',
    ...perUnit.map((rate) => `Flink at ${whole(rate)} a unit`),
  ];
  const rows = rates.map((rate) => [
    whole(rate),
    ...[1, 10].map((seconds) => cents(sluiceMonth(rate, loadOf(measured, prices, seconds)))),
    ...perUnit.map((events) => cents(flinkMonth(rate, events, prices))),
  ]);
  return markdown([head, ...rows]);
}

function crossoverTable(measured: MeasuredCost, prices: PriceTable): string {
  const rows = perUnit.map((events) => {
    const from = crossover(loadOf(measured, prices, 1), events, prices, rateMax);
    return [whole(events), from === null ? `at no load up to ${whole(rateMax)}` : `${whole(Number(from.toPrecision(2)))} events a second`];
  });
  return markdown([['events a second that one unit of Flink does', 'Flink is cheaper from'], ...rows]);
}

function idleOf({ fifoQueues, alarmMetrics }: MeasuredCost, prices: PriceTable) {
  return idleMonth({ fifoQueues, alarmMetrics, standardQueues: 1, dashboards: 1, stateBytes: gb }, prices);
}

function loadOf(measured: MeasuredCost, prices: PriceTable, roundSeconds: number): SluiceLoad {
  const { recordsPerRound, perMillion, perRound, perCheckpoint } = measured;
  const dollarsPerRound = dollarsOf(perRound, prices).total;
  return {
    recordsPerRound,
    dollarsPerRound,
    dollarsPerMillionEvents: Math.max(0, dollarsOf(perMillion, prices).total - dollarsPerRound * (1e6 / recordsPerRound)),
    roundSeconds,
    dollarsPerCheckpoint: dollarsOf(perCheckpoint, prices).total,
    checkpointSeconds,
    idleMonth: idleOf(measured, prices).total,
  };
}

/** As prettier would have it. */
function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`;
  const [head, ...body] = rows;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('');
}

function whole(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

function cents(dollars: number): string {
  return dollars > 0 && dollars < 0.01
    ? 'under $0.01'
    : `$${dollars.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function small(dollars = 0): string {
  return `$${dollars.toFixed(dollars < 0.0001 ? 8 : 6)}`;
}
