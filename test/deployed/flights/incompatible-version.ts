/** The flights job with other names for two operators that keep state: a version that the running job's state has no place in. */
import { defineJob } from 'sluice';
import { job as flights } from '../../../examples/flights/job.ts';

type Environment = Parameters<typeof flights.build>[0];

const renamed = new Set(['daily', 'seasons']);

/** Every `uid` of the pipeline is asked for its new name on the way. */
function renaming<T extends object>(stream: T): T {
  return new Proxy(stream, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        const args = name === 'uid' && renamed.has(String(given[0])) ? [`${String(given[0])}-renamed`] : given;
        const result = Reflect.apply(member, target, args) as unknown;
        return typeof result === 'object' && result !== null ? renaming(result) : result;
      };
    },
  });
}

export const job = defineJob({
  ...flights,
  build(env, parameters) {
    const fromSource: Environment['fromSource'] = (...given) => renaming(env.fromSource(...given));
    flights.build({ ...env, fromSource }, parameters);
  },
});
