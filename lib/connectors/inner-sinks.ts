/** Sinks that do no I/O. */
import { SluiceError } from '../base/errors.ts';
import type { OperatorContext, OperatorStateHandle, StreamOperator } from '../operators/operator.ts';
import type { Sink } from './sink.ts';

export interface AccumulatorOptions<T, A> {
  readonly initial: A;
  readonly add: (accumulator: A, value: T) => A;
  /** Joins the totals of two subtasks when the parallelism falls. */
  readonly merge?: (left: A, right: A) => A;
}

const stateName = 'accumulator';

class AccumulatorSinkOperator implements StreamOperator {
  readonly #options: AccumulatorOptions<unknown, unknown>;
  #handle!: OperatorStateHandle;
  #total: unknown;
  #changed = false;

  constructor(options: AccumulatorOptions<unknown, unknown>) {
    this.#options = options;
  }

  open(context: OperatorContext): void {
    this.#handle = context.operatorState(stateName, 'accumulator');
    const [first = this.#options.initial, ...others] = this.#handle.items;
    this.#total = others.reduce((left, right) => this.#merge(left, right, context.uid), first);
  }

  process(_input: number, value: unknown): void {
    this.#total = this.#options.add(this.#total, value);
    this.#changed = true;
  }

  prepareCommit(): void {
    if (!this.#changed) return;
    this.#handle.items = [this.#total];
    this.#handle.changed();
    this.#changed = false;
  }

  #merge(left: unknown, right: unknown, operator: string): unknown {
    if (this.#options.merge !== undefined) return this.#options.merge(left, right);
    throw new SluiceError(
      'SLUICE-ACCUMULATOR-UNMERGEABLE',
      `the accumulator sink ${operator} has fewer subtasks than totals, and no merge function`,
      {
        hint: 'Give accumulatorSink a merge function, or keep the parallelism.',
        facts: { operator },
      },
    );
  }
}

class DiscardingSinkOperator implements StreamOperator {
  open(): void {
    // Nothing to prepare.
  }

  process(): void {
    // Nothing to keep.
  }
}

/** Adds the records up, exactly once: the total is state of the job, readable in its checkpoints and savepoints. */
export function accumulatorSink<T, A>(options: AccumulatorOptions<T, A>): Sink<T> {
  return {
    name: 'accumulator',
    states: [{ name: stateName, kind: 'accumulator', ...(options.merge === undefined ? { unmergeable: true } : {}) }],
    create: () => new AccumulatorSinkOperator(options as AccumulatorOptions<unknown, unknown>),
  };
}

export function discardingSink<T>(): Sink<T> {
  return { name: 'discard', states: [], create: () => new DiscardingSinkOperator() };
}
