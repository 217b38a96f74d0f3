/**
 * Every bound of the system, in one place; the relations between them are tested in test/base/limits.test.ts.
 * Sources: AWS service quotas as of November 2026 (SQS message 1 MiB, 10 per batch; DynamoDB item 400 KB; Lambda FIFO batch 10).
 */
export const limits = {
  /** SQS: messages per receive and per send batch. */
  messagesPerBatchMax: 10,
  /** SQS: message text; our bodies are bytes, sent as base64 (4/3), so bodies stay at or below `envelopeBytesMax`. */
  messageTextBytesMax: 1_048_576,
  /** What a queue's sink adds to a message: the id as an attribute, by name, type and value. */
  messageIdAttributeBytes: 79,
  /** Largest message body in bytes before base64; what is larger goes to an object and the envelope carries the pointer. */
  envelopeBytesMax: 700_000,
  /** Default size at which a channel's envelope is closed. One SQS request is 64 KB of text: 48 KiB of bytes. */
  envelopeBytesTarget: 49_152,
  /** Longest that records may linger for a full envelope: the longest delay of an SQS message. And how much one shard may keep, packed. */
  bufferTimeoutMsMax: 900_000,
  lingeringBytesMax: 8_388_608,
  /** An envelope is compressed when it is larger than this, and when that makes it smaller. */
  compressAboveBytes: 16_384,
  /** SQS FIFO: calls a second into one message group that leave headroom below its ~300. */
  groupCallsPerSecondMax: 200,
  /** Records per envelope at most, so that one envelope is always a bounded step of work. */
  envelopeRecordsMax: 16_384,
  /** Files that one source reads: the characters of their names, which stand in shard records. A gzip file: a cold start decompresses it from its beginning. */
  splitNamesCharactersMax: 200_000,
  gzipFileBytesMax: 268_435_456,
  /** A single record's encoded size at most. */
  recordBytesMax: 8_388_608,
  /** An envelope's records unpacked, at most: larger ones are not compressed, and nothing is unpacked beyond it. */
  unpackedBytesMax: 67_108_864,
  /** A column of one repeated value needs no byte per value: longer ones are written out, so that a damaged count cannot fill the memory. */
  constantValuesMax: 1_048_576,
  /** SQS: characters of a deduplication id or a message group id. */
  messageIdCharactersMax: 128,
  /** Key of keyed state as canonical JSON, in UTF-16 units. */
  keyCharactersMax: 65_536,
  /** Nesting depth of values that travel or are stored. */
  valueDepthMax: 64,
  /** Of a record that comes from outside: whatever it is put into must still be able to travel. */
  inputDepthMax: 60,
  /** Flink: 1 … 32768. */
  maxParallelismMax: 32_768,
  /** Records that a source reads into one commit, and milliseconds after which it closes the commit anyway. */
  sourceRecordsPerCommit: 16_384,
  sourceCommitMs: 250,
  /** Event- and processing-time timers fired in one commit; more are worked off in further commits. */
  timersPerCommitMax: 10_000,
  /** Rows of one delta object; a larger epoch writes several. */
  deltaRowsPerPart: 50_000,
  /** Commits whose rows make up one epoch's delta as they were written; the base's versions have room for so many in an epoch. */
  deltaBlocksPerEpochMax: 4_095,
  /** Base advance: how many rows or epochs may wait under load, which a restore has to read (200,000 rows: about 0.2 s), and how many once it is quiet. */
  baseAdvanceRows: 200_000,
  baseAdvanceEpochs: 8,
  baseAdvanceRowsQuiet: 2_000,
  /** Rows of deltas read for one step, the distinct ones among them that are enough, and rows written in one go: at least so many, while records come and while none do. */
  baseRowsReadPerStep: 60_000,
  baseRowsPerStep: 30_000,
  baseRowsPerSlice: 2_000,
  baseRowsPerSliceQuiet: 10_000,
  /** Keys kept warm per shard, and entries of maps that are loaded by entry; clean ones are dropped beyond it. */
  stateCacheKeysMax: 1_500_000,
  stateCacheEntriesMax: 1_000_000,
  /** Of a map that was cleared: rows that are looked at for deletion with one commit. A smaller map that is in memory is deleted at once. */
  mapSweepRows: 2_000,
  /** Epochs whose segments a shard lists one by one; more are merged. */
  epochsListedMax: 16,
  /** Default of the back-pressure limit: messages waiting per queue and shard. SQS looks at 120,000 messages ahead at most. */
  backlogMessagesPerShard: 24,
  backlogMessagesMax: 120_000,
  /** How long a job record may be cached. */
  jobRecordCacheMs: 1_000,
  /** Records of a batch after which the clock is asked for the first time whether orders are to be looked for. */
  recordsPerLook: 64,
  /** Receives of a batch without a word from whoever took it, after which it is worked off with care. */
  triesBeforeCare: 5,
  /** Times that nobody came back from a record that was tried alone, after which it is what ends the process. */
  triesAlone: 3,
  /** Longest stay of operator functions; visibility is just above it. */
  functionTimeoutMs: 30_000,
  visibilityTimeoutMs: 35_000,
  /** Size of the stored items: the tests hold the records below these. */
  shardRecordBytesMax: 409_600,
  /** DynamoDB: bytes of an item, of its two keys; items of one batch that is read or written. */
  itemBytesMax: 409_600,
  itemPartitionKeyBytesMax: 2_048,
  itemSortKeyBytesMax: 1_024,
  /** What a table's sink adds to a row, at most; and how long it keeps a deleted one: longer than any invocation lives. */
  itemVersionBytesMax: 256,
  rowTombstoneMs: 1_200_000,
  batchGetItemsMax: 100,
  batchWriteItemsMax: 25,
  jobRecordBytesMax: 4_096,
  /** Savepoints: delta rows read into memory at once, lines and text of one file, rows of one write of an import. */
  savepointRowsPerUnit: 200_000,
  savepointRowsPerFile: 100_000,
  savepointCharactersPerFile: 16_777_216,
  importRowsPerWrite: 5_000,
  /** An intake: records and characters of one entry of its log, but for a longer record; what one HTTP request may bring (Lambda takes 6 MB, base64 counted). */
  intakeEntryRecordsMax: 2_048,
  intakeEntryCharactersMax: 1_048_576,
  intakeRequestRecordsMax: 10_000,
  intakeRequestBytesMax: 4_194_304,
  /** Sizes of requests to the HTTP API. */
  apiBodyBytesMax: 1_048_576,
  /** Ended executions of flows that a local runner remembers; Step Functions: those of 90 days. */
  flowExecutionsKept: 10_000,
  /** A job's history: entries kept of each kind, and checkpoints that the API shows (Flink: 10). */
  historyEntriesMax: 1_000,
  historyCheckpointsShown: 100,
  /** Dead letters that the API shows where nobody asks for more. */
  deadLettersShown: 1_000,
  /** Audit records of one answer: of 20 KB at most, and Lambda answers with 6 MB. */
  auditRecordsShown: 100,
  auditRecordsShownMax: 200,
} as const;
