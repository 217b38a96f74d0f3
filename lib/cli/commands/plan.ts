import { explainPlan } from '../../planner/explain-plan.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { compileFile, type JobOptions } from '../load-job.ts';

export interface PlanOptions extends JobOptions {
  readonly format: 'text' | 'json' | 'mermaid';
  readonly json: boolean;
}

export async function plan(io: CliIo, path: string, options: PlanOptions): Promise<number> {
  const compiled = await compileFile(io, path, options);
  io.out(explainPlan(compiled.plan, options.json ? 'json' : options.format));
  return exitCodes.done;
}
