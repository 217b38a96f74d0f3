/** Unaligned checkpoints at one shard: orders, colours, what is in flight, and its replay in the next attempt. */
import { describe, expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import { limits } from '../../lib/base/limits.ts';
import type { CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import type { PendingCheckpoint } from '../../lib/model/job-record.ts';
import type { Alignment, ShardSnapshot } from '../../lib/model/shard-record.ts';
import { nextOrder, type OrderFacts } from '../../lib/runtime/barrier/overtaking.ts';
import { decodeEnvelope } from '../../lib/model/envelope-codec.ts';
import { expandSegments } from '../../lib/runtime/named-objects.ts';
import { restore } from './restore-shard.ts';
import { compileCount, left, right } from './count-job.ts';
import { again, ShardBench, type BenchOptions, type Upstream } from './shard-bench.ts';

const [a, b] = [channelId(0, 0, 0), channelId(1, 0, 0)] as const;

function pending(id: number, overtakeAtMs?: number): PendingCheckpoint {
  const order = { id, kind: 'checkpoint', flow: `flow-${id}`, token: null, triggeredAtMs: 0, deadlineMs: 99_999 } as const;
  return overtakeAtMs === undefined ? order : { ...order, overtakeAtMs };
}

const aligning = (checkpoint: number, overtakeAtMs?: number): Alignment => {
  const begun = { checkpoint, barriers: { [a]: 4 }, startedAtMs: 10 };
  return overtakeAtMs === undefined ? begun : { ...begun, overtakeAtMs };
};

describe('an order', () => {
  const facts: OrderFacts = { pending: [], alignment: null, settled: 4, keyless: [], nowMs: 100 };
  const kindOf = (changes: Partial<OrderFacts>): string => {
    const verdict = nextOrder({ ...facts, ...changes });
    if (verdict.kind === 'nothing') return verdict.kind;
    return `${verdict.kind} ${verdict.kind === 'snapshot' ? verdict.alignment.checkpoint : verdict.checkpoint}`;
  };

  test.each<[string, Partial<OrderFacts>, string]>([
    ['is none where nothing is pending', {}, 'nothing'],
    ['is none for a checkpoint that overtakes nothing', { pending: [pending(5)] }, 'nothing'],
    ['is taken when it is due', { pending: [pending(5, 100)] }, 'snapshot 5'],
    ['waits until it is due', { pending: [pending(5, 101)] }, 'nothing'],
    ['of a number that is settled is over', { pending: [pending(4, 0)] }, 'nothing'],
    ['takes the oldest first', { pending: [pending(5, 50), pending(6, 60)] }, 'snapshot 5'],
    ['that is due makes the older one due', { pending: [pending(5, 500), pending(6, 60)] }, 'snapshot 5'],
    ['waits for an older one that overtakes nothing', { pending: [pending(5), pending(6, 60)] }, 'nothing'],
    ['does not wait for a channel with keys', { pending: [pending(5, 0)], alignment: aligning(5, 0) }, 'snapshot 5'],
    ['waits for channels without', { pending: [pending(5, 0)], alignment: aligning(5, 0), keyless: [b] }, 'nothing'],
    ['waits for channels without, where none has brought it', { pending: [pending(5, 0)], keyless: [b] }, 'nothing'],
    ['goes on when they have all brought it', { pending: [pending(5, 0)], alignment: aligning(5, 0), keyless: [a] }, 'snapshot 5'],
    ['is known from the barrier before the job record shows it', { alignment: aligning(5, 100) }, 'snapshot 5'],
    ['of a newer number ends an alignment that nobody completes', { pending: [pending(6, 0)], alignment: aligning(5) }, 'give-up 5'],
    [
      'older than what the shard aligns for is skipped',
      { pending: [pending(5, 0), pending(6, 900)], alignment: aligning(6, 900) },
      'nothing',
    ],
  ])('%s', (_name, changes, expected) => {
    expect(kindOf(changes)).toBe(expected);
  });
});

async function open(options: BenchOptions = {}): Promise<{ readonly bench: ShardBench; readonly a: Upstream; readonly b: Upstream }> {
  const bench = await ShardBench.open(compileCount(), 'count', options);
  await bench.handle(bench.kick());
  return { bench, a: bench.upstream(left), b: bench.upstream(right) };
}

const words = (...texts: string[]): object[] => texts.map((word) => ({ word }));
const snapshots = (messages: readonly CoordinatorMessage[]): ShardSnapshot[] =>
  messages.flatMap((message) => (message.kind === 'acknowledgement' ? [message.snapshot] : []));
const colours = (at: number) => ({ kind: 'barrier', checkpoint: 1, overtakeAtMs: at }) as const;

describe('a shard', () => {
  test('takes its snapshot when it sees the order, before the batch that brought it there', async () => {
    const { bench, a: one, b: two } = await open();
    await bench.handle(await one.send(words('x')));
    await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
    await bench.handle(await one.send(words('y')), await two.send(words('y')));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ checkpoint: 1, inputs: { [left]: 1, [right]: 0 }, recordsIn: 1, stats: { unaligned: true } });
    expect(await bench.record()).toMatchObject({ epoch: 2, settled: 1, recordsIn: 3 });
    const barriers = (await bench.sentTo('counts')).flatMap(({ header }) => header.events.map(({ event }) => event));
    expect(barriers.filter(({ kind }) => kind === 'barrier')).toEqual([colours(0)]);
  });

  test('lets whoever waits for its acknowledgement go first, before it goes on with the batch', async () => {
    const { bench, a: one } = await open();
    await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
    let told = 0;
    bench.restart(async (site, act) => {
      if (site === 'turn') told = snapshots(await bench.toCoordinator()).length;
      if (site === 'shards.commit' && told === 0) expect((await bench.record())?.recordsIn ?? 0).toBe(0);
      return act();
    });
    await bench.handle(await one.send(words('x')));
    expect(told).toBe(1);
    expect(bench.calls.slice(bench.calls.indexOf('turn'))).toContain('shards.commit');
  });

  test('takes it before it processes what was sent behind another snapshot, order or not', async () => {
    const { bench, a: one, b: two } = await open();
    await bench.handle(await two.send(words('x')), await one.send(words('y'), colours(0)), await one.send(words('z')));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ checkpoint: 1, inputs: { [left]: 1, [right]: 1 }, recordsIn: 2 });
    // The other channel's barrier comes late and is nothing.
    await bench.handle(await two.send(words('z'), colours(0)));
    expect(snapshots(await bench.toCoordinator())).toEqual([]);
    expect(await bench.record()).toMatchObject({ epoch: 2, alignment: null, recordsIn: 4 });
  });

  test('aligns until the timeout, and then overtakes with what it holds still in flight', async () => {
    const { bench, a: one, b: two } = await open();
    const at = bench.time.clock.now() + 50;
    await bench.handle(await one.send(words('x'), colours(at)), await one.send(words('held')));
    expect(await bench.record()).toMatchObject({ epoch: 1, alignment: { checkpoint: 1, overtakeAtMs: at }, recordsIn: 1 });
    expect(snapshots(await bench.toCoordinator())).toEqual([]);
    await bench.time.advance(60);
    await bench.handle(await two.send(words('y')));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ inputs: { [left]: 1, [right]: 0 }, recordsIn: 1 });
    expect(await bench.record()).toMatchObject({ alignment: null, stash: { replaying: false, envelopes: [] }, recordsIn: 3 });
  });

  test('takes an order between two records, and what is left of the envelope is in flight', async () => {
    const { bench, a: one, b: two } = await open({ settings: { lookEveryMs: 0, recordsPerLook: 2 } });
    let hasLooked = 0;
    // The first look is the invocation's own, the second is before the envelope.
    bench.restart(async (site, act) => {
      if (site === 'jobs.read' && ++hasLooked === 3) await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
      return act();
    });
    await bench.handle(await one.send(words('x', 'y', 'x', 'y', 'z'), { kind: 'watermark', timestamp: 7 }), await two.send(words('x')));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ checkpoint: 1, inputs: { [left]: 0, [right]: 0 }, begun: { [left]: 2 }, recordsIn: 2 });
    expect(await bench.record()).toMatchObject({ epoch: 2, recordsIn: 6, stash: { replaying: false, envelopes: [] } });
    const counted = (await bench.sentTo('counts')).flatMap(({ values }) => values);
    expect(counted).toMatchObject([['x', 1], ['y', 1], ['x', 2], ['y', 2], ['z', 1], ['x', 3]].map(([word, count]) => ({ word, count }))); // prettier-ignore
  });

  test('replays only what was left of an envelope', async () => {
    const { bench, a: one } = await open({ settings: { lookEveryMs: 0, recordsPerLook: 2 } });
    const message = await one.send(words('x', 'y', 'x', 'z'));
    const { segment } = decodeEnvelope(message.body).header;
    let hasLooked = 0;
    bench.restart(async (site, act) => {
      if (site === 'jobs.read' && ++hasLooked === 3) await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
      return act();
    });
    await bench.handle(message);
    const [own] = snapshots(await bench.toCoordinator());
    await bench.sentTo('counts');
    const sender = bench.compiled.plan.vertices.find(({ uid }) => uid === 'left')!.uid;
    const inFlight = [{ epoch: 1, recent: [segment], chained: null }];
    const { begun, ...common } = own!;
    expect(begun).toEqual({ [left]: 2 });
    const sent = { ...common, uid: sender, inputs: {}, outputs: { [left]: 1 }, deltas: [], operatorStates: {}, inFlight };
    await restore(bench, [own!, sent], { unaligned: true });
    await bench.handle(bench.kick(2));
    const counted = (await bench.sentTo('counts')).flatMap(({ values }) => values);
    expect(counted).toMatchObject([{ word: 'x', count: 2 }, { word: 'z', count: 1 }]); // prettier-ignore
    expect(await bench.record()).toMatchObject({ recordsIn: 4 });
  });

  test('lists many epochs in few lists, with every segment once and in order', async () => {
    const { bench, a: one } = await open();
    const names: string[] = [];
    for (let checkpoint = 1; checkpoint <= 60; checkpoint++) {
      await bench.changeJob({ pending: [pending(checkpoint, 0)], numbered: checkpoint, completed: checkpoint - 1, inFlightFrom: 1 });
      await bench.handle(await one.send(words('x')));
      const [snapshot] = snapshots(await bench.toCoordinator());
      names.push(snapshot!.inFlight!.at(-1)!.recent.at(-1)!);
      expect(snapshot!.inFlight!.length).toBeLessThanOrEqual(limits.epochsListedMax + 1);
      const expanded = await Promise.all(snapshot!.inFlight!.map((list) => expandSegments(bench.stores.objects, list)));
      expect(expanded.flat().filter((name) => names.includes(name))).toEqual(names);
      expect(new Set(expanded.flat()).size).toBe(expanded.flat().length);
    }
    // Half of them have been received: what is kept beyond is little.
    await bench.changeJob({ pending: [], floor: 60, inFlightFrom: 31 });
    await bench.handle(await one.send(words('x')));
    const kept = (await bench.record()).segments.map(({ epoch }) => epoch);
    expect(Math.min(...kept)).toBeGreaterThanOrEqual(31);
    expect(JSON.stringify(await bench.record()).length).toBeLessThan(8_192);
  });

  test('counts what waits in its stash as in flight', async () => {
    const { bench, a: one, b: two } = await open();
    // Held for 1, and 2 comes over everything.
    await bench.handle(await one.send(words('x'), { kind: 'barrier', checkpoint: 1 }), await one.send(words('held')));
    await bench.changeJob({ pending: [pending(2, 0)], numbered: 2, aborted: 1 });
    await bench.handle(await two.send(words('y')));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ checkpoint: 2, inputs: { [left]: 1, [right]: 0 }, recordsIn: 1 });
    expect(await bench.record()).toMatchObject({ recordsIn: 3 });
  });

  test('fires due timers before the snapshot of an order', async () => {
    const { bench, a: one, b: two } = await open();
    await bench.handle(await one.send([{ word: 'w', processingTimer: bench.time.clock.now() + 20 }]));
    await bench.time.advance(30);
    await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
    await bench.handle(await two.send(words('y')));
    const sent = (await bench.sentTo('counts')).filter(({ header }) => header.epoch === 1).flatMap(({ values }) => values);
    expect(sent).toMatchObject([
      { word: 'w', count: 1 },
      { word: 'w', domain: 'processing' },
    ]);
    expect(snapshots(await bench.toCoordinator())[0]).toMatchObject({ nextTimer: { processing: null } });
  });

  test('lists the segments of what it has sent, its last one included, and keeps them while they are in flight', async () => {
    const { bench, a: one } = await open();
    await bench.handle(await one.send(words('x')));
    await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
    await bench.handle(await one.send(words('y')));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot!.inFlight).toMatchObject([{ epoch: 1, chained: null }]);
    // The first record's, and that of the snapshot itself.
    const names = snapshot!.inFlight![0]!.recent;
    expect(names.length).toBe(snapshot!.segments.recent.length + 1);
    for (const name of names) expect(await bench.stores.objects.read(name)).toBeDefined();
    // Completed with something of epoch 1 in flight: its names stay, although the floor has passed it.
    await bench.changeJob({ pending: [], completed: 1, floor: 1, inFlightFrom: 1 });
    await bench.handle(await one.send(words('z')));
    expect((await bench.record()).segments.map(({ epoch }) => epoch).sort()).toEqual([1, 2]);
    await bench.changeJob({ completed: 1, floor: 1, inFlightFrom: 2 });
    await bench.handle(await one.send(words('z')));
    expect((await bench.record()).segments.map(({ epoch }) => epoch)).toEqual([2]);
  });

  test('takes no order for messages that are all done: nobody would send its outputs again', async () => {
    const { bench, a: one } = await open();
    const done = await one.send(words('x'));
    await bench.handle(done);
    await bench.changeJob({ pending: [pending(1, 0)], numbered: 1 });
    await bench.handle(again(done));
    expect(await bench.record()).toMatchObject({ epoch: 1, settled: 0 });
  });
});
