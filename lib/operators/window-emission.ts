import type { KeyedContext } from '../state/keyed-context.ts';
import type { OperatorContext, Output } from './operator.ts';
import type { OutputTag } from './output-tag.ts';
import type { TimeWindow } from './window-function.ts';

/** The context of window functions, pointed at one window after the other. Results bear the window's last millisecond, as in Flink. */
export class WindowEmission {
  readonly emit: (value: unknown) => void;
  readonly emitTo: (tag: OutputTag<unknown>, value: unknown) => void;
  readonly #keyed: KeyedContext;
  #window: TimeWindow = { start: 0, end: 0 };

  constructor(operator: OperatorContext) {
    const main = operator.output('');
    const sides = new Map<string, Output>();
    this.#keyed = operator.keyed();
    this.emit = (value) => main.emit(value, this.timestamp);
    this.emitTo = (tag, value) => {
      let side = sides.get(tag.id);
      if (side === undefined) sides.set(tag.id, (side = operator.output(tag.id)));
      side.emit(value, this.timestamp);
    };
  }

  at(start: number, end: number): this {
    this.#window = { start, end };
    return this;
  }

  get window(): TimeWindow {
    return this.#window;
  }

  get timestamp(): number {
    return this.#window.end - 1;
  }

  get key(): unknown {
    return this.#keyed.currentKey();
  }

  get currentWatermark(): number {
    return this.#keyed.currentWatermark();
  }

  get currentProcessingTime(): number {
    return this.#keyed.currentProcessingTime();
  }
}
