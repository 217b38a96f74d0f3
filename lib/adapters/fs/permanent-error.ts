/** Which errors of a file system come again however often the same is tried: only a person can remove their cause. */
import { errorCode } from '../../base/errors.ts';

const permanent: ReadonlySet<string> = new Set([
  'EACCES',
  'EEXIST',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'ENOTSUP',
  'EPERM',
  'EROFS',
]);

/** What is not known, and what passes (a full disk, too many open files, a device that does not answer), is worth another try. */
export function isPermanentError(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  // Node's own: the path cannot be one.
  return permanent.has(code) || code.startsWith('ERR_');
}
