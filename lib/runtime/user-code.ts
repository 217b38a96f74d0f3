/** User code is called through here: what it throws is named by operator, key and record. */
import { UserCodeError } from './errors.ts';
import type { LiveShard } from './live-shard.ts';

/** Runs user code that is not about one record. */
export function runUserCode(shard: LiveShard, code: () => void): void {
  try {
    code();
  } catch (error) {
    throw userError(shard, error, undefined);
  }
}

export function userError(shard: LiveShard, error: unknown, record: unknown): UserCodeError {
  return new UserCodeError(shard.chain.active, error, { key: shard.backend?.current?.canonical, record });
}
