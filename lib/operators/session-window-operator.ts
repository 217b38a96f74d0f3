/**
 * Session windows: every record opens a window as long as the gap, and windows of a key that meet are one.
 *
 * SW1. The sessions of a key neither overlap nor touch; each lies under its start and carries its end.
 * SW2. Every session has exactly one pending timer, the one it names. The timer may be early (a record has made the session longer since): then it
 *      moves on when it fires, so that a record costs no timer.
 * SW3. Whether a record is late is judged by the session that it would be part of: one that joins a live session is not late.
 */
import { MIN_WATERMARK, NO_TIMESTAMP } from '../model/time.ts';
import type { TimerDomain } from '../model/state-row.ts';
import type { KeyedContext, NamespacedState } from '../state/keyed-context.ts';
import type { WindowOptions } from './aligned-window-operator.ts';
import { refuseUndefined } from './accumulator-value.ts';
import { missingTimestamp } from './function-context.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';
import { WindowEmission } from './window-emission.ts';
import type { WindowFold } from './window-fold.ts';
import { WindowNamespaces } from './window-namespace.ts';

interface Session {
  readonly start: number;
  readonly end: number;
  readonly timer: number;
  readonly contents: unknown;
}

export class SessionWindowOperator implements StreamOperator {
  readonly #fold: WindowFold;
  readonly #domain: TimerDomain;
  readonly #gapMs: number;
  readonly #latenessMs: number;
  readonly #lateTag: string | undefined;
  readonly #namespaces = new WindowNamespaces();
  #uid = '';
  #keyed!: KeyedContext;
  #sessions!: NamespacedState<Session>;
  #emission!: WindowEmission;
  #late: Output | undefined;

  constructor({ assigner, fold, allowedLatenessMs, lateTag }: WindowOptions) {
    this.#fold = fold;
    this.#domain = assigner.domain;
    this.#gapMs = assigner.sizeMs;
    this.#latenessMs = allowedLatenessMs;
    this.#lateTag = lateTag;
  }

  open(context: OperatorContext): void {
    this.#uid = context.uid;
    this.#keyed = context.keyed();
    this.#sessions = this.#keyed.namespacedState('contents');
    this.#emission = new WindowEmission(context);
    if (this.#lateTag !== undefined) this.#late = context.output(this.#lateTag);
  }

  process(_input: number, value: unknown, timestamp: number): void {
    const eventTime = this.#domain === 'event';
    if (eventTime && timestamp === NO_TIMESTAMP) throw missingTimestamp(this.#uid);
    const time = eventTime ? timestamp : this.#keyed.currentProcessingTime();
    const watermark = eventTime ? this.#keyed.currentWatermark() : MIN_WATERMARK;
    const met = this.#meeting(time, time + this.#gapMs);
    const start = Math.min(time, met[0]?.start ?? time);
    const end = Math.max(time + this.#gapMs, met.at(-1)?.end ?? time);
    const lastMs = end - 1;
    if (lastMs + this.#latenessMs <= watermark) {
      this.#late?.emit(value, timestamp);
      return;
    }
    const contents = this.#fold.add(this.#joined(met), value);
    if (contents === undefined) refuseUndefined('the function of a window');
    const timer = this.#moveTimer(met, start, lastMs, watermark);
    this.#sessions.set(this.#namespaces.of(start), { start, end, timer, contents });
    if (lastMs <= watermark) this.#fold.fire(contents, this.#emission.at(start, end));
  }

  /** The sessions that overlap or touch, by start. */
  #meeting(start: number, end: number): Session[] {
    const met: Session[] = [];
    for (const namespace of this.#sessions.namespaces()) {
      const session = this.#sessions.get(namespace)!;
      if (session.start <= end && session.end >= start) met.push(session);
    }
    return met.length > 1 ? met.sort((a, b) => a.start - b.start) : met;
  }

  #joined(met: readonly Session[]): unknown {
    let contents = met[0]?.contents;
    for (let i = 1; i < met.length; i++) contents = this.#fold.merge(contents, met[i]!.contents);
    return contents;
  }

  /** Drops what the merged session replaces, and returns when its one timer is due. */
  #moveTimer(met: readonly Session[], start: number, lastMs: number, watermark: number): number {
    const only = met.length === 1 ? met[0]! : undefined;
    if (only?.start === start && only.timer <= lastMs && lastMs > watermark) return only.timer;
    for (const session of met) {
      const namespace = this.#namespaces.of(session.start);
      this.#keyed.timers.remove(this.#domain, session.timer, namespace);
      if (session.start !== start) this.#sessions.remove(namespace);
    }
    const timer = lastMs > watermark ? lastMs : lastMs + this.#latenessMs;
    this.#keyed.timers.register(this.#domain, timer, this.#namespaces.of(start));
    return timer;
  }

  onTimer(domain: TimerDomain, timestamp: number, namespace: string): void {
    const session = this.#sessions.get(namespace);
    if (session?.timer !== timestamp) return;
    const lastMs = session.end - 1;
    if (timestamp === lastMs) this.#fold.fire(session.contents, this.#emission.at(session.start, session.end));
    const timer = timestamp < lastMs ? lastMs : lastMs + this.#latenessMs;
    if (timer > timestamp) {
      this.#sessions.set(namespace, { ...session, timer });
      this.#keyed.timers.register(domain, timer, namespace);
    } else {
      this.#sessions.remove(namespace);
    }
  }
}
