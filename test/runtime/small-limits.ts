import { afterEach } from 'vitest';
import { limits } from '../../lib/base/limits.ts';

type Limits = Record<keyof typeof limits, number>;

const real = { ...limits };

/** Makes what comes rarely come often: until the end of the test, bounds are as small as given. */
export function setLimits(small: Partial<Limits>): void {
  Object.assign(limits, small);
}

afterEach(() => {
  Object.assign(limits, real);
});
