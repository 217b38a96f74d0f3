/** A delay as one is promised: wake-ups come at least once, when they are due or later, in any order. */
import type { Delay } from '../../ports/system.ts';
import { times } from './circumstances.ts';
import type { Containers } from './container.ts';
import type { Decisions } from './decisions.ts';

export function unsteadyDelay(delay: Delay, containers: Containers, decisions: Decisions): Delay {
  const later = (queue: string): number => decisions.fraction(`late/${queue}`) * times.late;
  return {
    async schedule(wakeUp) {
      const { queue, dueAtMs, deduplicationId } = wakeUp;
      const kind = containers.service('wake', queue);
      await delay.schedule(kind === 'late' ? { ...wakeUp, dueAtMs: dueAtMs + later(queue) } : wakeUp);
      if (kind !== 'twice') return;
      await delay.schedule({ ...wakeUp, deduplicationId: `${deduplicationId}-again`, dueAtMs: dueAtMs + later(queue) });
    },
  };
}
