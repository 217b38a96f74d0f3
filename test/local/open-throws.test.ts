import { expect, test } from 'vitest';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { collectSink, compileJob, defineJob, type } from '../../lib/index.ts';
import { gatedInput, useWorld } from '../scenarios/support.ts';

const world = useWorld();

test('what a function throws when it is opened counts from the first, and names the function', async () => {
  const input = gatedInput('opened', [[1, 2, 3]]);
  let opened = 0;
  const job = defineJob({
    name: 'opening',
    configuration: { 'restart-strategy.type': 'none' },
    build(env) {
      env
        .fromSource(input.source)
        .uid('numbers')
        .keyBy((n) => n)
        .process({ emits: type<number>(), process: (n, { emit }) => emit(n) })
        .uid('first')
        .process({
          emits: type<number>(),
          open() {
            opened++;
            throw new Error('cannot be opened');
          },
          process: (n, { emit }) => emit(n),
        })
        .uid('second')
        .sinkTo(collectSink('out'))
        .uid('out');
    },
  });
  const run = await world.start(compileJob(job));
  input.open(1);
  const { status } = await run.running.ended;
  const control = createPortJobControl({
    deps: run.running.engine.coordinator,
    savepointDirectory: null,
    checkpointLocation: (key) => key,
  });
  expect(status).toBe('FAILED');
  expect({ opened, ...(await control.failure(run.running.job)) }).toMatchObject({
    opened: 1,
    code: 'SLUICE-USER-CODE',
    operator: 'second',
  });
});
