/** Flink's scenarios by number and name, and the three modes in which each of them is run. */
import { test } from 'vitest';
import type { CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';

export const scenarioNames = {
  1: 'keyed-sum-once-fail',
  2: 'stateless-and-list-state',
  3: 'tumbling-exact',
  4: 'sliding-exact',
  5: 'timers-survive',
  6: 'storm-of-faults',
  7: 'two-input-alignment',
  8: 'savepoint-resume-equals-no-stop',
  9: 'savepoint-relocate',
  10: 'claim-modes',
  11: 'rescale-keyed',
  12: 'rescale-operator-state',
  13: 'topology-change',
  14: 'stop-drain-vs-suspend',
  15: 'fail-after-savepoint',
  16: 'two-phase-sink',
  17: 'decline-and-tolerate',
  18: 'failed-checkpoint-keeps-base',
  19: 'retained-chain',
  20: 'bounded-final-checkpoint',
  21: 'coordinator-crash',
  22: 'duplicate-and-zombie',
  23: 'savepoint-under-load',
  24: 'allround-self-check',
} as const;

const settingsOf = {
  aligned: { mode: 'exactly-once', unaligned: false },
  unaligned: { mode: 'exactly-once', unaligned: true },
  'at-least-once': { mode: 'at-least-once', unaligned: false },
} as const satisfies Readonly<Record<string, Partial<CheckpointSettings>>>;

/** `aligned` and `unaligned` are both exactly-once. */
export type Mode = keyof typeof settingsOf;

type Behaviour = (mode: Mode) => Promise<void>;

let current: Partial<CheckpointSettings> = {};

/** What the jobs of a scenario are run with, unless they say otherwise. */
export const settingsOfScenario = (): Partial<CheckpointSettings> => current;

/** The same is right in every mode. */
export function scenario(number: keyof typeof scenarioNames, behaviour: string, run: Behaviour): void {
  scenarioIn(['aligned', 'unaligned', 'at-least-once'], number, behaviour, run);
}

/** Where what is right hangs on the mode; every scenario has a `scenario` too, so that no mode is forgotten. */
export function scenarioIn(modes: readonly Mode[], number: keyof typeof scenarioNames, behaviour: string, run: Behaviour): void {
  for (const mode of modes) {
    test(`scenario ${number}, ${scenarioNames[number]}, ${mode}: ${behaviour}`, { timeout: 60_000 }, async () => {
      current = settingsOf[mode];
      try {
        await run(mode);
      } finally {
        current = {};
      }
    });
  }
}

export const exactlyOnce: readonly Mode[] = ['aligned', 'unaligned'];
