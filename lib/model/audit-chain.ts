/** Whether a chain of audit records is whole: pure, over what the API or a backup of the table gives. */
import { hashOfRecord, noRecord, type AuditHead, type AuditRecord } from './audit-record.ts';

export interface AuditProblem {
  /** Of the first record that is not as it was written. */
  readonly number: number;
  readonly problem: 'missing' | 'edited' | 'replaced' | 'out-of-place';
  readonly text: string;
}

export interface AuditVerdict {
  readonly problem: AuditProblem | null;
  /** Changes that were asked for and of which no outcome was written: the function ended in the midst of them. */
  readonly withoutOutcome: readonly number[];
  /** The last record up to which everything is whole. */
  readonly whole: AuditHead;
}

/**
 * @param records all of one job, as they are stored, in the order of their numbers
 * @param anchors ends of the chain that are known from elsewhere: the stored head, and what the function's log has
 */
export function verifyAudit(records: readonly AuditRecord[], anchors: readonly AuditHead[]): AuditVerdict {
  const withoutOutcome = new Set<number>();
  let whole = noRecord;
  const ends = (problem: AuditProblem | null): AuditVerdict => ({ problem, withoutOutcome: [...withoutOutcome], whole });
  for (const record of records) {
    const problem = problemOf(record, whole, records[0]!) ?? anchorProblem(record, anchors);
    if (problem !== undefined) return ends(problem);
    if (record.kind === 'asked') withoutOutcome.add(record.number);
    else withoutOutcome.delete(record.asked);
    whole = { number: record.number, hash: record.hash };
  }
  const beyond = anchors.find(({ number }) => number > whole.number);
  return ends(beyond === undefined ? null : missing(whole.number + 1, beyond.number));
}

function problemOf(record: AuditRecord, before: AuditHead, first: AuditRecord): AuditProblem | undefined {
  const wanted = before.number + 1;
  const { number } = record;
  if (number > wanted) return missing(wanted, number);
  if (number < wanted || record.job !== first.job)
    return { number: wanted, problem: 'out-of-place', text: `in the place of record ${wanted} is number ${number} of job ${record.job}` };
  if (record.hash !== hashOfRecord(record)) return { number, problem: 'edited', text: `record ${number} was edited: its hash is another` };
  if (record.previous !== before.hash) {
    const text = `record ${number} does not follow the record ${before.number} that is there: that one, or both, were replaced`;
    return { number: Math.max(before.number, 1), problem: 'replaced', text };
  }
  return undefined;
}

function anchorProblem({ number, hash }: AuditRecord, anchors: readonly AuditHead[]): AuditProblem | undefined {
  if (anchors.every((anchor) => anchor.number !== number || anchor.hash === hash)) return undefined;
  return { number, problem: 'replaced', text: `record ${number} was replaced: its hash is not the one that was written down elsewhere` };
}

function missing(number: number, next: number): AuditProblem {
  return { number, problem: 'missing', text: `record ${number} is missing: there is, or was, a record ${next}` };
}
