import {
  collectSink,
  compileJob,
  type CompiledJob,
  defineJob,
  fromCollection,
  type Job,
  monotonousTimestamps,
  valueState,
} from '../../lib/index.ts';
import { channelId } from '../../lib/base/ids.ts';

export interface Word {
  readonly word: string;
  readonly fail?: string;
  /** An event- or processing-time timer to register. */
  readonly eventTimer?: number;
  readonly processingTimer?: number;
}

/** Two sources → keyed count, which emits `{ word, count }` and `{ word, timer }` → sink of its own vertex. */
const countJob = (sourceShards: number): Job =>
  defineJob({
    name: 'count',
    parameters: {},
    build(env) {
      const options = { watermarks: monotonousTimestamps(() => 0) };
      env
        .fromSource(fromCollection<Word>([]), options)
        .uid('left')
        .setParallelism(sourceShards)
        .union(env.fromSource(fromCollection<Word>([]), options).uid('right').setParallelism(sourceShards))
        .keyBy(({ word }) => {
          if (word === 'no key') throw new Error('this word has no key');
          return word;
        })
        .process({
          state: { count: valueState<number>() },
          process({ word, fail, eventTimer, processingTimer }, { state, timers, emit }) {
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            if (eventTimer !== undefined) timers.registerEventTime(eventTimer);
            if (processingTimer !== undefined) timers.registerProcessingTime(processingTimer);
            if (fail !== undefined) throw new Error(fail);
            emit({ word, count });
          },
          onTimer({ timestamp, domain }, { key, state, emit }) {
            if (key === 'bad timer') throw new Error('the timer failed');
            emit({ word: key, timer: timestamp, domain, count: state.count.value() });
          },
        })
        .uid('count')
        .rebalance()
        .sinkTo(collectSink('counts'))
        .uid('counts');
    },
  });

export function compileCount(parallelism = 1, sourceShards = 1): CompiledJob {
  return compileJob(countJob(sourceShards), { parallelism });
}

/** Channels into shard 0 of `count` where all vertices have one shard. */
export const left = channelId(0, 0, 0);
export const right = channelId(1, 0, 0);
