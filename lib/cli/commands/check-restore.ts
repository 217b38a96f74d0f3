import { checkSavepoint, type SavepointCheck } from '../../savepoint/check-savepoint.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { compileFile } from '../load-job.ts';
import { checkpointSettings, type RunOptions } from '../run-options.ts';
import { savepointArgument } from '../savepoint-argument.ts';

export type CheckRestoreOptions = RunOptions & { readonly allowNonRestoredState: boolean };

/** `sluice restore --dry-run`: everything that can be said against it at once, and what would happen. Changes nothing. */
export async function checkRestore(io: CliIo, savepoint: string, path: string, options: CheckRestoreOptions): Promise<number> {
  const { allowNonRestoredState, json } = options;
  const program = await compileFile(io, path, options);
  const { plan } = program;
  // As the run would: what is wrong with them is said here too.
  checkpointSettings(options, program);
  const check = await checkSavepoint(await savepointArgument(io, savepoint), plan, {
    allowNonRestoredState,
    allowOtherJob: false,
  });
  if (json) {
    const { validation, ...report } = check;
    io.out(`${JSON.stringify({ ...report, files: validation.files, bytes: validation.bytes }, null, 2)}\n`);
  } else io.out(checkText(plan.name, check));
  return check.ok ? exitCodes.done : exitCodes.refused;
}

function checkText(job: string, check: SavepointCheck): string {
  const verdict = check.ok ? [`job ${job} can start from ${check.location}`] : [`job ${job} cannot start from ${check.location}:`];
  return `${[
    ...verdict,
    ...check.reasons.map(({ code, message }) => `  ${code}: ${message}`),
    ...listed('keeps its state', check.mapped),
    ...listed('begins empty', check.startsEmpty),
    ...listed('is dropped', check.dropped),
    ...check.parallelismChanges.map(({ vertex, from, to }) => `  ${vertex}: ${from} shards become ${to}`),
    ...check.warnings.map((warning) => `  warning: ${warning}`),
    ...(check.ok ? [] : ['nothing was changed']),
  ].join('\n')}\n`;
}

function listed(what: string, uids: readonly string[]): readonly string[] {
  return uids.length === 0 ? [] : [`  ${what}: ${uids.join(', ')}`];
}
