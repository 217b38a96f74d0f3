/**
 * The record of a change that somebody asked for over HTTP, and the chain of them: of each job its own, numbered from 1.
 *
 * AU1. A record's hash is over all of it and over the hash of the one before, so that an edit, a removal and an insertion show.
 * AU2. A change has two records: one before anything is done, one with how it went, which names the first.
 *
 * Does not own: who writes them and when (lib/api/audit-trail.ts), how a chain is verified (audit-chain.ts).
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../base/canonical-json.ts';
import type { JobId } from '../base/ids.ts';

/** What a change may have changed of the job, as it was read just then. */
export interface AuditedState {
  readonly status: string;
  readonly attempt: number;
  readonly version: number;
  /** null: its plan is lost. */
  readonly settings: Readonly<Record<string, unknown>> | null;
}

export interface AuditedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** The whole text, or what identifies one that is too long to be kept. */
  readonly body: string | { readonly sha256: string; readonly characters: number };
}

interface EntryOfAny {
  readonly job: JobId;
  readonly atMs: number;
  /** ARN of the IAM identity, or issuer and subject of the token. */
  readonly who: string;
  /** As the gateway's access log has it. */
  readonly requestId: string;
}

export type AuditEntry =
  | (EntryOfAny & { readonly kind: 'asked'; readonly request: AuditedRequest; readonly before: AuditedState | null })
  | (EntryOfAny & {
      readonly kind: 'answered';
      /** Number of the record that says what was asked. */
      readonly asked: number;
      readonly outcome: { readonly status: number; readonly code: string | null };
      readonly after: AuditedState | null;
    });

/** Where a chain ends. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

export type AuditRecord = AuditEntry & AuditHead & { readonly previous: string };

/** What the first record follows. */
export const noRecord: AuditHead = { number: 0, hash: '0'.repeat(64) };

export function sealEntry(entry: AuditEntry, previous: AuditHead): AuditRecord {
  const record = { ...entry, number: previous.number + 1, previous: previous.hash };
  return { ...record, hash: hashOfRecord(record) };
}

/** Of everything in it but the hash itself. */
export function hashOfRecord({ hash: _, ...sealed }: AuditEntry & Partial<AuditHead> & { readonly previous: string }): string {
  return createHash('sha256').update(canonicalJson(sealed)).digest('hex');
}
