/** What AWS takes for what it bills, in dollars. Free tiers, tiers by volume and savings plans are left out; so is tax. */
import { SluiceError } from '../base/errors.ts';

/** Per million of what a bill counts, by its unit; and what is paid by the hour, the month or the gigabyte. */
export interface PriceTable {
  readonly region: string;
  /** Day on which the prices were looked up, and where. */
  readonly asOf: string;
  readonly source: string;
  readonly perMillion: {
    /** DynamoDB on demand. */
    readonly 'write-unit': number;
    readonly 'read-unit': number;
    readonly 'standard-64kb': number;
    readonly 'fifo-64kb': number;
    /** S3: PUT, COPY, POST and LIST; GET and the others. */
    readonly 'class-1': number;
    readonly 'class-2': number;
    readonly invocation: number;
    readonly transition: number;
    /** One that fires. */
    readonly schedule: number;
  };
  readonly lambdaGbSecond: number;
  readonly perGbMonth: { readonly dynamodb: number; readonly pointInTimeRecovery: number; readonly s3: number };
  readonly logsPerGb: number;
  /** CloudWatch: each metric that an alarm looks at; a dashboard; a metric of ours, for the hours in which it has values. */
  readonly alarmMetricMonth: number;
  readonly dashboardMonth: number;
  readonly metricMonth: number;
  /** Managed Service for Apache Flink: a unit (1 vCPU, 4 GB) by the hour, one more for orchestration, and its running storage. */
  readonly flink: { readonly unitHour: number; readonly storageMonthPerUnit: number };
}

/** From the sheet that the design was made with: AWS's price list API and price pages, as far as they were stored. */
export const usEast1: PriceTable = {
  region: 'us-east-1',
  asOf: '2026-11-20',
  source:
    'AWS price list API (Lambda 2026-09-19, DynamoDB 2026-07-31) and the price pages of SQS, S3, Step Functions, CloudWatch, Managed Flink',
  perMillion: {
    'write-unit': 0.625,
    'read-unit': 0.125,
    'standard-64kb': 0.4,
    'fifo-64kb': 0.5,
    'class-1': 5,
    'class-2': 0.4,
    invocation: 0.2,
    transition: 25,
    schedule: 1,
  },
  lambdaGbSecond: 0.0000133334,
  perGbMonth: { dynamodb: 0.25, pointInTimeRecovery: 0.2, s3: 0.023 },
  logsPerGb: 0.5,
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,
  metricMonth: 0.3,
  flink: { unitHour: 0.11, storageMonthPerUnit: 5 },
};

/**
 * The table that a file holds: the standard one, with what the file says otherwise.
 *
 * @throws SluiceError `SLUICE-COST-PRICES`
 */
export function readPrices(text: string, where: string): PriceTable {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw badPrices(where, String(error));
  }
  const faults: string[] = [];
  const table = merged(usEast1, given, '', faults);
  if (faults.length > 0) throw badPrices(where, faults.join('; '));
  return table as PriceTable;
}

/** Field by field, of the same kinds; what the standard table does not have is a fault: a misspelt price would be no price. */
function merged(standard: unknown, given: unknown, path: string, faults: string[]): unknown {
  if (typeof standard !== 'object' || standard === null) {
    const fits = typeof given === typeof standard && (typeof given !== 'number' || (Number.isFinite(given) && given >= 0));
    if (!fits) faults.push(`${path} is ${JSON.stringify(given)}, ${typeof standard === 'number' ? 'dollars are' : 'a text is'} wanted`);
    return given;
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.push(`${path === '' ? 'the table' : path} is no object`);
    return standard;
  }
  const known = standard as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) if (!Object.hasOwn(known, name)) faults.push(`${path}${path === '' ? '' : '.'}${name} is unknown`);
  return Object.fromEntries(
    Object.entries(known).map(([name, value]) => {
      const own = (given as Readonly<Record<string, unknown>>)[name];
      return [name, own === undefined ? value : merged(value, own, path === '' ? name : `${path}.${name}`, faults)];
    }),
  );
}

function badPrices(where: string, problem: string): SluiceError {
  return new SluiceError('SLUICE-COST-PRICES', `the price table ${where} cannot be used: ${problem}`, {
    hint: 'It is a JSON object with the fields of the standard table that differ; `sluice cost --print-prices` prints that one.',
    facts: { where },
  });
}
