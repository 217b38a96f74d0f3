import { createHash } from 'node:crypto';
import type { OperatorUid } from '../../base/ids.ts';

/** Flink's clients name vertices by 32 hex digits, we name them by uid: a hash of it is stable over versions of the job, as the uid is. */
export function vertexId(uid: OperatorUid): string {
  return createHash('sha256').update(uid).digest('hex').slice(0, 32);
}
