import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { job as flights } from '../../examples/flights/job.ts';
import { compileJob, type Job } from '../../lib/index.ts';
import { planHashOf } from '../../lib/planner/plan-job.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { everyOperator } from './every-operator.ts';

/**
 * Plans as version 1 wrote them. A savepoint holds a plan, so the format is kept for ever: a difference here is a new format, or a change that makes
 * every running job restore under another plan. Written anew only by `SLUICE_WRITE_GOLDEN=1`.
 */
const jobs: Readonly<
  Record<string, { readonly job: Job; readonly parameters: Readonly<Record<string, string>>; readonly parallelism: number }>
> = {
  flights: { job: flights, parameters: { input: 'flights.parquet', output: 'out', limit: '1000' }, parallelism: 2 },
  'every-operator': { job: everyOperator, parameters: {}, parallelism: 3 },
};

describe.each(Object.entries(jobs))('the plan of %s', (name, { job, parameters, parallelism }) => {
  const path = new URL(`../golden/plan/v1/${name}.json`, import.meta.url);
  const { plan, planHash } = compileJob(job, { parameters, parallelism });

  test('is the recorded one', () => {
    if (process.env['SLUICE_WRITE_GOLDEN'] === '1' && !existsSync(path))
      writeFileSync(path, `${JSON.stringify({ planHash, plan }, null, 2)}\n`);
    const recorded = JSON.parse(readFileSync(path, 'utf8')) as { planHash: string; plan: JobPlan };
    expect(plan).toEqual(recorded.plan);
    expect(planHash).toBe(recorded.planHash);
    expect(planHashOf(recorded.plan)).toBe(recorded.planHash);
  });
});
