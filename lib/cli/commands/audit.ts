/** `sluice audit`: who has changed a job, and whether the chain of records is whole. */
import { SluiceError } from '../../base/errors.ts';
import { verifyAudit } from '../../model/audit-chain.ts';
import type { AuditHead, AuditRecord } from '../../model/audit-record.ts';
import { counted } from '../amounts.ts';
import type { ApiClient } from '../api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';
import { plainLine } from '../plain-line.ts';

export interface AuditOptions extends ServerOptions {
  readonly json: boolean;
  readonly verify: boolean;
  /** `NUMBER:HASH`, as the log of the function has them. */
  readonly anchor: readonly AuditHead[];
}

interface Page {
  readonly head: AuditHead | null;
  readonly records: readonly AuditRecord[];
  readonly next: number | null;
}

/** @throws SluiceError `SLUICE-AUDIT-BROKEN` */
export async function audit(io: CliIo, job: string, options: AuditOptions): Promise<number> {
  const client = await findServer(io, options);
  const { records, head } = await readAll(client, await findJob(client, job));
  if (options.verify) verify(io, records, [...(head === null ? [] : [head]), ...options.anchor], options.json);
  else if (options.json) for (const record of records) io.out(`${JSON.stringify(record)}\n`);
  else if (records.length === 0) io.out('no changes\n');
  else io.out(records.map((record) => `${plainLine(lineOf(record))}\n`).join(''));
  return exitCodes.done;
}

function verify(io: CliIo, records: readonly AuditRecord[], anchors: readonly AuditHead[], json: boolean): void {
  const { problem, whole, withoutOutcome } = verifyAudit(records, anchors);
  if (problem !== null) {
    throw new SluiceError('SLUICE-AUDIT-BROKEN', problem.text, {
      hint: 'Up to the record before it everything is as it was written. docs/security.md says what to compare it with.',
      facts: { ...problem, whole },
    });
  }
  if (json) return io.out(`${JSON.stringify({ records: records.length, whole, withoutOutcome })}\n`);
  const open = withoutOutcome.length === 0 ? '' : `without an outcome: ${withoutOutcome.join(', ')}\n`;
  io.out(`${counted(records.length, 'record')}, whole up to ${whole.number}:${whole.hash}\n${open}`);
}

/** The first answer's head: what is written meanwhile is behind it. */
async function readAll(client: ApiClient, job: string): Promise<Pick<Page, 'records' | 'head'>> {
  const records: AuditRecord[] = [];
  let head: AuditHead | null | undefined;
  for (let after: number | null = 0; after !== null;) {
    const page: Page = await client.get<Page>(`/jobs/${job}/audit?after=${after}`);
    head ??= page.head;
    records.push(...page.records);
    after = page.next;
  }
  return { records, head: head ?? null };
}

function lineOf(record: AuditRecord): string {
  const { number, atMs, who } = record;
  const start = `${number}  ${new Date(atMs).toISOString()}`;
  if (record.kind === 'answered') {
    const { status, code } = record.outcome;
    return `${start}  ${record.asked} was answered ${status}${code === null ? '' : ` ${code}`}, job ${record.after?.status ?? 'unknown'}`;
  }
  const { method, path, query, body } = record.request;
  const text = typeof body === 'string' ? body : `(${body.characters} characters, SHA-256 ${body.sha256})`;
  return `${start}  ${who}  ${method} ${path}${query} ${text}`.trimEnd();
}
