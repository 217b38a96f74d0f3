import { Hono } from 'hono';
import type { JobStatus } from '../model/job-record.ts';
import type { ApiOptions } from './api-app.ts';
import { answer } from './route-parameters.ts';
import { overviewEntry } from './views/job-view.ts';

/** The release of Flink whose API this is. */
const flinkVersion = '2.3.0';

/** Flink counts everything that has not ended as running. */
const endedStatuses: readonly JobStatus[] = ['FINISHED', 'CANCELED', 'FAILED', 'SUSPENDED'];

export function clusterRoutes({ control, clock, version }: ApiOptions): Hono {
  const routes = new Hono();

  routes.get('/config', (context) =>
    answer(context, {
      'refresh-interval': 3000,
      'timezone-name': 'Coordinated Universal Time',
      'timezone-offset': 0,
      'flink-version': flinkVersion,
      'flink-revision': `sluice ${version}`,
      features: { 'web-submit': false, 'web-cancel': true, 'web-rescale': false, 'web-history': false },
    }),
  );

  routes.get('/overview', async (context) => {
    const jobs = await control.list();
    const count = (...statuses: readonly JobStatus[]): number => jobs.filter(({ status }) => statuses.includes(status)).length;
    const running = jobs.filter(({ status }) => !endedStatuses.includes(status));
    const shards = running.reduce((sum, job) => sum + job.shards.length, 0);
    return answer(context, {
      // The process itself; every shard has its slot.
      taskmanagers: 1,
      'slots-total': shards,
      'slots-available': 0,
      'jobs-running': running.length,
      'jobs-finished': count('FINISHED'),
      'jobs-cancelled': count('CANCELED'),
      'jobs-failed': count('FAILED'),
      'flink-version': flinkVersion,
      'flink-commit': `sluice ${version}`,
    });
  });

  routes.get('/jobs', async (context) => {
    const jobs = await control.list();
    return answer(context, { jobs: jobs.map(({ job, status }) => ({ id: job, status })) });
  });

  routes.get('/jobs/overview', async (context) => {
    const jobs = await control.list();
    return answer(context, { jobs: jobs.map((job) => overviewEntry(job, clock.now())) });
  });

  return routes;
}
