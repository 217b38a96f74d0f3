/** What functions may do in the table: each job's its own keys, and nobody removes an audit record. */
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { JobId } from '../lib/base/ids.ts';
import type { JobFunction } from './job-function.ts';
import { auditKeysOfJob, keysOfJob, sharedKeys } from './table-keys.ts';

const reads = ['dynamodb:GetItem', 'dynamodb:Query'];

/** What functions do with the job's own records and rows, and the list of jobs; none of them sees who changed it. */
const tableWork = {
  /** The check of a deployment reads the job's record, and changes nothing. */
  checks: ['dynamodb:GetItem'],
  /** A source has the records of its shards, and no keyed state. */
  sources: ['dynamodb:GetItem', 'dynamodb:PutItem'],
  /** An operator replaces what it has written, and removes nothing. */
  operates: [...reads, 'dynamodb:BatchGetItem', 'dynamodb:PutItem'],
  coordinates: [...reads, 'dynamodb:PutItem', 'dynamodb:BatchWriteItem'],
} as const;

export function allowTable(to: JobFunction, work: keyof typeof tableWork, table: TableV2, job: JobId): void {
  to.allow(tableWork[work], [table.tableArn], onlyKeys([...sharedKeys, ...keysOfJob(job)]));
}

/** Adding to the chain of its audit. Nothing of ours may remove a record. */
export function allowAudit(to: JobFunction, table: TableV2, job: JobId): void {
  to.allow(['dynamodb:Query', 'dynamodb:PutItem'], [table.tableArn], onlyKeys(auditKeysOfJob(job)));
}

/** Reading what there is about all jobs; no savepoint, and nothing of the users' data. */
export function allowQuestions(to: JobFunction, table: TableV2, bucket: Bucket): void {
  to.allow([...reads, 'dynamodb:BatchGetItem'], [table.tableArn]);
  to.allow(['s3:GetObject'], [bucket.arnForObjects('jobs/*')]);
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
}

/** By their partition keys. */
export function onlyKeys(patterns: readonly string[]) {
  return { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns } };
}
