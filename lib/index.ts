/** What a job file imports. */
export { defineJob, type Job, type JobDefinition } from './dsl/define-job.ts';
export { parameter, type ParameterDeclaration, type ParameterValues } from './dsl/parameters.ts';
export type { CheckpointOptions } from './model/checkpoint-options.ts';
export type { SourceOptions, StreamEnvironment } from './dsl/stream-environment.ts';
export { days, hours, minutes, seconds } from './dsl/durations.ts';
export { type } from './dsl/type-witness.ts';

export type { DataStream } from './dsl/data-stream.ts';
export type { KeyedStream } from './dsl/keyed-stream.ts';
export type { WindowedStream } from './dsl/windowed-stream.ts';
export type { BroadcastStream } from './dsl/broadcast-stream.ts';
export type {
  BroadcastConnectedStream,
  ConnectedKeyedStreams,
  ConnectedStreams,
  KeyedBroadcastConnectedStream,
} from './dsl/connected-streams.ts';
export type { StreamSink } from './dsl/stream-sink.ts';

export { boundedOutOfOrderness, monotonousTimestamps, noWatermarks, type Watermarks } from './operators/watermark-strategies.ts';
export { sessionEventTime, slidingEventTime, tumblingEventTime } from './operators/event-time-windows.ts';
export { sessionProcessingTime, slidingProcessingTime, tumblingProcessingTime } from './operators/processing-time-windows.ts';
export type { WindowAssigner } from './operators/window-assigner.ts';
export type { ProcessWindowFunction, TimeWindow, WindowContext, WindowFunction } from './operators/window-function.ts';
export type { FilterFunction } from './operators/filter.ts';
export type { FlatMapFunction } from './operators/flat-map.ts';
export type { MapFunction } from './operators/map.ts';
export type { ReduceFunction } from './operators/keyed-reduce.ts';
export type { KeyedProcessContext, KeyedProcessFunction, ProcessContext, ProcessFunction } from './operators/process-function.ts';
export type {
  BroadcastProcessFunction,
  CoProcessFunction,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
} from './operators/co-process-function.ts';
export type { Timer, Timers } from './operators/function-types.ts';
export { outputTag, type OutputTag } from './operators/output-tag.ts';

export { aggregatingState, listState, mapState, reducingState, valueState } from './state/constructors.ts';
export type { AggregateFunction, AggregatingState, ListState, MapState, ReducingState, ValueState } from './state/descriptors.ts';
export { operatorList, operatorUnionList } from './operators/operator-state-constructors.ts';
export type { OperatorListState } from './operators/operator-state.ts';
export { broadcastState, type BroadcastState, type ReadonlyBroadcastState } from './operators/broadcast-state.ts';

export { ndjsonFiles, parquetFile, type ParquetOptions } from './connectors/file-sources.ts';
export { fromCollection, memoryText } from './connectors/memory-sources.ts';
export { sourceFromHttp, sourceFromSqs, type PushOptions } from './connectors/push-sources.ts';
export { recordsFrom, recordsTo } from './connectors/records-uri.ts';
export { collectSink, fileSink } from './connectors/committer-sinks.ts';
export { dynamoDbSink, type DynamoDbSinkOptions } from './connectors/dynamodb-sink.ts';
export { sqsSink, type SqsSinkOptions } from './connectors/sqs-sink.ts';
export { accumulatorSink, discardingSink } from './connectors/inner-sinks.ts';
export { malformedRecords, type RecordsOptions, type Source } from './connectors/source.ts';
export type { MalformedRecord } from './ports/connectors.ts';
export type { Sink } from './connectors/sink.ts';

export { compileJob, type CompiledJob, type CompileOptions } from './dsl/compile-job.ts';
export { explainPlan, type ExplainFormat } from './planner/explain-plan.ts';
export { SluiceError } from './base/errors.ts';
