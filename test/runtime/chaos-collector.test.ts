import { expect, test } from 'vitest';
import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import { deepFreeze } from '../contract/fixture.ts';
import { jobA, jobRecord } from '../contract/sample-records.ts';
import { ManualTime } from '../contract/manual-time.ts';
import { collectGarbage } from './chaos-collector.ts';
import { compileCount } from './count-job.ts';

test('the collector of the chaos world takes neither what a running invocation has made nor what one makes while the roots are read', async () => {
  const { clock, timers } = new ManualTime();
  const random = { hex: (digits: number) => '0'.repeat(digits), fraction: () => 0 };
  const stores = createMemoryStores({ clock, timers, random, protect: deepFreeze });
  const key = (name: string): string => `jobs/${jobA}/segments/${name}`;
  const make = (name: string): Promise<unknown> => stores.objects.createIfAbsent(key(name), new Uint8Array(1));
  await make('lost-its-race');
  await make('about-to-be-named');
  const readJob = async (): Promise<ReturnType<typeof jobRecord>> => {
    await make('made-meanwhile');
    return jobRecord({ job: jobA });
  };
  const isYoung = (name: string): boolean => name === key('about-to-be-named');
  expect(await collectGarbage(stores, readJob, compileCount().plan, [], isYoung)).toBe(1);
  const left = (await stores.objects.list('jobs/')).map((object) => object.key);
  expect(left).toEqual([key('about-to-be-named'), key('made-meanwhile')]);
});
