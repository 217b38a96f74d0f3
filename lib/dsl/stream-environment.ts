import type { Source } from '../connectors/source.ts';
import type { CheckpointOptions } from '../model/checkpoint-options.ts';
import type { WatermarkStrategy } from '../operators/operator.ts';
import { noWatermarks, type Watermarks } from '../operators/watermark-strategies.ts';
import { DataStream } from './data-stream.ts';
import type { NodeDraft } from './node-draft.ts';
import { Pipeline } from './pipeline.ts';

export interface SourceOptions<T> {
  /** Default: none, and then no event time. */
  readonly watermarks?: Watermarks<T>;
}

/** Where a job's streams begin. */
export interface StreamEnvironment {
  fromSource<T>(source: Source<T>, options?: SourceOptions<T>): DataStream<T>;
  /** For all operators that set none: how long records may wait, in milliseconds, until they fill a message. Default 0: every commit sends what it has. */
  setBufferTimeout(timeoutMs: number): void;
  /** For all operators that set none: at how many bytes a message is full. Default 48 KiB, which SQS counts as one request. */
  setBufferSize(bytes: number): void;
  /** From one checkpoint to the next, in milliseconds, and Flink's other checkpoint options. What the command line says comes before them. */
  enableCheckpointing(intervalMs: number, options?: CheckpointOptions): void;
}

export function newPipeline(): Pipeline {
  return new Pipeline((pipeline, node) => new DataStream(pipeline, { endpoints: [{ node, output: '', partitioner: 'forward' }] }, node));
}

export function environmentOf(pipeline: Pipeline): StreamEnvironment {
  return {
    fromSource<T>(source: Source<T>, { watermarks = noWatermarks<T>() }: SourceOptions<T> = {}): DataStream<T> {
      const stream = pipeline.stream<T>({
        kind: 'source',
        role: 'source',
        name: source.name,
        states: [],
        inputs: [],
        connector: source.connector,
        source: {
          watermarks: watermarks as WatermarkStrategy,
          ...(source.decode === undefined ? {} : { decode: source.decode }),
        },
      });
      const node = pipeline.nodes.at(-1)!;
      node.onError = source.onError ?? node.onError;
      checkSource(pipeline, node, source, watermarks as WatermarkStrategy);
      return stream;
    },
    setBufferTimeout(timeoutMs) {
      pipeline.buffers = { ...pipeline.buffers, timeoutMs };
    },
    setBufferSize(bytes) {
      pipeline.buffers = { ...pipeline.buffers, bytes };
    },
    enableCheckpointing(intervalMs, options = {}) {
      pipeline.checkpointing = { ...pipeline.checkpointing, ...options, intervalMs };
    },
  };
}

function checkSource(pipeline: Pipeline, node: NodeDraft, source: Source<unknown>, watermarks: WatermarkStrategy): void {
  if (source.problem !== undefined) pipeline.report(node, 'connector-unusable', source.problem.message, source.problem.hint);
  const { limit } = source.connector.options;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) >= 0)) {
    pipeline.report(node, 'limit-invalid', `its limit is ${JSON.stringify(limit)}`, 'Give a whole number of records from 0.');
  }
  const durations = [watermarks.outOfOrdernessMs, watermarks.idleMs, watermarks.aheadMaxMs ?? 0];
  if (!durations.every((duration) => Number.isSafeInteger(duration) && duration >= 0)) {
    pipeline.report(
      node,
      'watermarks-invalid',
      'its watermark strategy has a duration that is no whole number of milliseconds from 0',
      'Use seconds(…) or minutes(…).',
    );
  }
}
