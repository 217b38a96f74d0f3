/**
 * What of the table belongs to a job, as the condition `dynamodb:LeadingKeys` wants it: patterns of partition keys (docs/formats/dynamodb.md). A job's id is
 * the namespace of its rows, or begins it.
 */

export const sharedKeys = ['jobs'];

/** `test/infra/table-keys.test.ts` holds them against every key that the adapter makes. */
export function keysOfJob(jobId: string): readonly string[] {
  const records = ['j', 'o', 'h'].map((kind) => `${kind}#${jobId}`);
  const parts = ['s', 'a'].map((kind) => `${kind}#${jobId}#*`);
  const rows = ['b', 't'].flatMap((kind) => [`${kind}#${jobId}#*`, `${kind}#${jobId}.*`]);
  return [...records, ...parts, ...rows, `r#${jobId}`, `r#${jobId}.*`];
}

/** Only those who record changes, and nobody who may remove something. */
export function auditKeysOfJob(jobId: string): readonly string[] {
  return [`u#${jobId}`];
}

/** How the job stands, and no more. */
export function recordKeysOfJob(jobId: string): readonly string[] {
  return [`j#${jobId}`];
}

/** In the table of intakes: of all of the job's logs, or of one. */
export function intakeKeysOfJob(jobId: string, intake?: string): readonly string[] {
  return [intake === undefined ? `i#${jobId}#*` : `i#${jobId}#${intake}#*`];
}
