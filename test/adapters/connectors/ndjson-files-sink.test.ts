import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileSteps, type FileSteps } from '../../../lib/adapters/connectors/file-steps.ts';
import { createLocalConnectors } from '../../../lib/adapters/connectors/local-connectors.ts';
import { createNdjsonFilesSink } from '../../../lib/adapters/connectors/ndjson-files-sink.ts';
import { operatorUid } from '../../../lib/base/ids.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { SinkPart } from '../../../lib/model/shard-record.ts';
import { Crash, crashingSteps, type Moment } from './crashing-steps.ts';
import { readAll } from './read-split.ts';
import { jobA, jobB, partName, publisher, sinkCommitterContract } from './sink-committer.contract.ts';

let root: string;
let folders = 0;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-sink-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

const newFolder = (): string => join(root, `run-${folders++}`, 'daily');
const sinkTo = (uri: string): ConnectorSpec => ({ connector: 'ndjson-files', options: { uri }, guarantee: 'exactly-once' });
const records = [{ n: 1 }, { n: 2 }, { n: 3 }];
const lines = '{"n":1}\n{"n":2}\n{"n":3}\n';

async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder).catch(() => []);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)));
}

async function visibleIn(folder: string): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await filesIn(folder)).filter(([name]) => !name.startsWith('.')));
}

describe('ndjson-files sink', () => {
  sinkCommitterContract(async () => {
    const folder = newFolder();
    return {
      committer: createNdjsonFilesSink(),
      sink: sinkTo(folder),
      published: async () =>
        Object.fromEntries(
          Object.entries(await visibleIn(folder)).map(([name, text]) => [
            name,
            text
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line) as unknown),
          ]),
        ),
      staged: async () => Object.keys(await filesIn(folder)).filter((name) => name.startsWith('.')),
    };
  });

  test('writes one line for each record, which the ndjson source reads', async () => {
    const folder = newFolder();
    const { sources, sinks } = createLocalConnectors();
    const sink = sinks['ndjson-files']!;
    await sink.publish(sinkTo(folder), await sink.stage(sinkTo(folder), partName(), records), publisher);
    await sink.stage(sinkTo(folder), partName({ checkpoint: 2 }), records);
    expect(Object.values(await visibleIn(folder))).toEqual([lines]);
    const source: ConnectorSpec = { connector: 'ndjson', options: { uri: folder }, guarantee: 'exactly-once' };
    expect((await readAll(sources['ndjson']!, source)).values).toEqual(records);
  });

  test('takes a file: URI and makes the folder with those around it', async () => {
    const folder = newFolder();
    const part = await createNdjsonFilesSink().stage(sinkTo(pathToFileURL(folder).href), partName(), records);
    expect(await filesIn(folder)).toEqual({ [part.staged]: lines });
    expect(part.bytes).toBe(lines.length);
  });

  test('makes the folder again where somebody removed it', async () => {
    const folder = newFolder();
    const sink = createNdjsonFilesSink();
    await sink.stage(sinkTo(folder), partName(), records);
    await rm(folder, { recursive: true });
    await expect(sink.stage(sinkTo(folder), partName(), records)).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED' });
    await sink.stage(sinkTo(folder), partName(), records);
    expect(Object.values(await filesIn(folder))).toEqual([lines]);
  });

  test('writes parts of many pieces', async () => {
    const many = Array.from({ length: 30_000 }, (_, n) => ({ n, text: '€'.repeat(20) }));
    const folder = newFolder();
    const part = await createNdjsonFilesSink().stage(sinkTo(folder), partName(), many);
    const text = await readFile(join(folder, part.staged), 'utf8');
    expect(text).toBe(many.map((record) => `${JSON.stringify(record)}\n`).join(''));
    expect((await stat(join(folder, part.staged))).size).toBe(part.bytes);
  });
});

