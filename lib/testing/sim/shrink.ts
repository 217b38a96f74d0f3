/**
 * Fewer faults that fail in the same run: first delta debugging (Zeller and Hildebrandt, 2002), which leaves a list of which no single one can be left out;
 * where that is long, from the other end as well, and each fault and each two of what people did alone. How much work that may be is counted in runs, so
 * that the same failure is always made smaller in the same way.
 */
import { peopleSite, type Fault } from './fault.ts';

type Fails = (faults: readonly Fault[]) => Promise<boolean>;

/** `fails` runs the same seed with just these; at most `runsMax` times. What is left then still fails, but may not be the fewest. */
export async function shrinkFaults(all: readonly Fault[], fails: Fails, runsMax = Number.POSITIVE_INFINITY): Promise<readonly Fault[]> {
  const asked = new Map<string, boolean>();
  const asking: Fails = async (faults) => {
    const name = faults.map(({ site, occurrence, kind }) => `${site}#${occurrence} ${kind}`).join();
    const known = asked.get(name) ?? (asked.size < runsMax ? await fails(faults) : false);
    asked.set(name, known);
    return known;
  };
  if (await asking([])) return [];
  const people = all.filter(({ site }) => site === peopleSite);
  // What people do alone is the easiest to follow, and the likeliest.
  let fewest = await minimal(people.length < all.length && (await asking(people)) ? people : all, asking);
  if (fewest.length > fewMax) fewest = shorter(fewest, await minimal(all.toReversed(), asking, all));
  if (fewest.length > 1) fewest = (await firstOf(all, 1, asking)) ?? fewest;
  if (fewest.length > 2) fewest = (await firstOf(people, 2, asking)) ?? fewest;
  return fewest;
}

/** As many can be followed at a glance. */
const fewMax = 2;

function shorter(one: readonly Fault[], other: readonly Fault[]): readonly Fault[] {
  return other.length < one.length ? other : one;
}

/** Delta debugging; `order`: how the faults are listed where `all` has another order. */
async function minimal(all: readonly Fault[], fails: Fails, order = all): Promise<readonly Fault[]> {
  const inOrder = (faults: readonly Fault[]): readonly Fault[] =>
    order === all ? faults : order.filter((fault) => faults.includes(fault));
  let faults = all;
  for (let parts = 2; faults.length >= 2;) {
    const size = Math.ceil(faults.length / parts);
    let smaller: readonly Fault[] | undefined;
    for (let from = 0; from < faults.length && smaller === undefined; from += size) {
      const rest = faults.toSpliced(from, size);
      if (await fails(inOrder(rest))) smaller = rest;
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
  return inOrder(faults);
}

/** The first that is enough alone, or the first two. */
async function firstOf(all: readonly Fault[], count: 1 | 2, fails: Fails): Promise<readonly Fault[] | undefined> {
  for (const [at, fault] of all.entries()) {
    for (const other of count === 1 ? [undefined] : all.slice(at + 1)) {
      const some = other === undefined ? [fault] : [fault, other];
      if (await fails(some)) return some;
    }
  }
  return undefined;
}
