import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { usEast1 } from '../../lib/cost/prices.ts';
import { startLocalServer, type LocalServer } from '../../lib/local/local-server.ts';
import { startedWorld, type ApiWorld } from '../api/api-world.ts';
import { job, manifestOf } from '../checkpoint/fixture.ts';
import { planOf, source } from '../checkpoint/plans.ts';
import { sluice } from './test-io.ts';

let world: ApiWorld;
let server: LocalServer;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cost-'));
  world = await startedWorld();
  server = await startLocalServer({ fetch: (request) => world.app.fetch(request), port: 0 });
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function checkpoints(count: number): Promise<void> {
  const bill = { 's3.PutObject': 10, 's3.PutObject.class-1': 10, 'lambda.Invoke': 1 };
  world.decorate = (uid, _shard, number) => ({ bill, recordsIn: uid === source ? number * 1_000_000 : 7 });
  for (let i = 0; i < count; i++) {
    await world.dirty();
    await world.advance(1_500);
  }
}

const shards = (): number => world.plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);

function fileIn(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const at = (): readonly string[] => ['--server', server.url];

describe('sluice cost', () => {
  test('says what a job costs per million events, per checkpoint, and in an idle month', async () => {
    await checkpoints(2);
    const { exitCode, out, err } = await sluice('cost', 'counting', ...at());
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`counting (${job}): 2 checkpoints from `);
    expect(out).toMatch(
      /SERVICE +PER MILLION EVENTS +PER CHECKPOINT +SHARE\nS3 +\$0\.000\d+ +\$0\.000\d+ +100 %\nLambda .*\nin all .* 100 %\n/,
    );
    expect(out).toMatch(/A month in which nothing comes: \$\d+\.\d\d \(polling \$/);
    expect(out).toContain('Prices of us-east-1 as of 2026-11-20, without free tiers and tax.');
  });

  test('prints all of it as JSON, of the only job where none is named', async () => {
    await checkpoints(1);
    const { out } = await sluice('cost', '--json', ...at());
    const told = JSON.parse(out) as { dollars: { total: number }; events: number; dollarsPerMillionEvents: number };
    expect(told).toMatchObject({ job, checkpoints: 1, requests: 11 * shards(), sentRequests: 10 * shards(), region: 'us-east-1' });
    expect(told.dollars.total).toBeCloseTo(shards() * (10 * 5e-6 + 0.2e-6), 12);
    expect(told.dollarsPerMillionEvents).toBeCloseTo((told.dollars.total / told.events) * 1e6, 12);
  });

  test('goes by a price table of its own', async () => {
    await checkpoints(1);
    const prices = fileIn('prices.json', JSON.stringify({ region: 'mars-1', perMillion: { 'class-1': 5e6, invocation: 0 } }));
    const { out } = await sluice('cost', '--json', '--prices', prices, ...at());
    expect(JSON.parse(out)).toMatchObject({ region: 'mars-1', dollars: { total: 10 * 5 * shards() } });
    expect(JSON.parse((await sluice('cost', '--print-prices')).out)).toEqual(usEast1);
  });

  test('takes the size of the state for the month where it is given', async () => {
    await checkpoints(1);
    const { out } = await sluice('cost', '--json', '--state-gb', '2', ...at());
    expect((JSON.parse(out) as { idleMonth: { storage: number } }).idleMonth.storage).toBeCloseTo(2 * 0.473);
  });

  test('reads manifests in a folder, without a server', async () => {
    for (const checkpoint of [4, 5, 6]) {
      const manifest = manifestOf(planOf(), { checkpoint }, (uid) => (uid === source ? { recordsIn: checkpoint * 1_000 } : {}));
      const bill = { 'dynamodb.PutItem': 1, 'dynamodb.PutItem.write-unit': 2 };
      fileIn(`manifests/chk-${checkpoint}-1`, encodeManifest({ ...manifest, bill }));
    }
    const { out } = await sluice('cost', '--from', folder, '--json');
    const sources = planOf().vertices.find(({ uid }) => uid === source)!.parallelism;
    expect(JSON.parse(out)).toMatchObject({ checkpoints: 2, events: 2_000 * sources, requests: 2, idleMonth: null });
    const one = await sluice('cost', '--from', join(folder, 'manifests', 'chk-5-1'));
    expect(one.out).toContain('events    not known: that needs two checkpoints at least');
  });

  test.each([
    ['where no checkpoint has a bill', 'SLUICE-COST-UNKNOWN', () => ['cost', 'counting', ...at()]],
    ['of a folder without any', 'SLUICE-COST-FILES', () => ['cost', '--from', folder]],
    ['of a path that is not there', 'SLUICE-COST-FILES', () => ['cost', '--from', join(folder, 'gone')]],
    ['in a region without prices', 'SLUICE-COST-PRICES', () => ['cost', '--region', 'eu-central-1', ...at()]],
    ['by prices that are not there', 'SLUICE-COST-PRICES', () => ['cost', '--prices', join(folder, 'gone'), ...at()]],
    ['by prices that are none', 'SLUICE-COST-PRICES', () => ['cost', '--prices', fileIn('p.json', '{"s3":1}'), ...at()]],
    ['of a job that is not there', 'SLUICE-JOB-UNKNOWN', () => ['cost', 'nobody', ...at()]],
  ])('%s is refused with a code', async (_what, code, command) => {
    const { exitCode, err } = await sluice(...command());
    expect(exitCode).toBe(1);
    expect(err).toContain(`error ${code}: `);
  });

  test('of a job and of files at once is not understood', async () => {
    expect(await sluice('cost', 'counting', '--from', folder)).toMatchObject({ exitCode: 2 });
  });

  test('of a folder with two jobs names both', async () => {
    const manifest = manifestOf(planOf(), { checkpoint: 1 }, () => ({}));
    const other = 'f'.repeat(32) as typeof job;
    fileIn('chk-1-1', encodeManifest(manifest));
    const shardsOfOther = manifest.shards.map((shard) => ({ ...shard, job: other }));
    fileIn('more/chk-1-1', encodeManifest({ ...manifest, job: other, jobName: 'another', shards: shardsOfOther }));
    expect((await sluice('cost', '--from', folder)).err).toContain('holds checkpoints of 2 jobs');
  });
});
