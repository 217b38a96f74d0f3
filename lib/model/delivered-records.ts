/** What the sinks of tables and queues hand to their committers: everything that could refuse it has been asked before it was committed. */

/** A row as it shall be, or the key of one that shall be gone. */
export type RowChange = { readonly item: Readonly<Record<string, unknown>> } | { readonly key: Readonly<Record<string, unknown>> };

export interface QueueMessage {
  readonly body: string;
  /** Of a FIFO queue. */
  readonly group?: string;
}

/** On every row: who wrote it and from where in the stream, so that nothing older replaces it. */
export const versionAttribute = 'sluiceVersion';
/** On what is left of a deleted row until it expires. */
export const deletedAttribute = 'sluiceDeleted';
/** On every message, and a FIFO queue's deduplication id. */
export const messageIdAttribute = 'sluice-id';
