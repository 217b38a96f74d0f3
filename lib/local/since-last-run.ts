/** What a job is run with now that differs from the run before: it decides whether the job may just go on, and people are told. */
import { settingChanges, type CheckpointSettings, type SettingChange } from '../checkpoint/checkpoint-settings.ts';
import { defaultRestartStrategy, restartStrategyText, type RestartStrategy } from '../checkpoint/restart-strategy.ts';
import type { StoredPlan } from '../checkpoint/stored-plan.ts';

export interface SinceLastRun {
  /** Operators, parallelism, parameters, state. */
  readonly plan: boolean;
  /** Digests of the job's modules; null where they are the same, or one is not known. */
  readonly code: { readonly from: string; readonly to: string } | null;
  readonly settings: readonly SettingChange[];
  /** For people; absent where it is the same. */
  readonly restart?: { readonly from: string; readonly to: string };
}

export interface RunWith {
  readonly planHash: string;
  readonly settings: CheckpointSettings;
  readonly restart?: RestartStrategy;
  readonly code?: string;
}

export const nothingChanged: SinceLastRun = { plan: false, code: null, settings: [] };

export function sinceLastRun(before: { readonly planHash: string; readonly stored: StoredPlan }, now: RunWith): SinceLastRun {
  const { code } = before.stored;
  return {
    plan: before.planHash !== now.planHash,
    code: code === undefined || now.code === undefined || code === now.code ? null : { from: code, to: now.code },
    settings: settingChanges(before.stored.settings, now.settings),
    ...restartChange(before.stored.restart, now.restart),
  };
}

function restartChange(
  before: RestartStrategy = defaultRestartStrategy,
  now: RestartStrategy = defaultRestartStrategy,
): Pick<SinceLastRun, 'restart'> {
  const [from, to] = [restartStrategyText(before), restartStrategyText(now)];
  return from === to ? {} : { restart: { from, to } };
}

/** Envelopes between operators were made by the old plan and code: neither may change in the middle. Only from a checkpoint nothing is on its way. */
export function needsRestore({ plan, code }: SinceLastRun): boolean {
  return plan || code !== null;
}
