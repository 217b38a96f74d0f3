/** Runs every kind of process function: one handler per input, and a timer handler. */
import type { TimerDomain } from '../model/state-row.ts';
import { NO_TIMESTAMP } from '../model/time.ts';
import { FunctionContext, type FunctionContextNeeds } from './function-context.ts';
import type { OperatorContext, StreamOperator } from './operator.ts';

type Handler = (value: unknown, context: FunctionContext) => void;

export interface FunctionHandlers {
  readonly inputs: readonly Handler[];
  readonly open?: (context: FunctionContext) => void;
  readonly onTimer?: (timer: { readonly timestamp: number; readonly domain: TimerDomain }, context: FunctionContext) => void;
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
