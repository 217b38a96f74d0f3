/** Defaults of what a function is told about its work. */
import { limits } from '../base/limits.ts';
import type { RuntimeSettings } from './runtime-deps.ts';

export const defaultRuntimeSettings: RuntimeSettings = {
  compressEnvelopes: true,
  sourceRecordsPerCommit: limits.sourceRecordsPerCommit,
  backlogMessagesPerShard: limits.backlogMessagesPerShard,
  backPressureSleepMs: 5,
  backlogCheckMs: 1_000,
  sourceIdleMs: 50,
  stateCacheKeys: limits.stateCacheKeysMax,
  stateCacheEntries: limits.stateCacheEntriesMax,
  jobRecordCacheMs: limits.jobRecordCacheMs,
  functionTimeoutMs: limits.functionTimeoutMs,
  lookEveryMs: limits.jobRecordCacheMs,
  recordsPerLook: limits.recordsPerLook,
  triesBeforeCare: limits.triesBeforeCare,
  triesAlone: limits.triesAlone,
};
