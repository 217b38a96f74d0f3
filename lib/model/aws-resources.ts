/** Tables and queues of users, as jobs name them: by name, by URL, by ARN. What cannot be one is undefined. */
export interface AwsTable {
  /** As requests name it. */
  readonly id: string;
  readonly name: string;
  /** Absent: those of the environment. */
  readonly region?: string;
  readonly account?: string;
}

export interface AwsQueue {
  readonly url: string;
  readonly name: string;
  readonly account: string;
  /** Absent: that of the environment. */
  readonly region?: string;
  readonly isFifo: boolean;
}

const tableName = '[A-Za-z0-9_.-]{3,255}';
const tablePattern = new RegExp(`^${tableName}$`);
const tableArnPattern = new RegExp(`^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):(\\d{12}):table/(${tableName})$`);
const queueName = '(?=.{1,80}$)[A-Za-z0-9_-]+(?:\\.fifo)?';
const queueArnPattern = new RegExp(`^arn:(aws[a-z-]*):sqs:([a-z0-9-]+):(\\d{12}):(${queueName})$`);
const queueUrlPattern = new RegExp(`^https?://([^/]+)/(?:[^/]+/)*(\\d{12})/(${queueName})$`);
/** Hosts of emulators say nothing of a region. */
const queueHostPattern = /^sqs\.([a-z0-9-]+)\.(?:amazonaws\.|api\.aws)/;

/** By name, or by ARN, which also says where it is. */
export function awsTable(text: string): AwsTable | undefined {
  if (tablePattern.test(text)) return { id: text, name: text };
  const [, region, account, name] = tableArnPattern.exec(text) ?? [];
  return name === undefined ? undefined : { id: text, name, region: region!, account: account! };
}

/** By URL or ARN: a name alone does not say whose it is. */
export function awsQueue(text: string): AwsQueue | undefined {
  const [, partition, region, account, name] = queueArnPattern.exec(text) ?? [];
  if (name !== undefined) {
    const host = `sqs.${region!}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
    return { url: `https://${host}/${account!}/${name}`, name, account: account!, region: region!, isFifo: isFifo(name) };
  }
  const [, host, owner, named] = queueUrlPattern.exec(text) ?? [];
  if (named === undefined) return undefined;
  const where = queueHostPattern.exec(host!)?.[1];
  return { url: text, name: named, account: owner!, ...(where === undefined ? {} : { region: where }), isFifo: isFifo(named) };
}

function isFifo(name: string): boolean {
  return name.endsWith('.fifo');
}
