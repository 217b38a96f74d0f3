/** The sink `ndjson-files` on S3: the contract of two-phase sinks, its requests, and what goes wrong with them. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createFileConnectors } from '../../../lib/adapters/connectors/file-connectors.ts';
import { connectS3 } from '../../../lib/adapters/connectors/s3-connection.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { SinkPart } from '../../../lib/model/shard-record.ts';
import type { SinkCommitter } from '../../../lib/ports/connectors.ts';
import { type Fault, FakeObjectStorage } from '../aws/fake-object-storage.ts';
import { readAll } from './read-split.ts';
import { jobA, jobB, partName, publisher, sinkCommitterContract } from './sink-committer.contract.ts';

let storage: FakeObjectStorage;
const records = [{ n: 1 }, { n: 2 }, { n: 3 }];
const lines = '{"n":1}\n{"n":2}\n{"n":3}\n';
const sink: ConnectorSpec = { connector: 'ndjson-files', options: { uri: 's3://bucket/out/daily' }, guarantee: 'exactly-once' };

beforeEach(() => {
  storage = new FakeObjectStorage();
});

/** Of another process each time: nothing is remembered. */
function newSink(): SinkCommitter {
  return createFileConnectors({ s3: connectS3(async () => storage.client()) }).sinks['ndjson-files']!;
}

function contents(): Record<string, string> {
  return Object.fromEntries([...storage.objects].map(([place, { bytes }]) => [place, bytes.toString()]));
}

async function stagedPart(): Promise<SinkPart> {
  const part = await newSink().stage(sink, partName(), records);
  storage.take();
  return part;
}

const targetOf = ({ target }: Pick<SinkPart, 'target'>): string => `bucket/out/daily/${target}`;
const stagedOf = ({ staged }: Pick<SinkPart, 'staged'>): string => `bucket/out/daily/.staged/${staged}`;

describe('ndjson-files sink on S3', () => {
  sinkCommitterContract(async () => {
    const own = new FakeObjectStorage();
    own.pageSize = 3;
    const prefix = 'bucket/out/daily/';
    const names = (folder: string): string[] => [...own.objects.keys()].filter((place) => place.startsWith(prefix + folder));
    return {
      committer: createFileConnectors({ s3: connectS3(async () => own.client()) }).sinks['ndjson-files']!,
      sink,
      published: async () =>
        Object.fromEntries(
          names('')
            .filter((place) => !place.includes('/.staged/'))
            .map((place) => [
              place.slice(prefix.length),
              own.objects
                .get(place)!
                .bytes.toString()
                .trimEnd()
                .split('\n')
                .map((line) => JSON.parse(line) as unknown),
            ]),
        ),
      staged: async () => names('.staged/').map((place) => place.slice(`${prefix}.staged/`.length)),
    };
  });

  test('writes what the ndjson source reads, which passes over what is staged', async () => {
    const { sources, sinks } = createFileConnectors({ s3: connectS3(async () => storage.client()) });
    const committer = sinks['ndjson-files']!;
    await committer.publish(sink, await committer.stage(sink, partName(), records), publisher);
    await committer.stage(sink, partName({ checkpoint: 2 }), records);
    const source: ConnectorSpec = { connector: 'ndjson', options: { uri: 's3://bucket/out/daily/' }, guarantee: 'exactly-once' };
    expect((await readAll(sources['ndjson']!, source)).values).toEqual(records);
  });

  test('writes to the same place whether the URI has slashes too many or not', async () => {
    for (const uri of ['s3://bucket/out/daily', 's3://bucket/out//daily/']) {
      const part = await newSink().stage({ ...sink, options: { uri } }, partName(), records);
      expect(contents()).toEqual({ [stagedOf(part)]: lines });
    }
    await newSink().stage({ ...sink, options: { uri: 's3://bucket' } }, partName(), records);
    expect([...storage.objects.keys()].some((place) => place.startsWith('bucket/.staged/'))).toBe(true);
  });

  test('makes four requests for a part, of which two are billed as writes', async () => {
    const committer = newSink();
    await committer.publish(sink, await committer.stage(sink, partName(), records), publisher);
    expect(storage.take()).toEqual(['PutObject', 'HeadObject', 'CopyObject', 'DeleteObject']);
  });

  test('discards with one listing and one removal for a thousand parts', async () => {
    const committer = newSink();
    for (let shard = 0; shard < 5; shard++) await committer.stage(sink, partName({ shard }), records);
    await committer.stage(sink, partName({ job: jobB }), records);
    storage.take();
    expect(await newSink().discardAbove(sink, jobA, 0, 9)).toBe(5);
    expect(storage.take()).toEqual(['ListObjectsV2', 'DeleteObjects']);
    expect(storage.objects.size).toBe(1);
  });
});

