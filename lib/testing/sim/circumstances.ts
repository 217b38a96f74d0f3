/** What a run is surrounded by, apart from faults: drawn from the seed, unless it is given. */
import { defaultCheckpointSettings, type CheckpointSettings } from '../../checkpoint/checkpoint-settings.ts';
import type { RuntimeSettings } from '../../runtime/runtime-deps.ts';
import type { Decisions } from './decisions.ts';
import type { FaultRates } from './fault.ts';
import type { Feeds } from './intake-feed.ts';

/** How barriers go: Flink's three modes. */
export type SimulatedMode = 'aligned' | 'unaligned' | 'at-least-once';

/** What a run can be made harder, or shorter, by. */
export interface Circumstances {
  readonly settings?: Partial<RuntimeSettings>;
  /** Of the checkpoints, from the first to the last; where absent they are drawn, and people change them while the job runs. */
  readonly checkpoint?: Partial<CheckpointSettings>;
  /** Instead of what the seed draws. */
  readonly rates?: Partial<FaultRates>;
  /** What is sent to push sources. */
  readonly feeds?: Feeds;
  /** From half of the faulty phase on sources find nothing for a while. */
  readonly silent?: boolean;
  /** A queue loses a message: the job may stand still or fail, but what it shows at its end must be right. */
  readonly losing?: boolean;
  /** An object of the job is lost, or half of it: the job may fail, saying so, but nothing that it shows may be wrong. */
  readonly damaging?: boolean;
  /** Who stands still does so for at least so long: nearly as long as an invocation may live. */
  readonly stallLeastMs?: number;
  /** How long everything may take once it works. */
  readonly healedMs?: number;
  /** How much longer than usual a checkpoint may take then: something about the records keeps the job up. */
  readonly patienceMs?: number;
  /** What functions are told to have left of their invocation is counted from so much; where absent it is drawn, and nothing once everything works. */
  readonly toldMs?: number;
}

/** Of the simulated world, in ms. */
export const times = {
  /** Longest life of an invocation. */
  life: 3_000,
  /** Longest call, mostly. */
  latency: 10,
  /** Of who stands still: long enough that messages become visible meanwhile. */
  stall: 2_500,
  /** Of a wake-up that comes late. */
  late: 2_000,
  /** When somebody looks for what has been left unfinished. */
  sweep: 10_000,
  /** How far the clock of a container may be off. */
  skewMax: 400,
};

/** Settings of checkpoints: as given from the first to the last, or drawn anew each time that somebody sets them. */
export class SettingsDraw {
  readonly #decisions: Decisions;
  readonly #modes: readonly SimulatedMode[];
  readonly #given: Partial<CheckpointSettings> | undefined;
  #current: CheckpointSettings;
  /** One of them at least has let records come twice. */
  isAtLeastOnce = false;

  constructor(decisions: Decisions, modes: readonly SimulatedMode[], given: Partial<CheckpointSettings> | undefined) {
    this.#decisions = decisions;
    this.#modes = modes;
    this.#given = given;
    this.#current = this.next();
  }

  get mayChange(): boolean {
    return this.#given === undefined;
  }

  get current(): CheckpointSettings {
    return this.#current;
  }

  next(): CheckpointSettings {
    this.#current =
      this.#given === undefined
        ? drawn(this.#decisions, this.#modes)
        : { ...defaultCheckpointSettings, intervalMs: 300, timeoutMs: 5_000, ...this.#given };
    this.isAtLeastOnce ||= this.#current.mode === 'at-least-once';
    return this.#current;
  }
}

/** As many failures as there can be in a run. */
const borneMax = 1_000;

function drawn(decisions: Decisions, modes: readonly SimulatedMode[]): CheckpointSettings {
  const mode = decisions.pick('settings/mode', modes);
  const tolerableFailures = decisions.pick('settings/tolerable', [0, 2, borneMax]);
  const maxConcurrent = decisions.pick('settings/concurrent', [1, 1, 2, 3]);
  return {
    ...defaultCheckpointSettings,
    mode: mode === 'at-least-once' ? mode : 'exactly-once',
    unaligned: mode === 'unaligned',
    alignedTimeoutMs: mode === 'unaligned' ? decisions.pick('settings/aligned timeout', [0, 30, 300]) : 0,
    intervalMs: decisions.pick('settings/interval', [60, 300, 300, 1_000]),
    // What takes longer than that, though everything works, would take a job back for ever that bears no failures: in Flink too.
    timeoutMs: tolerableFailures < borneMax ? 5_000 : decisions.pick('settings/timeout', [700, 5_000]),
    maxConcurrent,
    minPauseMs: maxConcurrent === 1 ? decisions.pick('settings/pause', [0, 0, 0, 200]) : 0,
    retained: decisions.pick('settings/retained', [1, 1, 2, 3]),
    tolerableFailures,
  };
}
