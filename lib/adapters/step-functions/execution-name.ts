/**
 * Names of executions as Step Functions takes them: 80 characters, none that it refuses. Most of ours are so already; the others end in a hash of the whole.
 *
 * EN1. A name that was made so stays as it is: a flow knows itself by `$$.Execution.Name`, and asks by it.
 */
import { createHash } from 'node:crypto';

const charactersMax = 80;
const hashDigits = 16;

export function executionName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_');
  if (plain === name && name.length <= charactersMax) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, hashDigits);
  return `${plain.slice(0, charactersMax - hashDigits - 1)}-${hash}`;
}