describe('publishing on S3', () => {
  const cases: readonly (readonly [string, readonly Fault[]])[] = [
    ['CopyObject', ['lost-answer']],
    ['CopyObject', ['lost-request', 'throttle']],
    ['CopyObject', ['conflict', 'conflict', 'conflict']],
    ['DeleteObject', ['lost-answer']],
    ['DeleteObject', ['throttle', 'throttle']],
  ];
  test.each(cases)('comes to its end where %s meets %j', async (operation, faults) => {
    const part = await stagedPart();
    storage.inject(operation, ...faults);
    expect(['published', 'already']).toContain(await newSink().publish(sink, part, publisher));
    expect(contents()).toEqual({ [targetOf(part)]: lines });
  });

  test('takes its own copy whose answer was lost for the part itself, without reading it', async () => {
    const part = await stagedPart();
    storage.inject('CopyObject', 'lost-answer');
    expect(await newSink().publish(sink, part, publisher)).toBe('already');
    expect(storage.take()).toEqual(['CopyObject', 'CopyObject', 'HeadObject', 'HeadObject', 'DeleteObject']);
  });

  test.each(['{"n":1}\n', lines.replace('3', '4')])('never replaces an object that holds something else: %j', async (content) => {
    const part = await stagedPart();
    storage.put(targetOf(part), content);
    await expect(newSink().publish(sink, part, publisher)).rejects.toMatchObject({ code: 'SLUICE-PART-CONFLICT', retryable: true });
    expect(contents()).toEqual({ [stagedOf(part)]: lines, [targetOf(part)]: content });
  });

  test('takes an object of the same content for the part itself, whoever wrote it', async () => {
    const part = await stagedPart();
    storage.put(targetOf(part), lines);
    expect(await newSink().publish(sink, part, publisher)).toBe('already');
    expect(contents()).toEqual({ [targetOf(part)]: lines });
  });

  test('tells loudly where a part is neither staged nor published', async () => {
    const part = await stagedPart();
    storage.objects.clear();
    await expect(newSink().publish(sink, part, publisher)).rejects.toMatchObject({
      code: 'SLUICE-PART-MISSING',
      facts: { folder: 's3://bucket/out/daily/', staged: part.staged, target: part.target },
    });
  });

  test('waits until what it depends on is durable', async () => {
    const part = await stagedPart();
    const failing = createFileConnectors({
      s3: connectS3(async () => storage.client()),
      durable: () => Promise.reject(new Error('the log is gone')),
    });
    await expect(failing.sinks['ndjson-files']!.publish(sink, part, publisher)).rejects.toThrow('the log is gone');
    expect(contents()).toEqual({ [stagedOf(part)]: lines });
  });
});

describe('staging on S3', () => {
  test.each<readonly Fault[]>([['lost-answer'], ['throttle'], ['conflict'], ['lost-request', 'lost-request']])(
    'comes to its end where the create meets %j',
    async (...faults) => {
      storage.inject('PutObject', ...faults);
      const part = await newSink().stage(sink, partName(), records);
      expect(part.bytes).toBe(lines.length);
      expect(contents()).toEqual({ [stagedOf(part)]: lines });
    },
  );

  test('leaves nothing where the part is published at this very moment', async () => {
    const part = await stagedPart();
    storage.inject('PutObject', () => {
      storage.put(targetOf(part), lines);
      storage.objects.delete(stagedOf(part));
    });
    await newSink().stage(sink, partName(), records);
    expect(contents()).toEqual({ [targetOf(part)]: lines });
  });
});

describe('a crash on S3', () => {
  test('at any request of staging and publishing shows nothing or everything, and is made good by doing both again', async () => {
    const both = async (): Promise<void> => {
      const committer = newSink();
      await committer.publish(sink, await committer.stage(sink, partName(), records), publisher);
    };
    for (const operation of ['PutObject', 'HeadObject', 'CopyObject', 'DeleteObject']) {
      for (const fault of ['lost-request', 'lost-answer'] as const) {
        storage.objects.clear();
        // As often as the SDK tries: then the process is gone.
        storage.inject(operation, fault, fault, fault);
        await expect(both()).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', retryable: true });
        const visible = [...storage.objects.keys()].filter((place) => !place.includes('/.staged/'));
        expect(visible.map((place) => storage.objects.get(place)!.bytes.toString())).toEqual(visible.map(() => lines));
        await both();
        expect(Object.values(contents())).toEqual([lines]);
        expect(Object.keys(contents())[0]).not.toContain('.staged');
      }
    }
  });

  test('and publishers at the same time leave the published object, whole, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        storage = new FakeObjectStorage();
        const client = storage.client();
        client.middlewareStack.add((next) => async (given) => (await scheduler.schedule(Promise.resolve()), next(given)), {
          step: 'build',
        });
        const committer = createFileConnectors({ s3: connectS3(async () => client) }).sinks['ndjson-files']!;
        const one = async (): Promise<void> => {
          const part = await committer.stage(sink, partName(), records);
          await Promise.all([committer.publish(sink, part, publisher), committer.publish(sink, part, publisher)]);
        };
        await scheduler.waitFor(Promise.all([one(), one(), committer.stage(sink, partName(), records)]));
        expect(contents()).toEqual({ [targetOf(committer.locate(sink, partName()))]: lines });
      }),
      { numRuns: 60 },
    );
  });
});

describe('S3 that refuses', () => {
  test('is told with what the role must be allowed, as what no other try helps', async () => {
    storage.inject('PutObject', 'denied');
    await expect(newSink().stage(sink, partName(), records)).rejects.toMatchObject({
      code: 'SLUICE-OUTPUT-FAILED',
      retryable: false,
      facts: { folder: 's3://bucket/out/daily/', code: 'AccessDenied' },
      hint: expect.stringContaining('s3:PutObject') as string,
    });
  });

  test('to remove some of the parts is not taken for done', async () => {
    const committer = newSink();
    for (const operator of ['stuck', 'free']) await committer.stage(sink, partName({ operator: operator as never }), records);
    await expect(committer.discardAbove(sink, jobA, 0, 9)).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED' });
    expect([...storage.objects.keys()].every((place) => place.includes('stuck'))).toBe(true);
  });

  test.each(['s3://', 's3://b/x', 's3:bucket/x', 's3://Bu_cket/x'])('is not even asked for %s', async (uri) => {
    const staging = newSink().stage({ ...sink, options: { uri } }, partName(), records);
    await expect(staging).rejects.toMatchObject({ code: 'SLUICE-CONNECTOR-OPTION' });
    expect(storage.take()).toEqual([]);
  });
});
