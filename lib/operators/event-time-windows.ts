import type { WindowAssigner } from './window-assigner.ts';

export function tumblingEventTime(sizeMs: number, offsetMs = 0): WindowAssigner {
  return { kind: 'tumbling', domain: 'event', sizeMs, slideMs: sizeMs, offsetMs };
}

export function slidingEventTime(sizeMs: number, slideMs: number, offsetMs = 0): WindowAssigner {
  return { kind: 'sliding', domain: 'event', sizeMs, slideMs, offsetMs };
}

/** A session ends where nothing came for longer than the gap; as in Flink, exactly the gap does not end it. */
export function sessionEventTime(gapMs: number): WindowAssigner {
  return { kind: 'session', domain: 'event', sizeMs: gapMs, slideMs: gapMs, offsetMs: 0 };
}
