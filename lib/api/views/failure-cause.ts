/** Why something failed, as Flink's clients read it, with our code and advice beside it. */
import type { OperationRecord } from '../../ports/records.ts';
import { serializeThrowable } from '../serialized-throwable.ts';

type Failure = NonNullable<OperationRecord['failure']>;

const outer = 'java.util.concurrent.CompletionException';

/** The Java class that says the same; whoever reads it by class finds what Flink would have thrown. */
function javaClass(code: string): string {
  if (code === 'SLUICE-JOB-UNKNOWN' || code === 'SLUICE-JOB-ENDED') return 'org.apache.flink.runtime.messages.FlinkJobNotFoundException';
  return 'org.apache.flink.runtime.checkpoint.CheckpointException';
}

export function failureCauseView({ code, message, hint }: Failure): Readonly<Record<string, unknown>> {
  const inner = `${javaClass(code)}: ${message}`;
  const stackTrace = `${outer}: ${inner}\nCaused by: ${inner}\n\t${code}: ${hint}\n`;
  return {
    class: outer,
    'stack-trace': stackTrace,
    'serialized-throwable': serializeThrowable({ className: outer, message: inner, stackTrace }),
    code,
    message,
    hint,
  };
}
