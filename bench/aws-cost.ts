/**
 * `npm run bench:aws-requests`: what W1 costs on AWS, per million records, per round and per checkpoint. Twice the same records, with few and with many
 * checkpoints: the difference is what those cost; and once in many small rounds. `--write` puts it into docs/cost-measured.json and docs/cost.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { limits } from '../lib/base/limits.ts';
import { deployedOf } from '../lib/cost/idle-month.ts';
import { usEast1 } from '../lib/cost/prices.ts';
import { addBills, requestsOf, type Bill } from '../lib/model/bill.ts';
import { measureAwsRequests, type AwsRequests } from './aws-requests.ts';
import { costTables, type MeasuredCost } from './cost-tables.ts';
import { flightsTextFile, loadChunks } from './flights-text.ts';
import { w1 } from './workloads.ts';
import { scriptOptions, wholeNumber } from '../scripts/script-options.ts';

const help = `npm run bench:aws-requests -- [--records 1000000] [--write] [--json]

--write   into docs/cost-measured.json and the tables of docs/cost.md
`;
const { values } = scriptOptions(help, {
  records: { type: 'string', default: '1000000' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
});
const records = wholeNumber('records', values.records);
const docs = join(import.meta.dirname, '..', 'docs');
const seldomMs = 600_000;
const oftenMs = 250;
const smallRound = 256;

const chunks = loadChunks(await flightsTextFile(), records);
const few = await measureAwsRequests({ chunks, records, intervalMs: seldomMs });
const many = await measureAwsRequests({ chunks, records, intervalMs: oftenMs });
const fewRecords = Math.min(records, 200_000);
const small = await measureAwsRequests({
  chunks: loadChunks(await flightsTextFile(), fewRecords),
  records: fewRecords,
  intervalMs: seldomMs,
  recordsPerRound: smallRound,
});
const measured = split(few, many, small);
const tables = costTables(measured, usEast1);
if (values.write) write();
if (values.json) console.log(JSON.stringify(measured));
else {
  const bills = [measured.perMillion, measured.perRound, measured.perCheckpoint];
  const names = [...new Set(bills.flatMap((bill) => Object.keys(bill)))].sort();
  for (const name of names) console.log(`${name.padEnd(44)} ${bills.map((bill) => round(bill[name] ?? 0)).join(' ')}`);
  console.log(`\n${tables}`);
  console.log(`${many.checkpoints} checkpoints against ${few.checkpoints}, ${requestsOf(few.bill)} requests for ${records} records`);
}

function split(a: AwsRequests, b: AwsRequests, c: AwsRequests): MeasuredCost {
  const { fifoQueues, alarmMetrics } = deployedOf(w1.compiled().plan);
  const more = b.checkpoints - a.checkpoints;
  if (more < 1) throw new Error('there are too few records for more than one checkpoint');
  const perCheckpoint = scaled(addBills(b.bill, scaled(a.bill, -1)) ?? {}, 1 / more);
  const withoutCheckpoints = ({ bill, checkpoints }: AwsRequests): Bill => addBills(bill, scaled(perCheckpoint, -checkpoints)) ?? {};
  return {
    job: 'W1 (bench/workloads.ts): one keyed state, one exchange',
    records,
    node: `Node ${process.version}`,
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`,
    measuredOn: new Date().toISOString().slice(0, 10),
    recordsPerRound: limits.sourceRecordsPerCommit,
    fifoQueues,
    alarmMetrics,
    perMillion: scaled(withoutCheckpoints(a), 1e6 / records),
    perRound: scaled(withoutCheckpoints(c), smallRound / c.records),
    perCheckpoint,
  };
}

/** What two runs differ in by chance may come out below nothing. */
function scaled(bill: Bill, factor: number): Bill {
  const least = factor < 0 ? Number.NEGATIVE_INFINITY : 0;
  return Object.fromEntries(Object.entries(bill).map(([name, count]) => [name, Math.max(least, Number((count * factor).toFixed(4)))]));
}

function write(): void {
  writeFileSync(join(docs, 'cost-measured.json'), `${JSON.stringify(measured, null, 2)}\n`);
  const path = join(docs, 'cost.md');
  const [before, , after] = readFileSync(path, 'utf8').split(/<!-- (?:measured|end of measured) -->\n/);
  writeFileSync(path, `${before}<!-- measured -->\n\n${tables}\n<!-- end of measured -->\n${after}`);
}

function round(count: number): string {
  return count.toFixed(2).padStart(14);
}
