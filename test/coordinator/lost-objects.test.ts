/** Objects that a record names are gone: the job goes back to a checkpoint that is whole, or ends and says why there is none. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../lib/base/errors.ts';
import type { CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import type { JobFailure } from '../../lib/model/coordinator-message.ts';
import type { DeltaRef } from '../../lib/model/shard-record.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld, type Crash } from './coordinator-world.ts';

const deltaOf = (checkpoint: number): string => `jobs/${job}/deltas/count/0/1-${checkpoint}-0-x`;
const refTo = (epoch: number): DeltaRef => ({ epoch, key: deltaOf(epoch), rows: 1, bytes: 1, keyGroups: { start: 0, end: 42 } });
const segment = `jobs/${job}/segments/count/0/1-7-x`;

interface Options {
  readonly settings?: Partial<CheckpointSettings>;
  /** Sinks bring nothing, so nothing of a newer checkpoint has been shown. */
  readonly quiet?: boolean;
}

/** So many completed checkpoints; the state of each is its own delta and all before. */
async function running(checkpoints: number, { settings, quiet = false }: Options = {}): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ settings: { retained: 3, ...settings } });
  world.decorate = (uid, shard, checkpoint) => {
    if (uid === sink) return quiet ? { parts: [] } : {};
    if (uid !== counter || shard !== 0) return {};
    return { deltas: Array.from({ length: checkpoint }, (_, i) => refTo(i + 1)) };
  };
  await world.start();
  for (let n = 1; n <= checkpoints; n++) await checkpoint(world);
  return world;
}

async function checkpoint(world: CoordinatorWorld): Promise<void> {
  const { completed, numbered } = await world.record();
  await world.stores.objects.createIfAbsent(deltaOf(numbered + 1), new Uint8Array(1));
  await world.dirty();
  await world.advance(1_100);
  expect((await world.record()).completed).toBeGreaterThan(completed);
}

async function loses(world: CoordinatorWorld, key: string, code = 'SLUICE-OBJECT-MISSING'): Promise<void> {
  const { attempt } = await world.record();
  const message = `object ${key} is named by a record and does not exist`;
  const failure: JobFailure = { code, message, hint: '', operator: counter, shard: 0, facts: { key }, atMs: 5 };
  await world.tell({ kind: 'failed', job, attempt, uid: counter, shard: 0, failure });
  await world.settle();
}

async function failureOf(world: CoordinatorWorld): Promise<JobFailure> {
  const bytes = await world.stores.objects.read((await world.record()).failure!);
  return decodeValue(Buffer.from(bytes!).toString()) as JobFailure;
}