describe('publishing', () => {
  test('waits until what it depends on is durable', async () => {
    const folder = newFolder();
    let release = (): void => undefined;
    const sink = createNdjsonFilesSink({ durable: () => new Promise((resolve) => (release = resolve)) });
    const part = await sink.stage(sinkTo(folder), partName(), records);
    const publishing = sink.publish(sinkTo(folder), part, publisher);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await visibleIn(folder)).toEqual({});
    release();
    expect(await publishing).toBe('published');
    expect(await visibleIn(folder)).toEqual({ [part.target]: lines });
  });

  test('publishes nothing where that fails', async () => {
    const folder = newFolder();
    const { sinks } = createLocalConnectors({ durable: () => Promise.reject(new Error('the disk is gone')) });
    const sink = sinks['ndjson-files']!;
    const part = await sink.stage(sinkTo(folder), partName(), records);
    await expect(sink.publish(sinkTo(folder), part, publisher)).rejects.toThrow('the disk is gone');
    expect(await filesIn(folder)).toEqual({ [part.staged]: lines });
  });

  test('tells loudly where a part is neither staged nor published', async () => {
    const folder = newFolder();
    const sink = createNdjsonFilesSink();
    const part = await sink.stage(sinkTo(folder), partName(), records);
    await rm(join(folder, part.staged));
    await expect(sink.publish(sinkTo(folder), part, publisher)).rejects.toMatchObject({
      code: 'SLUICE-PART-MISSING',
      facts: { folder, staged: part.staged, target: part.target },
    });
    await rm(folder, { recursive: true });
    await expect(sink.publish(sinkTo(folder), part, publisher)).rejects.toMatchObject({ code: 'SLUICE-PART-MISSING' });
  });

  test.each(['{"n":1}\n', lines.replace('3', '4')])('never replaces a file that holds something else: %j', async (content) => {
    const folder = newFolder();
    const sink = createNdjsonFilesSink();
    const part = await sink.stage(sinkTo(folder), partName(), records);
    await writeFile(join(folder, part.target), content);
    await expect(sink.publish(sinkTo(folder), part, publisher)).rejects.toMatchObject({ code: 'SLUICE-PART-CONFLICT', retryable: true });
    expect(await filesIn(folder)).toEqual({ [part.staged]: lines, [part.target]: content });
  });

  test('takes a file of the same content for the part itself', async () => {
    const folder = newFolder();
    const sink = createNdjsonFilesSink();
    const part = await sink.stage(sinkTo(folder), partName(), records);
    await writeFile(join(folder, part.target), lines);
    expect(await sink.publish(sinkTo(folder), part, publisher)).toBe('already');
    expect(await filesIn(folder)).toEqual({ [part.target]: lines });
  });
});

describe('a crash', () => {
  const moments: readonly Moment[] = ['before', 'during', 'after'];

  /** Runs `work` with a crash at every step in turn, then `check` as the next process. Returns the steps of the run that met none. */
  async function crashAtEveryStep(
    work: (folder: string, steps: FileSteps) => Promise<unknown>,
    check: (folder: string) => Promise<unknown>,
  ): Promise<readonly string[]> {
    for (let at = 0; ; at++) {
      for (const moment of moments) {
        const folder = newFolder();
        const { steps, taken, hasCrashed } = crashingSteps(at, moment);
        const outcome = await work(folder, steps).catch((error: unknown) => error);
        if (!hasCrashed()) return taken();
        expect((outcome as { cause?: unknown }).cause).toBeInstanceOf(Crash);
        await check(folder);
      }
    }
  }

  const stageAndPublish = async (folder: string, steps: FileSteps): Promise<void> => {
    const sink = createNdjsonFilesSink({ steps });
    await sink.publish(sinkTo(folder), await sink.stage(sinkTo(folder), partName(), records), publisher);
  };

  test('between any two steps of staging and publishing shows nothing or everything, and is made good by doing both again', async () => {
    const taken = await crashAtEveryStep(stageAndPublish, async (folder) => {
      expect([undefined, lines]).toContain(Object.values(await visibleIn(folder))[0]);
      await stageAndPublish(folder, fileSteps);
      expect(Object.values(await filesIn(folder))).toEqual([lines]);
      expect(await visibleIn(folder)).toEqual(await filesIn(folder));
    });
    // The order is what survives a power loss: content before its name, the published name before the staged one goes.
    const staging = ['makeFolder', 'list', 'look', 'look', 'write', 'link', 'remove', 'syncFolder', 'look'];
    expect(taken).toEqual([...staging, 'link', 'syncFolder', 'remove']);
  });

  test('in publishing is made good by publishing again, without staging', async () => {
    const part = { ...partName(), ...createNdjsonFilesSink().locate(sinkTo(root), partName()), records: 3, bytes: lines.length };
    const stageOnly = async (folder: string): Promise<void> => {
      await createNdjsonFilesSink().stage(sinkTo(folder), partName(), records);
    };
    await crashAtEveryStep(
      async (folder, steps) => {
        await stageOnly(folder);
        await createNdjsonFilesSink({ steps }).publish(sinkTo(folder), part, publisher);
      },
      async (folder) => {
        await createNdjsonFilesSink().publish(sinkTo(folder), part, publisher);
        expect(await filesIn(folder)).toEqual({ [part.target]: lines });
      },
    );
  });

  test('in discarding is made good by discarding again', async () => {
    await crashAtEveryStep(
      async (folder, steps) => {
        const sink = createNdjsonFilesSink();
        for (const checkpoint of [1, 2, 3]) await sink.stage(sinkTo(folder), partName({ checkpoint }), records);
        await createNdjsonFilesSink({ steps }).discardAbove(sinkTo(folder), jobA, 1, 9);
      },
      async (folder) => {
        await createNdjsonFilesSink().discardAbove(sinkTo(folder), jobA, 1, 9);
        expect(Object.keys(await filesIn(folder))).toEqual([createNdjsonFilesSink().locate(sinkTo(folder), partName()).staged]);
      },
    );
  });

  test('leaves half a file, which the next process removes, of this job only', async () => {
    const folder = newFolder();
    const half = async (job: typeof jobA): Promise<void> => {
      for (let at = 0; ; at++) {
        const { steps, taken } = crashingSteps(at, 'during');
        await createNdjsonFilesSink({ steps })
          .stage(sinkTo(folder), partName({ job, checkpoint: 7 }), records)
          .catch(() => undefined);
        if (taken().at(-1) === 'write') return;
      }
    };
    await half(jobB);
    await half(jobA);
    expect(Object.keys(await filesIn(folder))).toHaveLength(2);
    const { staged } = await createNdjsonFilesSink().stage(sinkTo(folder), partName(), records);
    const names = Object.keys(await filesIn(folder));
    expect(names).toHaveLength(2);
    expect(names).toContain(staged);
    expect(names.filter((name) => name.includes(jobA))).toEqual([staged]);
  });

  test('leaves half a file, which a restore removes with the parts that it gives up', async () => {
    const folder = newFolder();
    await mkdir(folder, { recursive: true });
    const { staged } = createNdjsonFilesSink().locate(sinkTo(folder), partName({ checkpoint: 5 }));
    await writeFile(join(folder, `${staged}.0a1b`), 'half');
    expect(await createNdjsonFilesSink().discardAbove(sinkTo(folder), jobA, 4, 9)).toBe(0);
    expect(await filesIn(folder)).toEqual({});
  });
});

