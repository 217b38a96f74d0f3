import type { WindowAssigner } from './window-assigner.ts';

export function tumblingProcessingTime(sizeMs: number, offsetMs = 0): WindowAssigner {
  return { kind: 'tumbling', domain: 'processing', sizeMs, slideMs: sizeMs, offsetMs };
}

export function slidingProcessingTime(sizeMs: number, slideMs: number, offsetMs = 0): WindowAssigner {
  return { kind: 'sliding', domain: 'processing', sizeMs, slideMs, offsetMs };
}

export function sessionProcessingTime(gapMs: number): WindowAssigner {
  return { kind: 'session', domain: 'processing', sizeMs: gapMs, slideMs: gapMs, offsetMs: 0 };
}
