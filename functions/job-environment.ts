/** What a function of a job is told by its environment (infra/streaming-job.ts): the one reader of these variables. */
import { SluiceError } from '../lib/base/errors.ts';
import { isJobId, operatorUid, type JobId, type OperatorUid } from '../lib/base/ids.ts';
import type { CompileOptions } from '../lib/dsl/compile-job.ts';
import type { RuntimeSettings } from '../lib/runtime/runtime-deps.ts';

export interface JobEnvironment {
  readonly job: JobId;
  /** Digest of the bundle. */
  readonly code: string;
  /** As the deployment planned it. */
  readonly options: CompileOptions;
  readonly table: string;
  readonly bucket: string;
  /** Whose the bucket is. */
  readonly account: string;
  /** Of the intakes' logs; absent where the job has no push source. */
  readonly intakeTable: string | null;
  /** What every queue's URL begins with. */
  readonly queues: string;
  /** What every state machine's ARN begins with. */
  readonly machines: string;
  /** Of the function, by Lambda itself; 0 = it does not say. */
  readonly memoryMb: number;
  /** Of the function that runs the flows' steps only: UUIDs of the job's event source mappings. */
  readonly mappings: readonly string[] | null;
  /** Differing from the defaults. */
  readonly settings: Partial<RuntimeSettings>;
  /** Of the function of an operator, or of a source's intake. */
  readonly uid: OperatorUid | null;
  readonly delay: { readonly queueArn: string; readonly scheduleGroup: string; readonly schedulerRoleArn: string } | null;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** @throws SluiceError `SLUICE-FUNCTION-ENVIRONMENT` */
export function readJobEnvironment(variables: Variables = process.env): JobEnvironment {
  const wanted = (name: string): string => wantedVariable(name, variables);
  const job = wanted('SLUICE_JOB_ID');
  if (!isJobId(job)) return missing('SLUICE_JOB_ID', 'is no job id');
  const uid = variables['SLUICE_UID'];
  const queueArn = variables['SLUICE_DELAY_QUEUE_ARN'];
  return {
    job,
    code: wanted('SLUICE_CODE'),
    options: JSON.parse(wanted('SLUICE_OPTIONS')) as CompileOptions,
    table: wanted('SLUICE_TABLE'),
    bucket: wanted('SLUICE_BUCKET'),
    account: wanted('SLUICE_ACCOUNT'),
    intakeTable: variables['SLUICE_INTAKE_TABLE'] ?? null,
    queues: wanted('SLUICE_QUEUES'),
    machines: wanted('SLUICE_MACHINES'),
    memoryMb: Number(variables['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? 0),
    mappings: variables['SLUICE_MAPPINGS']?.split(' ') ?? null,
    settings: JSON.parse(variables['SLUICE_SETTINGS'] ?? '{}') as Partial<RuntimeSettings>,
    uid: uid === undefined ? null : operatorUid(uid),
    delay:
      queueArn === undefined
        ? null
        : { queueArn, scheduleGroup: wanted('SLUICE_SCHEDULES'), schedulerRoleArn: wanted('SLUICE_SCHEDULER_ROLE') },
  };
}

/** @throws SluiceError `SLUICE-FUNCTION-ENVIRONMENT` */
export function wantedVariable(name: string, variables: Variables = process.env): string {
  return variables[name] ?? missing(name, 'is not set');
}

function missing(name: string, why: string): never {
  throw new SluiceError('SLUICE-FUNCTION-ENVIRONMENT', `the environment variable ${name} ${why}`, {
    hint: 'Functions are made by the constructs SluiceControlPlane and StreamingJob: deploy them again.',
    facts: { name },
  });
}
