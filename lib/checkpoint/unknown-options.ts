/** What is said of options that cannot be given: those of Flink that are not there, those that have another place, and mistakes. */
import { checkpointKeys } from './checkpoint-options.ts';
import { restartKeys } from './restart-options.ts';

/** With all that begins with one of them and a dot. docs/checkpoints.md has the reason of each. */
export const absentOptions: readonly string[] = [
  'execution.checkpointing.interval-during-backlog',
  'execution.checkpointing.checkpoints-after-tasks-finish',
  'execution.checkpointing.incremental',
  'state.backend.incremental',
  'execution.checkpointing.snapshot-compression',
  'execution.checkpointing.storage',
  'state.checkpoint-storage',
  'execution.checkpointing.create-subdir',
  'execution.checkpointing.data-inline-threshold',
  'state.storage.fs.memory-threshold',
  'execution.checkpointing.write-buffer-size',
  'state.storage.fs.write-buffer-size',
  'execution.checkpointing.file-merging',
  'execution.checkpointing.cleaner.parallel-mode',
  'execution.checkpointing.local-backup',
  'state.backend.local-recovery',
  'execution.checkpointing.unaligned.forced',
  'execution.checkpointing.unaligned.interruptible-timers',
  'execution.checkpointing.unaligned.max-subtasks-per-channel-state-file',
  'execution.checkpointing.unaligned.recover-output-on-downstream',
  'execution.checkpointing.unaligned.during-recovery',
  'execution.checkpointing.region',
  'execution.state-recovery.claim-mode',
  'execution.state-recovery.from-local',
  'execution.state-recovery.without-channel-state.checkpoint-id',
];

/** Where a path or a decision belongs to one run and not to the job. */
const elsewhere: Readonly<Record<string, string>> = {
  'execution.checkpointing.dir': '--data-dir',
  'state.checkpoints.dir': '--data-dir',
  'execution.checkpointing.savepoint-dir': '--savepoint-dir',
  'state.savepoints.dir': '--savepoint-dir',
  'execution.state-recovery.path': '--from-savepoint',
  'execution.state-recovery.ignore-unclaimed-state': '--allow-non-restored-state',
};

/** So many letters may be wrong, too many, or missing. */
const distanceMax = 3;

/** Undefined where the option is there. */
export function unknownOption(key: string): string | undefined {
  const known = [...restartKeys, ...checkpointKeys];
  if (known.includes(key)) return undefined;
  if (Object.hasOwn(elsewhere, key)) return `${key} is given as ${elsewhere[key]!} on the command line`;
  if (absentOptions.some((absent) => key === absent || key.startsWith(`${absent}.`)))
    return `${key} is not there: docs/checkpoints.md says why`;
  const nearest = known
    .map((other) => ({ other, distance: other.endsWith(`.${key}`) ? 0 : distance(key, other) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const isNear = nearest !== undefined && nearest.distance <= distanceMax;
  return `there is no option ${key}${isNear ? `; ${nearest.other} is meant?` : ''}`;
}

/** Levenshtein's, by rows. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
