/** The flights job with one more operator, which keeps nothing: what a new version of a job looks like. */
import { defineJob } from 'sluice';
import { job as flights } from '../../../examples/flights/job.ts';

type Environment = Parameters<typeof flights.build>[0];

export const job = defineJob({
  ...flights,
  build(env, parameters) {
    const fromSource: Environment['fromSource'] = (...given) => {
      const source = env.fromSource(...given);
      const named = source.uid.bind(source);
      return Object.assign(source, {
        uid: (uid: string) =>
          named(uid)
            .map((record) => record)
            .uid('unchanged'),
      });
    };
    flights.build({ ...env, fromSource }, parameters);
  },
});
