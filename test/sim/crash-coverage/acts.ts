/** What people do in a script, one step after the other; each step only while there is a job to do it to. */
import { changeSettings } from '../../../lib/coordinator/change-settings.ts';
import { requestCancel } from '../../../lib/coordinator/cancel-job.ts';
import { readPlan } from '../../../lib/coordinator/coordinator-deps.ts';
import { takeCheckpoint } from '../../../lib/coordinator/manual-checkpoint.ts';
import { readJob } from '../../../lib/coordinator/update-job.ts';
import { countDeadLetters } from '../../../lib/coordinator/read-dead-letters.ts';
import { restoreSavepoint } from '../../../lib/coordinator/restore-requests.ts';
import { takeSavepoint } from '../../../lib/coordinator/savepoint-requests.ts';
import { newJobId } from '../../../lib/local/local-engine.ts';
import type { StoredPlan } from '../../../lib/checkpoint/stored-plan.ts';
import type { JobRecord } from '../../../lib/model/job-record.ts';
import type { People } from '../../../lib/testing/sim/people.ts';

export type Act = (people: People) => Promise<void>;

const lookMs = 40;
const patienceMs = 6_000;

/** Until it is so, or for a while; a job that has ended or failed is waited for no longer. */
async function until(people: People, isSo: (record: JobRecord) => boolean): Promise<void> {
  const { time } = people.options;
  for (const endsAtMs = time.nowMs + patienceMs; time.nowMs < endsAtMs; await time.sleep(lookMs)) {
    const record = await people.record();
    if (record !== undefined && (isSo(record) || record.status === 'FINISHED')) return;
  }
}

async function isRunning(people: People): Promise<boolean> {
  return (await people.record())?.status === 'RUNNING';
}

const whileRunning =
  (act: Act): Act =>
  async (people) => {
    if (await isRunning(people)) await act(people);
  };

/** So many more. */
const checkpoints =
  (count: number): Act =>
  async (people) => {
    const before = (await people.record())?.counts.completed ?? 0;
    await until(people, ({ counts }) => counts.completed >= before + count);
  };

const savepoint: Act = whileRunning((people) => people.act('savepoint'));
const restore: Act = whileRunning((people) => people.act('restore'));
const deploy: Act = whileRunning((people) => people.deployAnew());
const move: Act = whileRunning((people) => people.act('move'));
const restart: Act = (people) => people.act('restart');

const checkpoint: Act = whileRunning(async (people) => {
  await people.operation((deps) => takeCheckpoint(deps, { job: people.job, trigger: people.trigger() }));
});

/** Two at once: the second may be refused. */
const twoSavepoints: Act = whileRunning(async (people) => {
  await Promise.all([savepoint(people), savepoint(people)]);
});

const change =
  (what: Partial<StoredPlan['settings']>, restartStrategy?: StoredPlan['restart']): Act =>
  async (people) => {
    const { services } = people.options;
    await services.ask((deps) =>
      changeSettings(deps, people.job, (before) => ({
        settings: { ...before.settings, ...what },
        ...(restartStrategy === undefined ? {} : { restart: restartStrategy }),
      })),
    );
  };

/** Ended, and gone on with. */
const cancel: Act = whileRunning(async (people) => {
  await people.options.services.ask((deps) => requestCancel(deps, people.job).then(() => true));
  await until(people, ({ status }) => status === 'CANCELED');
  await people.act('restore');
});

const cancelWithSavepoint: Act = whileRunning(async (people) => {
  const { job } = people;
  await people.operation((deps) => takeSavepoint(deps, { job, trigger: people.trigger(), directory: 'savepoints', then: 'cancel' }));
  await until(people, ({ status }) => status === 'CANCELED');
  if ((await people.record())?.status === 'CANCELED') await people.act('restore');
});

/** Ended with a savepoint for which nothing was held back, and gone on from it as another job. */
const cancelAndGoOn: Act = whileRunning(async (people) => {
  const { job } = people;
  const order = { job, trigger: people.trigger(), directory: 'savepoints', then: 'cancel' } as const;
  const { failure, location } = await people.operation((deps) => takeSavepoint(deps, order));
  await until(people, ({ status }) => status === 'CANCELED');
  if (failure === null) await people.goOnFrom(location!);
});

/** From a place where there is none, as a job that then never was. */
const restoreFromNowhere: Act = async (people) => {
  const { compile, world } = people.options;
  const { plan, planHash } = compile(1);
  const { settings } = await readPlan(world.stores, (await people.record())!.plan);
  const order = { trigger: people.trigger(), location: 'nowhere', newPlan: { plan, planHash, settings } };
  const job = newJobId({ hex: (digits) => people.options.decisions.hex('nowhere', digits), fraction: () => 0 });
  const ended = await people.operation((deps) =>
    restoreSavepoint(deps, { job, ...order, allowNonRestoredState: false, allowOtherJob: false }),
  );
  if (ended.failure === null) throw new Error('a savepoint was restored that does not exist');
};

const deadLetters: Act = async (people) => {
  await people.options.services.ask(async (deps) => countDeadLetters(deps.objects, await readJob(deps, people.job)));
};

/** Whatever ends the job before its input has ended, somebody goes on with it. */
const keepGoing: Act = async (people) => {
  for (;;) {
    await until(people, ({ status }) => status === 'FAILED' || status === 'CANCELED');
    const status = (await people.record())?.status;
    if (status === 'FINISHED') return;
    if (status === 'FAILED' || status === 'CANCELED') await people.act('restore');
  }
};

const inTurn =
  (...acts: readonly Act[]): Act =>
  async (people) => {
    for (const act of acts) await act(people);
  };

export const acts = {
  checkpoints,
  savepoint,
  restore,
  deploy,
  move,
  restart,
  checkpoint,
  twoSavepoints,
  change,
  cancel,
  cancelWithSavepoint,
  cancelAndGoOn,
  restoreFromNowhere,
  deadLetters,
  keepGoing,
  inTurn,
} as const;
