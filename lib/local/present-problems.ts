/** The problems of this process that are being tried again. */
import type { PresentProblem, ProblemBoard } from '../ports/problem-board.ts';
import type { Clock } from '../ports/system.ts';

/** A lost race or a file that comes a moment later is no problem of anybody's. */
const triesToShow = 3;

export function createPresentProblems(clock: Clock): ProblemBoard {
  const problems = new Map<string, PresentProblem>();
  return {
    met: (place, { code, message, hint, operator, shard, isCertain = false }) => {
      const { sinceMs, tries } = problems.get(place) ?? { sinceMs: clock.now(), tries: 0 };
      const where = operator === undefined || shard === undefined ? {} : { operator, shard };
      problems.set(place, { code, message, hint, ...where, ...(isCertain ? { isCertain } : {}), sinceMs, tries: tries + 1 });
    },
    passed: (place) => void problems.delete(place),
    list: () => [...problems.values()].filter(({ tries, isCertain }) => isCertain === true || tries >= triesToShow),
  };
}