describe('staging and publishing at the same time', () => {
  test('in any order of steps leaves the published file, whole, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const folder = newFolder();
        // Each step begins when the scheduler lets it; those that are begun run at the same time.
        const steps = new Proxy(fileSteps, {
          get: (target, property: keyof FileSteps) => {
            const step = target[property] as (...parameters: unknown[]) => Promise<unknown>;
            return async (...parameters: unknown[]) => {
              await scheduler.schedule(Promise.resolve(), property);
              return step(...parameters);
            };
          },
        });
        const sink = createNdjsonFilesSink({ steps });
        const one = async (): Promise<void> => {
          const part = await sink.stage(sinkTo(folder), partName(), records);
          await Promise.all([sink.publish(sinkTo(folder), part, publisher), sink.publish(sinkTo(folder), part, publisher)]);
        };
        await scheduler.waitFor(Promise.all([one(), one(), sink.stage(sinkTo(folder), partName(), records)]));
        const { target } = sink.locate(sinkTo(folder), partName());
        expect(await filesIn(folder)).toEqual({ [target]: lines });
      }),
      { numRuns: 150 },
    );
  });
});

describe('a record that JSON cannot hold', () => {
  test('is refused with its operator and place, and nothing is staged', async () => {
    const folder = newFolder();
    const large = { text: 'x'.repeat(2_000_000) };
    const staging = createNdjsonFilesSink().stage(sinkTo(folder), partName({ checkpoint: 4 }), [large, { at: new Date(0) }]);
    await expect(staging).rejects.toMatchObject({
      code: 'SLUICE-SINK-RECORD-UNSUPPORTED',
      facts: { operator: 'files', checkpoint: 4, shard: 0, record: 1, path: '.at' },
    });
    expect(await filesIn(folder)).toEqual({});
  });
});

