/** What every two-phase sink must do (lib/ports/connectors.ts), whatever it writes to. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { operatorUid, type JobId } from '../../../lib/base/ids.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { SinkPart } from '../../../lib/model/shard-record.ts';
import type { PartName, Publisher, SinkCommitter } from '../../../lib/ports/connectors.ts';

export interface SinkUnderTest {
  readonly committer: SinkCommitter;
  readonly sink: ConnectorSpec;
  /** What a reader sees: published records by the name that they were published under. */
  readonly published: () => Promise<Readonly<Record<string, readonly unknown[]>>>;
  readonly staged: () => Promise<readonly string[]>;
}

export const jobA = 'a'.repeat(32) as JobId;
export const jobB = 'b'.repeat(32) as JobId;

export function partName(changes: Partial<PartName> = {}): PartName {
  return { job: jobA, attempt: 1, operator: operatorUid('files'), checkpoint: 1, shard: 0, number: 0, ...changes };
}

export const publisher: Publisher = { job: jobA, createdAtMs: 1_700_000_000_000 };

export function sinkCommitterContract(open: () => Promise<SinkUnderTest>): void {
  const records = [{ n: 1 }, { n: 2, text: 'é\n"' }];

  async function stagedPart(): Promise<SinkUnderTest & { readonly part: SinkPart }> {
    const under = await open();
    return { ...under, part: await under.committer.stage(under.sink, partName(), records) };
  }

  test('shows nothing of a staged part, and all of a published one', async () => {
    const { committer, sink, published, staged, part } = await stagedPart();
    expect(part).toMatchObject({ operator: 'files', shard: 0, checkpoint: 1, number: 0, records: 2 });
    expect(await published()).toEqual({});
    expect(await staged()).toEqual([part.staged]);
    expect(await committer.publish(sink, part, publisher)).toBe('published');
    expect(await published()).toEqual({ [part.target]: records });
    expect(await staged()).toEqual([]);
  });

  test('names a part before it is staged as it is named after', async () => {
    const { committer, sink, part } = await stagedPart();
    expect(part).toMatchObject(committer.locate(sink, partName()));
  });

  test('publishes once, however often it is told to', async () => {
    const { committer, sink, published, part } = await stagedPart();
    const outcomes = [
      await committer.publish(sink, part, publisher),
      await committer.publish(sink, part, publisher),
      await committer.publish(sink, part, publisher),
    ];
    expect(outcomes).toEqual(['published', 'already', 'already']);
    expect(Object.values(await published())).toEqual([records]);
  });

  test('stages once, however often it is told to, and never what is published', async () => {
    const { committer, sink, published, staged, part } = await stagedPart();
    expect((await committer.stage(sink, partName(), records)).bytes).toBe(part.bytes);
    expect(await staged()).toEqual([part.staged]);
    await committer.publish(sink, part, publisher);
    expect((await committer.stage(sink, partName(), records)).bytes).toBe(part.bytes);
    expect(await staged()).toEqual([]);
    expect(await published()).toEqual({ [part.target]: records });
  });

  test('gives every part a name of its own, whatever the operator is called', async () => {
    const { committer, sink } = await open();
    const uid = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 120 }),
      fc.constantFrom('a', 'a-1', 'a-000001-0', '..', '../a', 'a/b'),
    );
    const name = fc.record({
      operator: uid,
      checkpoint: fc.integer({ min: 1, max: 3 }),
      shard: fc.nat(2),
      number: fc.nat(2),
      attempt: fc.nat(2),
    });
    fc.assert(
      fc.property(name, name, (left, right) => {
        const places = [left, right].map((part) => committer.locate(sink, partName({ ...part, operator: operatorUid(part.operator) })));
        const isSameTarget = JSON.stringify({ ...left, attempt: 0 }) === JSON.stringify({ ...right, attempt: 0 });
        expect(places[0]!.target === places[1]!.target).toBe(isSameTarget);
        expect(places[0]!.staged === places[1]!.staged).toBe(isSameTarget && left.attempt === right.attempt);
      }),
      { numRuns: 200 },
    );
  });

  test('discards exactly the parts of the job that are staged between two checkpoints', async () => {
    const part = fc.record({
      job: fc.constantFrom(jobA, jobB),
      attempt: fc.integer({ min: 1, max: 2 }),
      checkpoint: fc.integer({ min: 1, max: 12 }),
      shard: fc.nat(1),
      operator: fc.constantFrom('files', 'files-000005-0-0').map(operatorUid),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(part, { selector: (item) => JSON.stringify(item), maxLength: 8 }),
        fc.nat(12),
        fc.nat(13),
        async (parts, above, below) => {
          const { committer, sink, staged } = await open();
          const kept: string[] = [];
          for (const item of parts) {
            const { staged: place } = await committer.stage(sink, partName(item), records);
            const goes = item.job === jobA && item.checkpoint > above && item.checkpoint < below;
            if (!goes) kept.push(place);
          }
          expect(await committer.discardAbove(sink, jobA, above, below)).toBe(parts.length - kept.length);
          expect([...(await staged())].sort()).toEqual(kept.sort());
          expect(await committer.discardAbove(sink, jobA, above, below)).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('leaves published parts when it discards', async () => {
    const { committer, sink, published, part } = await stagedPart();
    await committer.publish(sink, part, publisher);
    expect(await committer.discardAbove(sink, jobA, 0, 100)).toBe(0);
    expect(await published()).toEqual({ [part.target]: records });
  });

  test.each(['staged', 'published'] as const)('takes a %s part over to another job, where it is visible once', async (state) => {
    const { committer, sink, published, staged, part } = await stagedPart();
    if (state === 'published') await committer.publish(sink, part, publisher);
    const bytes = (await committer.exportPart(sink, part))!;
    const taken = await committer.importPart(sink, partName({ job: jobB, attempt: 0 }), part, bytes);
    expect(taken).toEqual({ ...part, staged: committer.locate(sink, partName({ job: jobB, attempt: 0 })).staged });
    for (const one of [taken, part, taken]) await committer.publish(sink, one, publisher);
    expect(await published()).toEqual({ [part.target]: records });
    expect(await staged()).toEqual([]);
  });

  test('publishes an imported part where the job that made it has gone', async () => {
    const made = await stagedPart();
    const bytes = (await made.committer.exportPart(made.sink, made.part))!;
    const { committer, sink, published } = await open();
    const name = partName({ job: jobB, attempt: 0 });
    for (let again = 0; again < 2; again++) await committer.importPart(sink, name, made.part, bytes);
    const taken = await committer.importPart(sink, name, made.part, bytes);
    expect(await committer.publish(sink, taken, publisher)).toBe('published');
    expect(await published()).toEqual({ [made.part.target]: records });
  });

  test('has nothing to export of a part that is neither staged nor published', async () => {
    const { committer, sink } = await open();
    const part = {
      operator: operatorUid('files'),
      checkpoint: 1,
      shard: 0,
      number: 0,
      records: 0,
      bytes: 0,
      ...committer.locate(sink, partName()),
    };
    expect(await committer.exportPart(sink, part)).toBeUndefined();
  });
}