describe('a missing object', () => {
  test('that no checkpoint needs takes the job back to its newest, as one restart', async () => {
    const world = await running(2);
    await loses(world, segment);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 2, counts: { restored: 1 }, failure: null });
    await checkpoint(world);
    expect(world.collect.published()).toEqual(['record of 1', 'record of 2', 'record of 3']);
  });

  test('before the first checkpoint takes it back to its beginning', async () => {
    const world = await running(0);
    await loses(world, segment);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, descriptor: null, counts: { restored: 1 } });
  });

  test('of the newest checkpoints takes it back to the newest that is whole, where sinks have shown nothing since', async () => {
    const world = await running(3, { quiet: true });
    await world.stores.objects.remove([deltaOf(2), deltaOf(3)]);
    await loses(world, deltaOf(3));
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 1, retained: [{ id: 1 }], failure: null });
  });

  test('of the newest checkpoint ends the job where an older one would show output twice, and names both', async () => {
    const world = await running(2);
    await world.stores.objects.remove([deltaOf(2)]);
    await loses(world, deltaOf(2));
    expect(await world.record()).toMatchObject({ status: 'FAILED', attempt: 1, counts: { restored: 0 }, retained: [{ id: 1 }, { id: 2 }] });
    const { code, message, operator, facts } = await failureOf(world);
    expect([code, operator, facts]).toEqual(['SLUICE-CHECKPOINTS-LOST', counter, { key: deltaOf(2) }]);
    expect(message).toContain(`object ${deltaOf(2)} is named by a record and does not exist; no retained checkpoint can be gone back to`);
    expect(message).toContain(`checkpoint 2: the object ${deltaOf(2)} is named by a record and does not exist`);
    expect(message).toContain('checkpoint 1: whole, but output up to checkpoint 2 has been published');
  });

  test('may also be one that is there and cannot be read', async () => {
    const world = await running(2, { quiet: true });
    const { objects } = world.stores;
    const read = objects.read.bind(objects);
    objects.read = async (key) => {
      if (key === deltaOf(2)) throw new SluiceError('SLUICE-OBJECT-DAMAGED', 'torn', { hint: '' });
      return read(key);
    };
    await loses(world, deltaOf(2), 'SLUICE-OBJECT-DAMAGED');
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 1 });
  });

  test('that is a manifest ends the job: nobody knows any more what its checkpoint has shown', async () => {
    const world = await running(2, { quiet: true });
    await world.stores.objects.remove([(await world.record()).retained[1]!.manifest]);
    await loses(world, (await world.record()).retained[1]!.manifest);
    expect(await world.record()).toMatchObject({ status: 'FAILED', attempt: 1 });
    const { message } = await failureOf(world);
    expect(message).toMatch(/checkpoint 2: .*chk-2-1 .*; checkpoint 1: whole, but output up to checkpoint 2 has been published/);
  });

  test('that is the manifest of a restore that has just switched ends the job, instead of being tried for ever', async () => {
    const world = await running(1);
    const { replace } = world.stores.jobs;
    const { manifest } = (await world.record()).retained[0]!;
    world.stores.jobs.replace = async (next, version) => {
      const outcome = await replace.call(world.stores.jobs, next, version);
      if (next.attempt === 2) await world.stores.objects.remove([manifest]);
      return outcome;
    };
    await restoreCheckpoint(world.deps, {
      job,
      trigger: 'deploy',
      checkpoint: 'newest',
      publishedSeen: null,
      newPlan: null,
      allowNonRestoredState: false,
      allowOtherJob: false,
    });
    await world.advance(5_000);
    expect(await world.record()).toMatchObject({ status: 'FAILED' });
    expect((await failureOf(world)).message).toContain(manifest);
  });

  test('of every checkpoint ends the job, which goes on when the object is back', async () => {
    const world = await running(3, { quiet: true });
    await world.stores.objects.remove([deltaOf(1)]);
    await loses(world, deltaOf(1));
    expect((await failureOf(world)).message).toMatch(
      /checkpoint 3: the object .* not exist; checkpoint 2: the object .* not exist; checkpoint 1: the object/,
    );
    await world.stores.objects.createIfAbsent(deltaOf(1), new Uint8Array(1));
    const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
    await restoreCheckpoint(world.deps, { job, trigger: 'again', checkpoint: 'newest', ...how });
    await world.settle();
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 3, failure: null });
  });

  test('is one restart, however many shards meet it and however often', async () => {
    const world = await running(1);
    const { attempt } = await world.record();
    const failure: JobFailure = {
      code: 'SLUICE-OBJECT-MISSING',
      message: 'gone',
      hint: '',
      operator: counter,
      shard: 0,
      facts: {},
      atMs: 5,
    };
    for (const shard of [0, 1, 2, 0])
      await world.tell({ kind: 'failed', job, attempt, uid: counter, shard, failure: { ...failure, shard } });
    await world.settle();
    await world.advance(5_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, counts: { restored: 1 } });
  });

  test('takes the job back three times without a checkpoint in between, and no oftener', async () => {
    const world = await running(1);
    for (const attempt of [2, 3, 4]) {
      await loses(world, segment);
      expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt });
    }
    await checkpoint(world);
    for (const attempt of [5, 6, 7]) {
      await loses(world, segment);
      expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt });
    }
    await loses(world, segment);
    expect(await world.record()).toMatchObject({ status: 'FAILED', attempt: 7 });
    expect(await failureOf(world)).toMatchObject({
      code: 'SLUICE-OBJECT-MISSING',
      message: expect.stringContaining('3 restores in a row have met missing objects') as unknown,
    });
  });

  test('is met by a process that dies anywhere while it goes back, and the job goes back once', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let atCall = 0; ; atCall++) {
        const world = await running(2, { quiet: true });
        await world.stores.objects.remove([deltaOf(2)]);
        const crash: Crash = { atCall, when };
        await world.boot(crash);
        await loses(world, deltaOf(2));
        await world.advance(1_000);
        const { dead } = world.process;
        await world.boot();
        await world.advance(20_000);
        expect(await world.record(), `${when} call ${atCall}`).toMatchObject({
          status: 'RUNNING',
          attempt: 2,
          completed: 1,
          failure: null,
        });
        if (dead) continue;
        expect(atCall).toBeGreaterThan(20);
        break;
      }
    }
  });
});

