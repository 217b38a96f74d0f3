/** Settings of the runtime where everything is in one process: messages cost no money there, but one thread is all there is. */
import type { RuntimeSettings } from '../runtime/runtime-deps.ts';
import { defaultRuntimeSettings } from '../runtime/runtime-settings.ts';

export const inProcessSettings: RuntimeSettings = {
  ...defaultRuntimeSettings,
  compressEnvelopes: false,
  backlogCheckMs: 0,
  // Orders of checkpoints that overtake stand in the job record; here it costs nothing to look.
  jobRecordCacheMs: 1,
  // Between two records of a long batch, so that the rest of the process is not kept waiting.
  lookEveryMs: 1,
};
