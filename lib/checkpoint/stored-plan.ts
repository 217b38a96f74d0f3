/** Plan object: what an attempt works by. Its name is the hash of its content, because a restore may adopt a snapshot's max parallelism under the same plan hash. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../base/canonical-json.ts';
import type { JobId } from '../base/ids.ts';
import type { JobPlan } from '../model/job-plan.ts';
import { planKey } from '../model/object-keys.ts';
import { checkSettings, defaultCheckpointSettings, settingChanges, type CheckpointSettings } from './checkpoint-settings.ts';
import { decodeDocument, encodeDocument, type DocumentKind } from './document.ts';
import { planShape } from './plan-shape.ts';
import { defaultRestartStrategy, type RestartStrategy } from './restart-strategy.ts';
import { restartStrategyShape } from './restart-strategy-shape.ts';
import { shapes } from './shape.ts';

export interface StoredPlan {
  readonly format: 1;
  readonly plan: JobPlan;
  readonly settings: CheckpointSettings;
  /** What the job was last run with, where the settings have been changed while it ran. */
  readonly given?: CheckpointSettings;
  /** Absent = Flink's default. */
  readonly restart?: RestartStrategy;
  /** Digest of the job's own modules, where whoever started it knew one: tells the next run whether the code is another (ADR 12). */
  readonly code?: string;
}

const settingsShape = shapes.object<CheckpointSettings>({
  intervalMs: shapes.integer,
  mode: shapes.oneOf('exactly-once', 'at-least-once'),
  timeoutMs: shapes.integer,
  minPauseMs: shapes.integer,
  maxConcurrent: shapes.integer,
  tolerableFailures: shapes.integer,
  retained: shapes.integer,
  retentionOnCancellation: shapes.oneOf('retain', 'delete'),
  // Plan objects of before have neither.
  unaligned: shapes.otherwise(shapes.flag, defaultCheckpointSettings.unaligned),
  alignedTimeoutMs: shapes.otherwise(shapes.integer, defaultCheckpointSettings.alignedTimeoutMs),
});

const kind: DocumentKind<StoredPlan> = {
  name: 'the plan object',
  format: 1,
  corruptCode: 'SLUICE-PLAN-CORRUPT',
  shape: shapes.object<StoredPlan>({
    format: shapes.oneOf(1),
    plan: planShape,
    settings: settingsShape,
    given: shapes.optional(settingsShape),
    restart: shapes.optional(restartStrategyShape),
    code: shapes.optional(shapes.text),
  }),
};

export function encodeStoredPlan(
  job: JobId,
  { plan, settings, given = settings, restart, code }: Omit<StoredPlan, 'format'>,
): { readonly key: string; readonly bytes: Uint8Array } {
  // The default is not written down: so plan objects of jobs that never chose one stay what they were.
  const isChosen = restart !== undefined && canonicalJson(restart) !== canonicalJson(defaultRestartStrategy);
  const content = {
    format: 1,
    plan,
    settings: checkSettings(settings),
    ...(settingChanges(given, settings).length === 0 ? {} : { given }),
    ...(isChosen ? { restart } : {}),
    ...(code === undefined ? {} : { code }),
  } as const;
  const bytes = encodeDocument(kind, content);
  return { key: planKey(job, createHash('sha256').update(bytes).digest('hex').slice(0, 32)), bytes };
}

export function decodeStoredPlan(bytes: Uint8Array, key: string): StoredPlan {
  return decodeDocument(kind, bytes, key);
}
