/** `PATCH …/checkpoints/config`: the options that can be changed while the job runs, under the names that GET shows them by. */
import { checkSettings, type CheckpointSettings, type SettingChange } from '../checkpoint/checkpoint-settings.ts';
import { errorCode, errorMessage } from '../base/errors.ts';
import { parseJson } from '../base/parse-json.ts';
import { handlerProblem, type RequestProblem } from './request-problem.ts';

type Changeable = Exclude<keyof CheckpointSettings, 'retentionOnCancellation'>;

const options: Readonly<Record<string, Changeable>> = {
  interval: 'intervalMs',
  mode: 'mode',
  timeout: 'timeoutMs',
  min_pause: 'minPauseMs',
  max_concurrent: 'maxConcurrent',
  tolerable_failed_checkpoints: 'tolerableFailures',
  num_retained: 'retained',
  unaligned_checkpoints: 'unaligned',
  aligned_checkpoint_timeout: 'alignedTimeoutMs',
};

/** Nothing is guessed here: an option that is not known, or cannot be changed so, is no change. @throws RequestProblem 400 */
export function readChange(text: string): Partial<CheckpointSettings> {
  const body = parse(text);
  const unknown = Object.keys(body).filter((name) => !Object.hasOwn(options, name));
  if (unknown.length > 0) throw wrong(`${unknown.join(', ')} cannot be changed here, ${Object.keys(options).join(', ')} can`);
  const changes = Object.entries(body).map(([name, value]) => [options[name]!, name === 'mode' ? modeOf(value) : value] as const);
  for (const [setting, value] of changes) {
    const wanted = setting === 'mode' ? 'string' : setting === 'unaligned' ? 'boolean' : 'number';
    if (typeof value !== wanted) throw wrong(`${setting} is ${JSON.stringify(value)}, a ${wanted} is wanted`);
  }
  return Object.fromEntries(changes);
}

/** @throws RequestProblem 400 where they do not go together */
export function applyChange(settings: CheckpointSettings, change: Partial<CheckpointSettings>): CheckpointSettings {
  try {
    return checkSettings({ ...settings, ...change });
  } catch (error) {
    throw errorCode(error) === 'SLUICE-CHECKPOINT-OPTIONS' ? handlerProblem(400, 'SLUICE-CHECKPOINT-OPTIONS', errorMessage(error)) : error;
  }
}

/** In the names and values of the request. */
export function changesView(changes: readonly SettingChange[]): readonly object[] {
  return changes.map(({ setting, from, to }) => {
    const option = Object.keys(options).find((name) => options[name] === setting) ?? setting;
    const shown = (value: SettingChange['from']): SettingChange['from'] =>
      setting === 'mode' ? String(value).replaceAll('-', '_') : value;
    return { option, from: shown(from), to: shown(to) };
  });
}

function modeOf(value: unknown): unknown {
  if (value === 'exactly_once' || value === 'at_least_once') return value.replaceAll('_', '-');
  throw wrong(`mode is ${JSON.stringify(value)}, exactly_once or at_least_once is wanted`);
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const body = text.trim() === '' ? {} : parseJson(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, as of what is JSON and no object.
  }
  throw wrong('the body is no JSON object');
}

function wrong(cause: string): RequestProblem {
  return handlerProblem(
    400,
    'SLUICE-API-REQUEST',
    'Request did not match expected format CheckpointConfigChange.',
    `SLUICE-API-REQUEST: ${cause}`,
  );
}
