/** Reads of a source that bring no records, or none that go on. */
import { describe, expect, test } from 'vitest';
import { events, openSource as open, Script, times, turn } from './scripted-source.ts';

describe('a read without records', () => {
  test('is progress where lines were set aside: the source goes on at once, and the epoch has a change', async () => {
    const script = new Script({ a: [[1, 2], [3], [4]] });
    script.malformed.add('a 0').add('a 1');
    const bench = await open(script);
    await turn(bench);
    expect(await bench.toCoordinator()).toMatchObject([{ kind: 'dirty', epoch: 1 }]);
    expect(await bench.record()).toMatchObject({ recordsIn: 0, splits: { a: { position: { batch: 1 }, records: 0 } } });
    await turn(bench);
    await turn(bench);
    expect(script.reads).toHaveLength(3);
    expect(times(await bench.sentTo('middle'))).toEqual([4]);
    expect((await bench.sentTo('malformed')).flatMap(({ values }) => values)).toMatchObject([
      { position: 'batch 0', text: '{"at":1}' },
      { position: 'batch 0', text: '{"at":2}' },
      { position: 'batch 1', text: '{"at":3}' },
    ]);
    await turn(bench);
    expect(await bench.sentToSelf(), 'now there is nothing').toEqual([]);
  });

  test('is progress where the position has moved over nothing, and the end of a split too', async () => {
    const script = new Script({ a: [[], [], [7]], b: [] });
    script.closed.add('b');
    const bench = await open(script);
    for (let i = 0; i < 3; i++) await turn(bench);
    expect(times(await bench.sentTo('middle'))).toEqual([7]);
  });

  test('waits for back-pressure of the queue that takes what is malformed', async () => {
    const script = new Script({
      a: [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    });
    script.malformed.add('a 0').add('a 1').add('a 2');
    const bench = await open(script, { settings: { backlogMessagesPerShard: 0 } });
    await turn(bench);
    await turn(bench);
    expect(script.reads, 'what the first read sent is still in the queue').toHaveLength(1);
    expect(await bench.sentToSelf()).toEqual([]);
    await bench.sentTo('malformed');
    await turn(bench, 50);
    expect(script.reads).toHaveLength(2);
  });

  test('does not keep a split from being idle, and idleness is told although the loop goes on', async () => {
    const script = new Script({ a: [[100], [1], [2], [3], [4]] });
    for (const batch of [1, 2, 3, 4]) script.malformed.add(`a ${batch}`);
    const bench = await open(script, { idleness: 300 });
    await turn(bench);
    expect(events(await bench.sentTo('middle'))).toEqual([89]);
    await turn(bench, 150);
    await turn(bench, 200);
    expect(events(await bench.sentTo('middle')), 'silent for 350 ms').toEqual(['idle']);
    await turn(bench);
    expect(events(await bench.sentTo('middle')), 'once').toEqual([]);
  });

  test('downstream, because all are filtered away, tells how far event time is now and then: windows must not stay open', async () => {
    const script = new Script({ a: [[-500], [-400], [-300], [-200], [50]] });
    const bench = await open(script);
    await turn(bench);
    await turn(bench, 150);
    expect(events(await bench.sentTo('middle')), 'not with every commit: each costs a message per channel').toEqual([]);
    await turn(bench, 50);
    expect(events(await bench.sentTo('middle'))).toEqual([-311]);
    await turn(bench, 150);
    expect(events(await bench.sentTo('middle'))).toEqual([]);
    await turn(bench);
    const sent = await bench.sentTo('middle');
    expect([times(sent), events(sent)]).toEqual([[50], [39]]);
  });
});