describe('names', () => {
  test.each(['../out', '..', '/etc/passwd', 'a/b', 'a\\b', 'nul\0', 'é', 'x'.repeat(500)])(
    'of operators stay in the folder: %j',
    async (operator) => {
      const folder = newFolder();
      const sink = createNdjsonFilesSink();
      const part = await sink.stage(sinkTo(folder), partName({ operator: operatorUid(operator) }), records);
      await sink.publish(sinkTo(folder), part, publisher);
      expect(await readdir(join(folder, '..'))).toEqual([basename(folder)]);
      expect(await filesIn(folder)).toEqual({ [part.target]: lines });
    },
  );

  const good = createNdjsonFilesSink().locate(sinkTo('.'), partName());
  test.each<Pick<SinkPart, 'staged' | 'target'>>([
    { ...good, target: '../stolen.ndjson' },
    { ...good, target: '/stolen.ndjson' },
    { ...good, target: '..' },
    { ...good, target: '' },
    { ...good, target: '.hidden' },
    { ...good, target: 'a\\b' },
    { ...good, staged: '../.x.staged' },
    { ...good, staged: 'letter.txt' },
    { ...good, staged: '.profile' },
  ])('in parts that this sink did not make are not followed: %j', async (place) => {
    const folder = newFolder();
    const sink = createNdjsonFilesSink();
    const part = { ...(await sink.stage(sinkTo(folder), partName(), records)), ...place };
    await writeFile(join(folder, 'letter.txt'), 'mine');
    const before = await filesIn(folder);
    await expect(sink.publish(sinkTo(folder), part, publisher)).rejects.toMatchObject({ code: 'SLUICE-PART-INVALID' });
    await expect(sink.exportPart(sinkTo(folder), part)).rejects.toMatchObject({ code: 'SLUICE-PART-INVALID' });
    if (place.target !== good.target) {
      const importing = sink.importPart(sinkTo(folder), partName({ job: jobB }), part, Buffer.from('stolen'));
      await expect(importing).rejects.toMatchObject({ code: 'SLUICE-PART-INVALID' });
    }
    expect(await filesIn(folder)).toEqual(before);
  });
});

describe('a folder that cannot be used', () => {
  test('because it is a file is told with its path, as one that no other try helps', async () => {
    const path = join(root, 'file');
    await writeFile(path, '');
    await expect(createNdjsonFilesSink().stage(sinkTo(path), partName(), records)).rejects.toMatchObject({
      code: 'SLUICE-OUTPUT-FAILED',
      facts: { folder: path },
      retryable: false,
    });
  });

  test('because the disk is full leaves no half file, and works when there is room again', async () => {
    const folder = newFolder();
    let isFull = true;
    const write: FileSteps['write'] = async (path, pieces) => {
      if (!isFull) return fileSteps.write(path, pieces);
      await fileSteps.write(path, [Buffer.from('{"n"')]);
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    };
    const sink = createNdjsonFilesSink({ steps: { ...fileSteps, write } });
    await expect(sink.stage(sinkTo(folder), partName(), records)).rejects.toMatchObject({
      code: 'SLUICE-OUTPUT-FAILED',
      facts: { code: 'ENOSPC' },
    });
    expect(await filesIn(folder)).toEqual({});
    isFull = false;
    await sink.stage(sinkTo(folder), partName(), records);
    expect(Object.values(await filesIn(folder))).toEqual([lines]);
  });

  test('is made ready again while a part is being written, which stays', async () => {
    const folder = newFolder();
    const gate = Promise.withResolvers<void>();
    const behaviours: FileSteps['write'][] = [
      async (path, pieces) => {
        const bytes = await fileSteps.write(path, pieces);
        await gate.promise;
        return bytes;
      },
      () => Promise.reject(new Error('no space left')),
    ];
    const sink = createNdjsonFilesSink({ steps: { ...fileSteps, write: (...given) => (behaviours.shift() ?? fileSteps.write)(...given) } });
    const slow = sink.stage(sinkTo(folder), partName({ shard: 0 }), records);
    await expect.poll(() => behaviours.length).toBe(1);
    await expect(sink.stage(sinkTo(folder), partName({ shard: 1 }), records)).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED' });
    await sink.stage(sinkTo(folder), partName({ shard: 2 }), records);
    gate.resolve();
    await slow;
    expect(Object.values(await filesIn(folder))).toEqual([lines, lines]);
  });

  test('because somebody takes files away while they are written is told', async () => {
    const folder = newFolder();
    const write: FileSteps['write'] = async (path, pieces) => {
      const bytes = await fileSteps.write(path, pieces);
      await rm(path);
      return bytes;
    };
    const staging = createNdjsonFilesSink({ steps: { ...fileSteps, write } }).stage(sinkTo(folder), partName(), records);
    await expect(staging).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', retryable: true });
  });

  test('has nothing to discard where it is missing', async () => {
    expect(await createNdjsonFilesSink().discardAbove(sinkTo(newFolder()), jobA, 0, 9)).toBe(0);
  });
});
