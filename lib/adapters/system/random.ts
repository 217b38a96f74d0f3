import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/system.ts';

/** From the operating system: names made of it are used to tell tries apart, so no two processes may draw the same. */
export const systemRandom: Random = {
  hex: (digits) =>
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  fraction: () => randomBytes(6).readUIntLE(0, 6) / 2 ** 48,
};
