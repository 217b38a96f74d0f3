import type { Fault } from './fault.ts';

/**
 * Fewer faults that fail in the same way: delta debugging (Zeller and Hildebrandt, 2002), which leaves a list of which no single one can be left out.
 * `fails` runs the same seed with just these.
 */
export async function shrinkFaults(
  all: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<readonly Fault[]> {
  let faults = all;
  if (await fails([])) return [];
  for (let parts = 2; faults.length >= 2;) {
    const size = Math.ceil(faults.length / parts);
    let smaller: readonly Fault[] | undefined;
    for (let from = 0; from < faults.length && smaller === undefined; from += size) {
      const rest = faults.toSpliced(from, size);
      if (await fails(rest)) smaller = rest;
    }
    if (smaller !== undefined) {
      faults = smaller;
      parts = Math.max(parts - 1, 2);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(parts * 2, faults.length);
    }
  }
  return faults;
}
