/** The example, unchanged, on AWS: deployed by the CDK, stopped with a savepoint over HTTP, deployed anew, and restored from it at another parallelism. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compareLines } from '../../examples/flights/expected-compare.ts';
import { computeExpected } from '../../examples/flights/expected-compute.ts';
import { verifyAudit } from '../../lib/model/audit-chain.ts';
import type { AuditHead, AuditRecord } from '../../lib/model/audit-record.ts';
import type { Emulator } from '../../localstack/emulator.ts';
import { describeDeployed } from './deployed.ts';
import { billedAndSeen } from './flights/billed.ts';
import { every150th } from './flights/every-150th.ts';
import { holdOne, killOne, refusedCommits, sendTwice, setVisibility } from './flights/faults.ts';
import { bucket, jobApi, publishedLines, putFiles } from './flights/flights-world.ts';
import { startByHand } from './flights/start-by-hand.ts';
import { compareGrants } from './granted/compare-grants.ts';
import { unusedGrants } from './granted/unused-grants.ts';

const flightsFile = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));
const app = 'node --conditions=sluice-source infra/app.ts';
const context = {
  input: `s3://${bucket}/in/`,
  output: `s3://${bucket}/out`,
  plainHttp: 'true',
  parallelism: '4',
  functionTimeoutSeconds: '5',
};
/** Small steps: it is to be at work while things go wrong. What comes after takes its own. */
const atWork = { ...context, recordsPerCommit: '25' };
const flights = every150th(flightsFile, 4);
/** One may be held where nothing of it is refused any more: before it has read, or behind its commit. */
const heldMax = 20;
/** Longer than the visibility that it has then, and shorter than the function may take. */
const heldMs = 2_500;
/** Five above the function's timeout (infra/operator.ts). */
const deployedVisibilitySeconds = 10;
const right = { missing: 0, extra: 0, duplicated: 0, firstDifferences: [] };

const before = async (emulator: Emulator): Promise<void> => putFiles(emulator, 'in', (await flights).files);

