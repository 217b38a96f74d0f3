import { describe, expect, test } from 'vitest';
import { job as flights } from '../../examples/flights/job.ts';
import { compileJob, defineJob, discardingSink, explainPlan, fromCollection, outputTag } from '../../lib/index.ts';
import { everyOperator } from './every-operator.ts';

const { plan, planHash } = compileJob(flights, { parameters: { input: 'flights.parquet', output: 'out' }, parallelism: 2 });

describe('a plan explained', () => {
  test('for people shows parameters, chains with their operators and states, and the channels between them, in columns', () => {
    expect(explainPlan(plan)).toBe(`job flights, plan ${planHash.slice(0, 12)}
  input   flights.parquet
  output  out

flights: 1 shard, 128 key groups
  flights  source  parquet flights.parquet  exactly-once

daily: 2 shards, 128 key groups
  daily        window  tumbling window 1d  state contents; timers
  daily-files  sink    files out/daily     exactly-once

seasons: 2 shards, 128 key groups
  seasons        keyed-process                     state route; timers
  seasons-files  sink           files out/seasons  exactly-once

channels
  flights  hash  → daily
  flights  hash  → seasons
`);
  });

  test('for programs is JSON with the hash', () => {
    expect(JSON.parse(explainPlan(plan, 'json'))).toEqual({ planHash, plan, warnings: [] });
  });

  test('for drawings is a Mermaid flowchart', () => {
    expect(explainPlan(plan, 'mermaid')).toBe(`flowchart LR
  subgraph v0["flights ×1"]
    n0["flights<br/>source"]
  end
  subgraph v1["daily ×2"]
    n1["daily<br/>window"]
    n2["daily-files<br/>sink"]
  end
  subgraph v2["seasons ×2"]
    n3["seasons<br/>keyed-process"]
    n4["seasons-files<br/>sink"]
  end
  n1 --> n2
  n3 --> n4
  n0 ==>|"hash"| n1
  n0 ==>|"hash"| n3
`);
  });

  test('names side outputs, inputs and fixed key groups', () => {
    const every = compileJob(everyOperator, { parallelism: 3 }).plan;
    const text = explainPlan(every);
    expect(text).toContain('users: ');
    expect(text).toContain('256 key groups (fixed)');
    expect(text).toContain('reads late of sliding');
    expect(text).toMatch(/rules +broadcast +→ limited \(input 2\)/);
    expect(explainPlan(every, 'mermaid')).toContain('-->|"late"|');
    expect(text).toContain('sliding window 10min/1min');
  });

  test('shows what is not the default of how messages are put together', () => {
    const job = defineJob({
      name: 'buffers',
      build(env) {
        const source = env
          .fromSource(fromCollection([1]))
          .uid('source')
          .setBufferTimeout(250);
        const one = source.rebalance().map((n) => n).uid('one').setBufferSize(5_000); // prettier-ignore
        one.rebalance().map((n) => n).uid('two').rebalance().sinkTo(discardingSink()).uid('out'); // prettier-ignore
      },
    });
    expect(explainPlan(compileJob(job, { parallelism: 2 }).plan)).toContain(`channels
  source  rebalance  → one  buffer timeout 250 ms
  one     rebalance  → two  buffer size 5000 bytes
  two     rebalance  → out
`);
  });

  test('warns where more shards send to one than a message group takes', () => {
    const tag = outputTag<number>('side');
    const job = (parallelism: number, bufferTimeoutMs = 0) =>
      defineJob({
        name: 'wide',
        build(env) {
          env.setBufferTimeout(bufferTimeoutMs);
          const source = env
            .fromSource(fromCollection([1]))
            .uid('source')
            .setParallelism(parallelism);
          const sum = source
            .union(source.getSideOutput(tag))
            .keyBy((n) => n)
            .reduce((a, b) => a + b);
          sum.uid('sum').sinkTo(discardingSink());
        },
      });
    expect(explainPlan(compileJob(job(25)).plan)).not.toContain('warning');
    const wide = compileJob(job(26)).plan;
    expect(explainPlan(wide)).toContain('warning: sum: 52 shards send to each of its shards, up to 208 calls a second');
    expect(explainPlan(wide)).toContain('at most 50 shards together, or give them a buffer timeout of 260 ms or more');
    expect(explainPlan(compileJob(job(26, 260)).plan)).not.toContain('warning');
    expect(explainPlan(compileJob(job(26, 251)).plan)).toContain('up to 208 calls a second');
    // What lingers less than a source takes for a commit saves nothing.
    expect(explainPlan(compileJob(job(26, 10)).plan)).toContain('up to 208 calls a second');
    expect(JSON.parse(explainPlan(wide, 'json'))).toMatchObject({ warnings: [{ code: 'fan-in', where: 'sum' }] });
  });
});
