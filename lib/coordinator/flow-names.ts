/** Executions are named after their flow; only those of checkpoints, of which there are most, are named shortly (start-checkpoint.ts). */
import { flowDescriptions } from './flow-descriptions.ts';

const shortNames: Readonly<Record<string, string>> = { chk: 'checkpoint' };

/** Of which flow the execution of that name is. */
export function flowOfExecution(name: string): string | undefined {
  const short = shortNames[name.split('-', 1)[0]!];
  if (short !== undefined) return short;
  const fitting = flowDescriptions.map(({ name: flow }) => flow).filter((flow) => name.startsWith(`${flow}-`));
  return fitting.sort((a, b) => b.length - a.length)[0];
}