/** The second time with permissions enforced: what the functions do is what their roles allow. */
describe.each([false, true])('with IAM enforced: %s', (auth) => {
  const byHand = !auth;
  describeDeployed('the flights job, deployed', { app, context: atWork, auth, before }, (deployed) => {
    let savepoint: string;

    test('runs, and answers to whoever is authorised only', async () => {
      const api = jobApi(deployed());
      expect(await api.unsigned()).toBe(403);
      expect(await api.call('GET', '')).toMatchObject({ status: 200, body: { name: 'flights' } });
      expect(await api.untilState('RUNNING', 'FINISHED')).toBe('RUNNING');
    });

    test('works on while a process is killed in mid-batch, others come back from the dead, and messages come twice', async () => {
      expect(await sendTwice(deployed(), 'daily', 3)).toBeGreaterThanOrEqual(3);
      await killOne(deployed(), 'seasons');
      // Shorter than the function may take: whoever is held has lost its messages meanwhile.
      await setVisibility(deployed(), 'daily', 1);
      for (let held = 0; held < heldMax && (await refusedCommits(deployed(), 'daily')) === 0; held++)
        await holdOne(deployed(), 'daily', heldMs, (held % 5) * 15);
      expect(await refusedCommits(deployed(), 'daily')).toBeGreaterThan(0);
      // As it was deployed: what is slow on a busy machine is not to come twice.
      await setVisibility(deployed(), 'daily', deployedVisibilitySeconds);
      expect(await jobApi(deployed()).state()).toBe('RUNNING');
    });

    test('writes a savepoint over HTTP, and runs on', { timeout: 120_000 }, async () => {
      const { location } = await jobApi(deployed()).operation('/savepoints', {});
      expect(location).toMatch(/^s3:[/][/].+[/]savepoints[/]savepoint-/);
      expect(await jobApi(deployed()).state()).toBe('RUNNING');
    });

    test('stops with a savepoint in the midst of its work', { timeout: 240_000 }, async () => {
      const api = jobApi(deployed());
      const { location } = await api.operation('/stop', { drain: false }, '/savepoints');
      savepoint = String(location);
      await api.untilState('FINISHED');
      const { daily } = await computeExpected((await flights).batches);
      const { missing, extra, duplicated } = compareLines(daily, await publishedLines(deployed().emulator, 'out/daily'));
      // Not done yet, and nothing wrong.
      expect(missing).toBeGreaterThan(0);
      expect([extra, duplicated]).toEqual([0, 0]);
    });

    test(
      'goes on as a new version, at half the parallelism, from that savepoint, and every line is there exactly once',
      { timeout: 420_000 },
      async () => {
        // Once by the deployment, once by whoever asks for the restore.
        const deployedAt = byHand ? '4' : '2';
        await deployed().deployAgain({ context: { ...context, parallelism: deployedAt, job: 'test/deployed/flights/next-version.ts' } });
        const api = jobApi(deployed());
        // A deployment of a job that has ended does not start it.
        expect(await api.state()).toBe('FINISHED');
        if (byHand) {
          const dry = await startByHand(deployed(), 'restore', { savepoint, parallelism: 2, dryRun: true });
          expect(dry).toMatchObject({ status: 'SUCCEEDED', output: { preview: { ok: true, reasons: [] } } });
          expect(await startByHand(deployed(), 'restore', { savepoint, parallelism: 2 })).toMatchObject({ status: 'SUCCEEDED' });
        } else {
          const dry = await api.call('POST', '/restore', { savepoint, dryRun: true });
          expect(dry).toMatchObject({ status: 200, body: { ok: true, reasons: [] } });
          expect(await api.operation('/restore', { savepoint })).toEqual({ attempt: 2 });
        }
        const { vertices } = (await api.call('GET', '')).body as { readonly vertices: readonly { readonly parallelism: number }[] };
        expect(Math.max(...vertices.map(({ parallelism }) => parallelism))).toBe(2);
        await api.untilState('FINISHED');
        const expected = await computeExpected((await flights).batches);
        const { emulator } = deployed();
        expect(compareLines(expected.daily, await publishedLines(emulator, 'out/daily'))).toEqual(right);
        expect(compareLines(expected.seasons, await publishedLines(emulator, 'out/seasons'))).toEqual(right);
      },
    );

    test('is shown beside all jobs, with who has changed it: one whole chain of records', async () => {
      const api = jobApi(deployed());
      expect(await api.overview()).toMatchObject({ status: 200, body: { jobs: [{ name: 'flights', state: 'FINISHED' }] } });
      const { records, head } = (await api.call('GET', '/audit')).body as unknown as { records: readonly AuditRecord[]; head: AuditHead };
      expect(verifyAudit(records, [head])).toMatchObject({ problem: null, withoutOutcome: [] });
      const asked = records.flatMap((record) => (record.kind === 'asked' ? [record] : []));
      const whoAndWhat = asked.map(({ who, request }) => `${who.split(':')[2]} ${request.path.split('/').at(-1)}`);
      // A dry run of the flow changes nothing, and leaves none.
      const restores = byHand ? ['states restore'] : ['iam restore', 'iam restore'];
      expect(whoAndWhat).toEqual(['iam savepoints', 'iam stop', ...restores]);
    });

    test('may do what it did, and no more than what is used or has a reason', async () => {
      expect(await compareGrants(deployed(), 'SluiceExamples', unusedGrants)).toEqual({
        usedAndNotGranted: [],
        unusedWithoutReason: [],
        reasonsForNothing: [],
      });
    });

    test('has checkpoints whose bills add up to what the server saw of its functions', async () => {
      const { billed, seen, byOperation } = await billedAndSeen(deployed());
      expect(Math.abs(billed / seen - 1), JSON.stringify(byOperation)).toBeLessThanOrEqual(0.05);
    });
  });
});
