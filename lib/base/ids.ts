/** Branded ids: a number or string of one kind cannot be passed where another kind is meant. */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** 32 lower-case hex digits, as in Flink. */
export type JobId = Branded<string, 'JobId'>;
/** What the user wrote as `uid(...)`: identifies state across versions of a job. A vertex is named by the uid of its first operator. */
export type OperatorUid = Branded<string, 'OperatorUid'>;
/** `EDGE/FROM>TO`: edge number in the plan, upstream shard, downstream shard. */
export type ChannelId = Branded<string, 'ChannelId'>;
/** Checkpoint numbers rise over the whole life of a job and are never given twice; an epoch bears the number of the checkpoint that ends it. */
export type CheckpointId = number;
export type Epoch = number;
/** Rises by one with every restore. */
export type Attempt = number;
export type KeyGroup = number;

const jobIdPattern = /^[0-9a-f]{32}$/;

export function isJobId(text: string): text is JobId {
  return jobIdPattern.test(text);
}

export function operatorUid(text: string): OperatorUid {
  return text as OperatorUid;
}

export function channelId(edge: number, from: number, to: number): ChannelId {
  return `${edge}/${from}>${to}` as ChannelId;
}