describe('a checkpoint that is not whole', () => {
  test.each([
    ['a delta', async () => deltaOf(2)],
    ['its manifest', async (world: CoordinatorWorld) => (await world.record()).retained[1]!.manifest],
  ] as const)('because %s is gone is refused when a person asks for it, before anything stops', async (_, goneOf) => {
    const world = await running(2, { quiet: true });
    const gone = await goneOf(world);
    await world.stores.objects.remove([gone]);
    const before = await world.record();
    const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
    for (const wanted of ['newest', 2] as const) {
      await restoreCheckpoint(world.deps, { job, trigger: `r-${wanted}`, checkpoint: wanted, ...how });
      await world.settle();
      const { failure } = (await world.stores.operations.read(job, `r-${wanted}`))!;
      expect(failure).toMatchObject({ code: 'SLUICE-REFUSED' });
      expect(failure!.message).toMatch(new RegExp(`checkpoint 2 is not whole: .*object ${gone} `));
    }
    expect(await world.record()).toEqual(before);
  });

  test('is passed over when too many checkpoints have failed', async () => {
    const world = await running(2, { quiet: true, settings: { tolerableFailures: 0 } });
    await world.stores.objects.remove([deltaOf(2)]);
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    await world.expire(3);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 1 });
  });

  test('ends the job where too many have failed and none is whole', async () => {
    const world = await running(1, { settings: { tolerableFailures: 0 } });
    await world.stores.objects.remove([(await world.record()).retained[0]!.manifest]);
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    await world.expire(2);
    expect(await world.record()).toMatchObject({ status: 'FAILED', attempt: 1 });
    expect(await failureOf(world)).toMatchObject({ code: 'SLUICE-CHECKPOINTS-LOST', operator: 'coordinator' });
  });
});

describe('a manifest that is lost before its output is published', () => {
  /** Checkpoints complete and cannot be published, until the sink is mended; the processes that knew the manifests are gone. */
  async function unpublished(checkpoints: number): Promise<{ readonly world: CoordinatorWorld; readonly mend: () => Promise<void> }> {
    const world = await running(1);
    const { publish } = world.collect;
    world.collect.publish = () => Promise.reject(new Error('the target is full'));
    for (let n = 0; n < checkpoints; n++) await checkpoint(world);
    expect(await world.record()).toMatchObject({ completed: 1 + checkpoints, published: 1 });
    const mend = async (): Promise<void> => {
      world.collect.publish = publish;
      await world.boot();
      await world.advance(5_000);
    };
    return { world, mend };
  }

  const loseManifest = async (world: CoordinatorWorld, id: number): Promise<string> => {
    const { manifest } = (await world.record()).retained.find((held) => held.id === id)!;
    await world.stores.objects.remove([manifest]);
    return manifest;
  };

  test('ends the job with every reason, and nothing goes on trying', async () => {
    const { world, mend } = await unpublished(1);
    const manifest = await loseManifest(world, 2);
    await mend();
    expect(await world.record()).toMatchObject({ status: 'FAILED', completed: 2, published: 1 });
    const { code, message, operator } = await failureOf(world);
    expect([code, operator]).toEqual(['SLUICE-CHECKPOINTS-LOST', 'coordinator']);
    expect(message).toContain(`the output of checkpoint 2 cannot be published: the object ${manifest} is named by a record`);
    expect(message).toContain('checkpoint 1: whole, but output up to checkpoint 2 has been published');
    await world.advance(4_000_000);
    const running = await world.stores.flows.running();
    expect(running.map(({ flow }) => flow)).toEqual([]);
    expect(world.collect.published()).toEqual(['record of 1']);
  });

  test('is made good by a newer one, which lists the same parts', async () => {
    const { world, mend } = await unpublished(2);
    await loseManifest(world, 2);
    await mend();
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 1, completed: 3, published: 3 });
    expect(world.collect.published()).toEqual(['record of 1', 'record of 2', 'record of 3']);
  });

  test('ends a job that is being canceled too', async () => {
    const { world, mend } = await unpublished(1);
    await loseManifest(world, 2);
    await requestCancel(world.deps, job);
    await mend();
    expect(await world.record()).toMatchObject({ status: 'FAILED' });
    await world.advance(4_000_000);
    expect(await world.stores.flows.running()).toEqual([]);
  });
});
