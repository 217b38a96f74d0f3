/** A source that reads from a script, and how a test turns its loop. */
import { expect } from 'vitest';
import {
  collectSink,
  compileJob,
  defineJob,
  boundedOutOfOrderness,
  malformedRecords,
  type CompiledJob,
  type Watermarks,
} from '../../lib/index.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import type { SplitReader } from '../../lib/ports/connectors.ts';
import { ShardBench, type BenchOptions } from './shard-bench.ts';

interface Reading {
  readonly at: number;
}

/** Each split a list of batches of event times; a position is the number of batches read. A split that is not closed brings nothing for now. */
export class Script implements SplitReader {
  readonly batches: Record<string, number[][]>;
  readonly closed = new Set<string>();
  /** Batches, as `split batch`, that hold nothing but records that cannot be read. */
  readonly malformed = new Set<string>();
  reads: unknown[] = [];

  constructor(batches: Record<string, number[][]>) {
    this.batches = batches;
  }

  async splits(): Promise<readonly string[]> {
    return Object.keys(this.batches);
  }

  async read(
    _source: unknown,
    split: string,
    position: unknown,
    { recordsMax }: { readonly recordsMax: number },
  ): ReturnType<SplitReader['read']> {
    const at = (position as { readonly batch: number } | null)?.batch ?? 0;
    this.reads.push([split, at, recordsMax]);
    const batch = this.batches[split]![at];
    const next = batch === undefined ? at : at + 1;
    const ended = this.closed.has(split) && next >= this.batches[split]!.length;
    const values = (batch ?? []).map((time) => ({ at: time }));
    if (!this.malformed.has(`${split} ${at}`)) return { values, position: { batch: next }, ended };
    const malformed = values.map((value) => ({ split, position: `batch ${at}`, reason: 'torn', text: JSON.stringify(value) }));
    return { values: [], malformed, position: { batch: next }, ended };
  }
}

/** Drops what is negative on its way; what is malformed goes to a second sink. */
function compile(watermarks: Watermarks<Reading>, { parallelism = 1, onError = 'fail' }: SourceOptions): CompiledJob {
  const job = defineJob({
    name: 'reading',
    build(env) {
      const readings = env
        .fromSource<Reading>({ name: 'script', connector: { connector: 'script', options: {}, guarantee: 'exactly-once' } }, { watermarks })
        .uid('readings')
        .onError(onError)
        .setParallelism(parallelism);
      readings.getSideOutput(malformedRecords).rebalance().sinkTo(collectSink('malformed')).uid('malformed');
      readings
        .filter(({ at }) => at >= 0)
        .rebalance()
        .map((reading) => reading)
        .uid('middle')
        .rebalance()
        .sinkTo(collectSink('out'))
        .uid('out');
    },
  });
  return compileJob(job, { parallelism });
}

const strategy = ({ idleness = 0, aheadMax }: SourceOptions): Watermarks<Reading> =>
  boundedOutOfOrderness(10, ({ at }: Reading) => at, { idleness, ...(aheadMax === undefined ? {} : { aheadMax }) });

interface SourceOptions extends BenchOptions {
  readonly idleness?: number;
  readonly aheadMax?: number;
  readonly parallelism?: number;
  readonly onError?: 'fail' | 'dead-letter';
  readonly change?: (compiled: CompiledJob) => CompiledJob;
}

export async function openSource(script: Script, options: SourceOptions = {}): Promise<ShardBench> {
  const change = options.change ?? ((compiled) => compiled);
  const bench = await ShardBench.open(change(compile(strategy(options), options)), 'readings', {
    sources: { script },
    ...options,
  });
  expect(await bench.handle(bench.kick())).toEqual([]);
  return bench;
}

export async function turn(bench: ShardBench, waitMs = 0): Promise<void> {
  expect(await bench.handle(await bench.nextToItself(waitMs))).toEqual([]);
}

export const times = (envelopes: readonly Envelope[]): number[] =>
  envelopes.flatMap(({ values }) => (values as Reading[]).map(({ at }) => at));
export const events = (envelopes: readonly Envelope[]): unknown[] =>
  envelopes.flatMap(({ header }) =>
    header.events.map(({ event }) =>
      event.kind === 'watermark' ? event.timestamp : event.kind === 'barrier' ? `|${event.checkpoint}` : event.kind,
    ),
  );
