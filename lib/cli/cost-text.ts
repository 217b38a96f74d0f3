/** `sluice cost` for people. */
import { counted, formatCount, table } from './amounts.ts';
import type { ToldCost } from './commands/cost.ts';

const names: Readonly<Record<string, string>> = {
  dynamodb: 'DynamoDB',
  sqs: 'SQS',
  s3: 'S3',
  lambda: 'Lambda',
  'step-functions': 'Step Functions',
  scheduler: 'EventBridge Scheduler',
};

export function costText({ job, name, prices, report, idle, operations }: ToldCost): string {
  const { checkpoints, dollars, events } = report;
  const perEvent = (total: number): string => (events === null || events === 0 ? 'not known' : money((total / events) * 1e6));
  const row = (what: string, total: number): readonly string[] => [
    what,
    perEvent(total),
    money(total / Math.max(1, checkpoints)),
    `${dollars.total === 0 ? 0 : Math.round((total / dollars.total) * 100)} %`,
  ];
  const services = Object.entries(dollars.byService).sort(([, a], [, b]) => b - a);
  const rows = [
    ['SERVICE', 'PER MILLION EVENTS', 'PER CHECKPOINT', 'SHARE'],
    ...services.map(([service, total]) => row(names[service] ?? service, total)),
    row('in all', dollars.total),
  ];
  const perMillion = report.requestsPerMillionEvents;
  const requests = `${perMillion === null ? '' : `${formatCount(perMillion)} per million events, `}${formatCount(report.requests / Math.max(1, checkpoints))} per checkpoint`;
  return [
    `${name} (${job}): ${counted(checkpoints, 'checkpoint')} from ${time(report.fromMs)} to ${time(report.toMs)}\n`,
    `events    ${events === null ? 'not known: that needs two checkpoints at least' : formatCount(events)}\n`,
    `requests  ${requests}\n\n`,
    table(rows),
    ...(operations === null
      ? []
      : [
          `\nSavepoints and restores, of which nothing is in the table: ${counted(operations.count, 'operation')}: ${money(operations.dollars.total)}\n`,
        ]),
    ...(idle === null ? [] : [`\n${idleText(idle)}\n`]),
    `\nPrices of ${prices.region} as of ${prices.asOf}, without free tiers and tax. Not counted: docs/cost.md.\n`,
  ].join('');
}

function idleText({ total, ...parts }: NonNullable<ToldCost['idle']>): string {
  const told = Object.entries(parts).map(([part, dollars]) => `${part} ${cents(dollars)}`);
  return `A month in which nothing comes: ${cents(total)} (${told.join(', ')})`;
}

function cents(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? 'under $0.01' : `$${dollars.toFixed(2)}`;
}

/** Two digits that say something, whatever the size. */
function money(dollars: number): string {
  if (dollars === 0) return '$0';
  const digits = Math.max(2, 1 - Math.floor(Math.log10(Math.abs(dollars))));
  return `$${dollars.toFixed(Math.min(digits, 12))}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
}
