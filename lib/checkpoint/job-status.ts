/**
 * Which status a job may have next: the one table of legal moves (Flink's names). A restore may begin from anywhere but CANCELLING, also over another restore
 * that is half done; from FINISHED only one of a savepoint may (import-restoration.ts, IR1).
 */
import type { JobStatus } from '../model/job-record.ts';

const legalMoves: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  INITIALIZING: ['CREATED', 'RUNNING', 'FAILED', 'CANCELED'],
  CREATED: ['RUNNING', 'RESTARTING', 'FAILED', 'CANCELLING', 'SUSPENDED'],
  RUNNING: ['FAILING', 'FAILED', 'CANCELLING', 'FINISHED', 'RESTARTING', 'SUSPENDED'],
  FAILING: ['FAILED', 'RESTARTING', 'CANCELLING'],
  CANCELLING: ['CANCELED', 'FAILED'],
  RESTARTING: ['RUNNING', 'FAILED', 'CANCELLING', 'FINISHED', 'SUSPENDED'],
  RECONCILING: ['RUNNING', 'RESTARTING', 'FAILED'],
  FAILED: ['RESTARTING'],
  CANCELED: ['RESTARTING'],
  SUSPENDED: ['RESTARTING'],
  FINISHED: ['RESTARTING'],
};

/** The same status is no move and always legal. */
export function mayMove(from: JobStatus, to: JobStatus): boolean {
  return from === to || legalMoves[from].includes(to);
}

/** Nothing changes any more by itself. */
export function isTerminal(status: JobStatus): boolean {
  return status === 'FAILED' || status === 'CANCELED' || status === 'FINISHED' || status === 'SUSPENDED';
}

/** Shards take messages. RESTARTING is one of these: its kicks arrive before the restore has written RUNNING. */
export function isWorking(status: JobStatus): boolean {
  return status === 'RUNNING' || status === 'RESTARTING' || status === 'CREATED';
}
