/** Runs every kind of process function: one handler per input, and a timer handler. */
import type { TimerDomain } from '../model/state-row.ts';
import { NO_TIMESTAMP } from '../model/time.ts';
import type { EntryRequest } from '../state/entry-request.ts';
import { FunctionContext, type FunctionContextNeeds } from './function-context.ts';
import type { OperatorContext, StreamOperator } from './operator.ts';

type Handler = (value: unknown, context: FunctionContext) => void;

interface FiredTimer {
  readonly timestamp: number;
  readonly domain: TimerDomain;
}

export interface FunctionHandlers {
  readonly inputs: readonly Handler[];
  /** Which entries each handler reads, by input; undefined where it says nothing. */
  readonly entries: readonly (((value: unknown, key: unknown) => EntryRequest | undefined) | undefined)[];
  readonly timerEntries?: (timer: FiredTimer, key: unknown) => EntryRequest | undefined;
  readonly open?: (context: FunctionContext) => void;
  readonly onTimer?: (timer: FiredTimer, context: FunctionContext) => void;
  readonly finish?: (context: FunctionContext) => void;
}

export class FunctionOperator implements StreamOperator {
  readonly #handlers: FunctionHandlers;
  readonly #needs: FunctionContextNeeds;
  readonly #first: Handler;
  #context!: FunctionContext;

  constructor(handlers: FunctionHandlers, needs: FunctionContextNeeds) {
    this.#handlers = handlers;
    this.#needs = needs;
    this.#first = handlers.inputs[0]!;
  }

  open(context: OperatorContext): void {
    this.#context = new FunctionContext(context, this.#needs);
    this.#handlers.open?.(this.#context);
  }

  process(input: number, value: unknown, timestamp: number): void {
    const context = this.#context;
    context.at(timestamp, this.#needs.keyedInputs[input]!);
    const handle = input === 0 ? this.#first : this.#handlers.inputs[input]!;
    handle(value, context);
  }

  entriesOf(input: number, value: unknown, key: unknown): EntryRequest | undefined {
    return this.#handlers.entries[input]?.(value, key);
  }

  entriesOfTimer(domain: TimerDomain, timestamp: number, key: unknown): EntryRequest | undefined {
    return this.#handlers.timerEntries?.({ timestamp, domain }, key);
  }

  onTimer(domain: TimerDomain, timestamp: number): void {
    const context = this.#context;
    if (domain === 'event') context.at(timestamp, true);
    else context.atProcessingTime(timestamp);
    this.#handlers.onTimer?.({ timestamp, domain }, context);
  }

  finish(): void {
    this.#context.at(NO_TIMESTAMP, false);
    this.#handlers.finish?.(this.#context);
  }
}
