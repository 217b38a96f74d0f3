import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';

/** What a base64 text of so many bytes is long. */
const textOf = (bytes: number): number => Math.ceil(bytes / 3) * 4;

/** As AWS had it in November 2026. */
const aws = {
  sqsMessageBytes: 1_048_576,
  sqsBatchMessages: 10,
  sqsIdCharacters: 128,
  sqsLookAhead: 120_000,
  sqsGroupCallsPerSecond: 300,
  sqsDelayMs: 900_000,
  dynamodbItemBytes: 409_600,
  dynamodbPartitionKeyBytes: 2_048,
  dynamodbSortKeyBytes: 1_024,
  dynamodbBatchGetItems: 100,
  dynamodbBatchWriteItems: 25,
  lambdaFifoBatch: 10,
};

describe('the limits', () => {
  test('are those of the services or below them', () => {
    expect(limits.messageTextBytesMax).toBeLessThanOrEqual(aws.sqsMessageBytes);
    expect(limits.messagesPerBatchMax).toBeLessThanOrEqual(Math.min(aws.sqsBatchMessages, aws.lambdaFifoBatch));
    expect(limits.messageIdCharactersMax).toBeLessThanOrEqual(aws.sqsIdCharacters);
    expect(limits.groupCallsPerSecondMax).toBeLessThan(aws.sqsGroupCallsPerSecond);
    expect(limits.backlogMessagesMax).toBeLessThanOrEqual(aws.sqsLookAhead);
    expect(limits.shardRecordBytesMax).toBeLessThanOrEqual(aws.dynamodbItemBytes);
    expect(limits.jobRecordBytesMax).toBeLessThanOrEqual(aws.dynamodbItemBytes);
    expect(limits.itemBytesMax).toBeLessThanOrEqual(aws.dynamodbItemBytes);
    expect(limits.itemPartitionKeyBytesMax).toBeLessThanOrEqual(aws.dynamodbPartitionKeyBytes);
    expect(limits.itemSortKeyBytesMax).toBeLessThanOrEqual(aws.dynamodbSortKeyBytes);
    expect(limits.batchGetItemsMax).toBeLessThanOrEqual(aws.dynamodbBatchGetItems);
    expect(limits.batchWriteItemsMax).toBeLessThanOrEqual(aws.dynamodbBatchWriteItems);
  });

  test('let an envelope of the largest size travel as text, with a header of 64 KB', () => {
    expect(textOf(limits.envelopeBytesMax + 65_536)).toBeLessThanOrEqual(limits.messageTextBytesMax);
  });

  test('close an envelope at one SQS request of text, far below the largest', () => {
    expect(textOf(limits.envelopeBytesTarget)).toBeLessThanOrEqual(65_536);
    expect(limits.envelopeBytesTarget).toBeLessThan(limits.envelopeBytesMax);
    expect(limits.compressAboveBytes).toBeLessThan(limits.envelopeBytesTarget);
  });

  test('let a record be larger than an envelope: it travels by its segment, and unpacks', () => {
    expect(limits.recordBytesMax).toBeGreaterThan(limits.envelopeBytesMax);
    expect(limits.unpackedBytesMax).toBeGreaterThan(limits.recordBytesMax);
  });

  test('let a channel linger until its envelope is full, and no longer than a message may be delayed', () => {
    // Uncompressed, an envelope may have three times the bytes.
    expect(limits.lingeringBytesMax).toBeGreaterThanOrEqual(3 * limits.envelopeBytesMax);
    expect(limits.bufferTimeoutMsMax).toBeLessThanOrEqual(aws.sqsDelayMs);
  });

  test('let an envelope be packed whatever its records look like', () => {
    expect(limits.constantValuesMax).toBeGreaterThanOrEqual(limits.envelopeRecordsMax);
    expect(limits.constantValuesMax).toBeGreaterThanOrEqual(limits.deltaRowsPerPart);
  });

  test('keep a message invisible for longer than its function may run', () => {
    expect(limits.visibilityTimeoutMs).toBeGreaterThan(limits.functionTimeoutMs);
    expect(limits.visibilityTimeoutMs).toBeLessThan(2 * limits.functionTimeoutMs);
  });

  test('notice a new attempt, and close a commit, many times within a function', () => {
    expect(limits.jobRecordCacheMs * 10).toBeLessThanOrEqual(limits.functionTimeoutMs);
    expect(limits.sourceCommitMs * 10).toBeLessThanOrEqual(limits.functionTimeoutMs);
  });

  test('bound a commit: what a source reads fits into one envelope per channel, and a delta into one advance or several', () => {
    expect(limits.sourceRecordsPerCommit).toBeLessThanOrEqual(limits.envelopeRecordsMax);
    expect(limits.baseRowsPerStep).toBeLessThanOrEqual(limits.baseAdvanceRows);
    expect(limits.baseRowsPerSlice).toBeLessThanOrEqual(limits.baseRowsPerStep);
    expect(limits.baseAdvanceRowsQuiet).toBeLessThan(limits.baseAdvanceRows);
    expect(limits.baseRowsReadPerStep).toBeGreaterThanOrEqual(limits.deltaRowsPerPart);
    expect(limits.timersPerCommitMax).toBeLessThanOrEqual(limits.deltaRowsPerPart);
    expect(limits.stateCacheKeysMax).toBeGreaterThan(limits.deltaRowsPerPart);
    expect(limits.stateCacheEntriesMax).toBeGreaterThan(limits.deltaRowsPerPart);
    expect(limits.mapSweepRows).toBeLessThan(limits.deltaRowsPerPart);
  });

  test('throttle sources long before SQS stops looking at other groups', () => {
    // With 1,000 shards on one queue the backlog is still a fifth of what SQS looks at.
    expect(limits.backlogMessagesPerShard * 1_000).toBeLessThanOrEqual(limits.backlogMessagesMax / 5);
  });

  test('bound keys below what a stored row may hold, and values below what a stack can follow', () => {
    expect(limits.keyCharactersMax * 3).toBeLessThan(aws.dynamodbItemBytes);
    expect(limits.valueDepthMax).toBeGreaterThanOrEqual(32);
    expect(limits.valueDepthMax).toBeLessThanOrEqual(1_000);
  });

  test('are positive whole numbers, every one', () => {
    for (const [name, value] of Object.entries(limits)) {
      expect(Number.isSafeInteger(value) && value > 0, name).toBe(true);
    }
  });
});
