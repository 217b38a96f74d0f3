import type { JobFailure } from '../../model/coordinator-message.ts';

/** `/jobs/:jobid/exceptions`: the failure that ended the job, with operator and position; retried ones are in the log only. */
export function exceptionsView(failure: JobFailure | null): Readonly<Record<string, unknown>> {
  return { exceptionHistory: { entries: failure === null ? [] : [entryView(failure)], truncated: false } };
}

function entryView({ code, message, hint, operator, shard, facts, atMs }: JobFailure): Readonly<Record<string, unknown>> {
  const known = Object.entries(facts).map(([name, value]) => `\t${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return {
    exceptionName: code,
    stacktrace: [`${code}: ${message}`, ...known, hint, ''].join('\n'),
    timestamp: atMs,
    failureLabels: {},
    taskName: `${operator} (${shard + 1})`,
    endpoint: 'local',
    taskManagerId: 'local',
    concurrentExceptions: [],
  };
}
