/**
 * Tumbling and sliding windows.
 *
 * AW1. A window's contents exist from its first record until the watermark reaches its last millisecond plus the allowed lateness; one timer per
 *      window and key is pending all that time: first the one that fires, then the one that cleans up.
 * AW2. A record is late for a window that no longer exists by AW1; a record that is late for all its windows goes to the late output, or nowhere.
 * AW3. A record within the allowed lateness of a window that has fired fires it again, at once.
 */
import { NO_TIMESTAMP, MIN_WATERMARK } from '../model/time.ts';
import type { TimerDomain } from '../model/state-row.ts';
import type { KeyedContext, NamespacedState } from '../state/keyed-context.ts';
import { refuseUndefined } from './accumulator-value.ts';
import { missingTimestamp } from './function-context.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';
import type { WindowAssigner } from './window-assigner.ts';
import { WindowEmission } from './window-emission.ts';
import type { WindowFold } from './window-fold.ts';
import { WindowNamespaces, windowStartOf } from './window-namespace.ts';

export interface WindowOptions {
  readonly assigner: WindowAssigner;
  readonly fold: WindowFold;
  readonly allowedLatenessMs: number;
  readonly lateTag: string | undefined;
}

export class AlignedWindowOperator implements StreamOperator {
  readonly #fold: WindowFold;
  readonly #domain: TimerDomain;
  readonly #eventTime: boolean;
  readonly #sizeMs: number;
  readonly #slideMs: number;
  readonly #offsetMs: number;
  readonly #latenessMs: number;
  readonly #lateTag: string | undefined;
  readonly #namespaces = new WindowNamespaces();
  #uid = '';
  #keyed!: KeyedContext;
  #contents!: NamespacedState<unknown>;
  #emission!: WindowEmission;
  #late: Output | undefined;
  /** The newest window of the record before: most records fall into the same one. */
  #start = 0;
  #slideEnd = 0;
  #namespace = '';

  constructor({ assigner, fold, allowedLatenessMs, lateTag }: WindowOptions) {
    this.#fold = fold;
    this.#domain = assigner.domain;
    this.#eventTime = assigner.domain === 'event';
    this.#sizeMs = assigner.sizeMs;
    this.#slideMs = assigner.slideMs;
    this.#offsetMs = assigner.offsetMs;
    this.#latenessMs = allowedLatenessMs;
    this.#lateTag = lateTag;
  }

  open(context: OperatorContext): void {
    this.#uid = context.uid;
    this.#keyed = context.keyed();
    this.#contents = this.#keyed.namespacedState('contents');
    this.#emission = new WindowEmission(context);
    if (this.#lateTag !== undefined) this.#late = context.output(this.#lateTag);
  }

  process(_input: number, value: unknown, timestamp: number): void {
    let time = timestamp;
    let watermark = MIN_WATERMARK;
    if (this.#eventTime) {
      if (timestamp === NO_TIMESTAMP) throw missingTimestamp(this.#uid);
      watermark = this.#keyed.currentWatermark();
    } else {
      time = this.#keyed.currentProcessingTime();
    }
    if (time < this.#start || time >= this.#slideEnd) this.#moveTo(time);
    const start = this.#start;
    // Between two windows, where the slide is longer than the size: in no window, and not late.
    if (time >= start + this.#sizeMs) return;
    let taken = this.#add(start, this.#namespace, value, watermark);
    for (let older = start - this.#slideMs; older > time - this.#sizeMs; older -= this.#slideMs) {
      if (this.#add(older, this.#namespaces.of(older), value, watermark)) taken = true;
    }
    if (!taken && this.#late !== undefined) this.#late.emit(value, timestamp);
  }

  /** Division is exact enough: whole numbers below 2^53 are never rounded up to the next multiple. */
  #moveTo(time: number): void {
    this.#start = Math.floor((time - this.#offsetMs) / this.#slideMs) * this.#slideMs + this.#offsetMs;
    this.#slideEnd = this.#start + this.#slideMs;
    this.#namespace = this.#namespaces.of(this.#start);
  }

  #add(start: number, namespace: string, value: unknown, watermark: number): boolean {
    const lastMs = start + this.#sizeMs - 1;
    if (lastMs + this.#latenessMs <= watermark) return false;
    const before = this.#contents.get(namespace);
    const contents = this.#fold.add(before, value);
    if (contents === undefined) refuseUndefined('the function of a window');
    this.#contents.set(namespace, contents);
    if (lastMs <= watermark) this.#fold.fire(contents, this.#emission.at(start, lastMs + 1));
    if (before === undefined)
      this.#keyed.timers.register(this.#domain, lastMs <= watermark ? lastMs + this.#latenessMs : lastMs, namespace);
    return true;
  }

  onTimer(domain: TimerDomain, timestamp: number, namespace: string): void {
    const contents = this.#contents.get(namespace);
    if (contents === undefined) return;
    const start = windowStartOf(namespace);
    const lastMs = start + this.#sizeMs - 1;
    if (timestamp === lastMs) this.#fold.fire(contents, this.#emission.at(start, lastMs + 1));
    if (timestamp >= lastMs + this.#latenessMs) this.#contents.remove(namespace);
    else this.#keyed.timers.register(domain, lastMs + this.#latenessMs, namespace);
  }
}
