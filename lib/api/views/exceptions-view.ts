import type { JobFailure } from '../../model/coordinator-message.ts';
import type { PresentProblem } from '../../ports/problem-board.ts';

type View = Readonly<Record<string, unknown>>;

/**
 * `/jobs/:jobid/exceptions`: the failure that ended the job, with operator and position, and what goes wrong now and is tried again. What has passed is in
 * the log only.
 */
export function exceptionsView(failure: JobFailure | null, problems: readonly PresentProblem[]): View {
  const entries = [...(failure === null ? [] : [failureView(failure)]), ...problems.map(problemView)];
  return { exceptionHistory: { entries, truncated: false } };
}

function failureView({ code, message, hint, operator, shard, facts, atMs }: JobFailure): View {
  const known = Object.entries(facts).map(([name, value]) => `\t${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return entryView({ code, atMs, operator, shard }, [`${code}: ${message}`, ...known, hint]);
}

function problemView({ code, message, hint, operator = 'coordinator', shard = 0, sinceMs, tries }: PresentProblem): View {
  return entryView({ code, atMs: sinceMs, operator, shard }, [`${code}: ${message}`, `\ttried ${tries} times, and tried again`, hint]);
}

function entryView(
  { code, atMs, operator, shard }: Pick<JobFailure, 'code' | 'atMs' | 'shard'> & { readonly operator: string },
  lines: readonly string[],
): View {
  return {
    exceptionName: code,
    stacktrace: [...lines, ''].join('\n'),
    timestamp: atMs,
    failureLabels: {},
    taskName: `${operator} (${shard + 1})`,
    endpoint: 'local',
    taskManagerId: 'local',
    concurrentExceptions: [],
  };
}
