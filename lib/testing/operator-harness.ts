/**
 * Runs one operator by hand: elements, watermarks and processing time in, records out. For unit tests of Sluice's operators and of users' functions.
 *
 * Owns: one subtask's state, as text, so that what a function changes without writing it back is noticed, and so is a value that is changed after it
 * was emitted. Does not own: chains, checkpoints, several subtasks: that is the job harness's work.
 */
import { SluiceError } from '../base/errors.ts';
import { operatorUid } from '../base/ids.ts';
import type { TimerDomain } from '../model/state-row.ts';
import { MAX_WATERMARK, NO_TIMESTAMP } from '../model/time.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import type { OperatorContext, OperatorDefinition, OperatorStateHandle, StreamOperator } from '../operators/operator.ts';
import type { OutputTag } from '../operators/output-tag.ts';
import { HarnessKeyed, type KeyedSnapshot } from './harness-keyed.ts';

export interface HarnessRecord<T> {
  readonly value: T;
  /** NO_TIMESTAMP where it has none. */
  readonly timestamp: number;
}

/** Plain data. */
export interface HarnessSnapshot {
  readonly keyed: KeyedSnapshot;
  /** By state name: the items as text. */
  readonly operatorStates: Readonly<Record<string, readonly string[]>>;
}

export interface HarnessOptions {
  readonly restore?: HarnessSnapshot;
  readonly subtask?: number;
  readonly parallelism?: number;
}

interface Emitted extends HarnessRecord<unknown> {
  readonly text: string;
}

export class OperatorHarness<In, Out> {
  readonly #definition: Pick<OperatorDefinition, 'create' | 'keySelectors'>;
  readonly #operator: StreamOperator;
  readonly #keyed: HarnessKeyed;
  readonly #outputs = new Map<string, Emitted[]>();
  readonly #operatorStates = new Map<string, OperatorStateHandle>();
  readonly #sinkRecords: unknown[] = [];

  constructor(
    definition: Pick<OperatorDefinition, 'create' | 'keySelectors'>,
    { restore, subtask = 0, parallelism = 1 }: HarnessOptions = {},
  ) {
    this.#definition = definition;
    this.#keyed = new HarnessKeyed(restore?.keyed);
    this.#operator = definition.create!();
    this.#operator.open(this.#context(subtask, parallelism, restore?.operatorStates ?? {}));
    this.#keyed.cells.flush();
  }

  processElement(value: In, timestamp = NO_TIMESTAMP): void {
    this.process(0, value, timestamp);
  }

  /** `input` 0 or 1. */
  process(input: number, value: unknown, timestamp = NO_TIMESTAMP): void {
    const selector = this.#definition.keySelectors?.[input];
    if (selector === undefined) {
      this.#keyed.clearKey();
    } else {
      this.#keyed.setKey(selector(value));
      this.#keyed.asked.begin(this.#operator.entriesOf?.(input, value, this.#keyed.currentKey()));
    }
    this.#operator.process(input, value, timestamp);
    this.#keyed.cells.flush();
  }

  processWatermark(timestamp: number): void {
    this.#keyed.watermark = Math.max(timestamp, this.#keyed.watermark);
    this.#fire('event', this.#keyed.watermark);
    this.#operator.watermark?.(this.#keyed.watermark);
  }

  advanceProcessingTime(timestamp: number): void {
    this.#keyed.processingTimeMs = Math.max(timestamp, this.#keyed.processingTimeMs);
    this.#fire('processing', this.#keyed.processingTimeMs);
  }

  /** The input ends: the last watermark, and `finish`. */
  end(inputs = 1): void {
    this.processWatermark(MAX_WATERMARK);
    this.#keyed.clearKey();
    for (let input = 0; input < inputs; input++) this.#operator.endOfInput?.(input);
    this.#operator.finish?.();
    this.#keyed.cells.flush();
  }

  /** The values of the main output so far. */
  output(): Out[] {
    return this.records().map(({ value }) => value);
  }

  records(): HarnessRecord<Out>[] {
    return this.#emitted('') as HarnessRecord<Out>[];
  }

  sideOutput<T>(tag: OutputTag<T>): T[] {
    return this.#emitted(tag.id).map(({ value }) => value as T);
  }

  /** What a sink has written. */
  written(): readonly unknown[] {
    return this.#sinkRecords;
  }

  /** Timestamps of all pending timers of a domain, earliest first. */
  timers(domain: TimerDomain): number[] {
    return this.#keyed
      .pendingTimers()
      .filter((timer) => timer.domain === domain)
      .map(({ timestamp }) => timestamp);
  }

  snapshot(): HarnessSnapshot {
    this.#operator.prepareCommit?.();
    const operatorStates = Object.fromEntries([...this.#operatorStates].map(([name, { items }]) => [name, items.map(encodeValue)]));
    return { keyed: this.#keyed.snapshot(), operatorStates };
  }

  #fire(domain: TimerDomain, upTo: number): void {
    for (let due = this.#keyed.takeDue(domain, upTo); due !== undefined; due = this.#keyed.takeDue(domain, upTo)) {
      this.#keyed.setKeyText(due.key);
      this.#keyed.asked.begin(this.#operator.entriesOfTimer?.(domain, due.timestamp, this.#keyed.currentKey()));
      this.#operator.onTimer?.(domain, due.timestamp, due.namespace);
      this.#keyed.cells.flush();
    }
  }

  #emitted(tag: string): HarnessRecord<unknown>[] {
    return (this.#outputs.get(tag) ?? []).map(({ value, timestamp, text }) => {
      if (encodeValue(value) !== text) throw changedAfterEmit(text, encodeValue(value));
      return { value, timestamp };
    });
  }

  #context(subtask: number, parallelism: number, restored: HarnessSnapshot['operatorStates']): OperatorContext {
    return {
      uid: operatorUid('under-test'),
      subtask,
      parallelism,
      output: (tag) => {
        const emitted = this.#outputs.get(tag) ?? [];
        this.#outputs.set(tag, emitted);
        return { emit: (value, timestamp) => emitted.push({ value, timestamp, text: encodeValue(value) }) };
      },
      keyed: () => this.#keyed,
      operatorState: (name) => {
        const handle: OperatorStateHandle = { items: (restored[name] ?? []).map(decodeValue), changed: () => undefined };
        this.#operatorStates.set(name, handle);
        return handle;
      },
      currentWatermark: () => this.#keyed.watermark,
      sink: () => ({ write: (value) => this.#sinkRecords.push(value) }),
    };
  }
}

function changedAfterEmit(before: string, after: string): SluiceError {
  return new SluiceError('SLUICE-TEST-HARNESS', `a value was changed after it was emitted: ${before} became ${after}`, {
    hint: 'Emit a new value each time; records wait to be sent, and would all show the last change.',
    facts: { before, after },
  });
}
