/** Executions that we start are named after their flow, and the job; only those of checkpoints, of which there are most, are named shortly (start-checkpoint.ts). */
import { flowDescriptions } from './flow-descriptions.ts';

const shortNames: Readonly<Record<string, string>> = { chk: 'checkpoint' };

/** What a person may start under any name, and a checkpoint waits for. */
const byHand: readonly string[] = ['savepoint', 'stop'];

/** In which flows an execution of that name may be. */
export function flowsOfExecution(name: string): readonly string[] {
  const flow = flowOfExecution(name);
  const isOurs = flow !== undefined && (!byHand.includes(flow) || /^[a-z]+-[0-9a-f]{32}-/.test(name));
  return isOurs ? [flow] : byHand;
}

/** Of which flow the execution of that name is. */
export function flowOfExecution(name: string): string | undefined {
  const short = shortNames[name.split('-', 1)[0]!];
  if (short !== undefined) return short;
  const fitting = flowDescriptions.map(({ name: flow }) => flow).filter((flow) => name.startsWith(`${flow}-`));
  return fitting.sort((a, b) => b.length - a.length)[0];
}
