/** What a deployment does to a job that runs: it is refused before anything changes, or it goes through under load. */
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compareLines } from '../../examples/flights/expected-compare.ts';
import { computeExpected } from '../../examples/flights/expected-compute.ts';
import { region } from '../../localstack/emulator.ts';
import { describeDeployed, type Deployed } from './deployed.ts';
import { every150th } from './flights/every-150th.ts';
import { bucket, jobApi, publishedLines, putFiles } from './flights/flights-world.ts';
import { unshownReasons } from './granted/compare-grants.ts';
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
/** Small steps: it is to run on while two deployments come. The last version takes its own. */
const atWork = { ...context, recordsPerCommit: '40' };
const flights = every150th(flightsFile, 4);
const right = { missing: 0, extra: 0, duplicated: 0, firstDifferences: [] };

async function codeOf({ emulator: { endpoint } }: Deployed): Promise<readonly string[]> {
  const lambda = new LambdaClient({ endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const { Functions: functions = [] } = await lambda.send(new ListFunctionsCommand());
  return functions
    .filter(({ FunctionName: name }) => name!.includes('Operator') || name!.includes('Coordinator') || name!.includes('Api'))
    .map(({ FunctionName: name, CodeSha256: code, Environment: environment }) => `${name} ${code} ${JSON.stringify(environment)}`)
    .sort();
}

describeDeployed(
  'the flights job, deployed anew while it runs',
  { app, context: atWork, before: async (emulator) => putFiles(emulator, 'in', (await flights).files) },
  (deployed) => {
    test('is not touched by a deployment whose plan has no place for its state: every reason is named', { timeout: 180_000 }, async () => {
      const api = jobApi(deployed());
      await api.untilState('RUNNING');
      const before = await codeOf(deployed());
      expect(before.length).toBeGreaterThan(5);
      const refused = deployed().deployAgain({ context: { ...atWork, job: 'test/deployed/flights/incompatible-version.ts' } });
      await expect(refused).rejects.toThrow(/SLUICE-REFUSED[^]*daily[^]*seasons/);
      expect(await codeOf(deployed())).toEqual(before);
      expect(await api.call('GET', '')).toMatchObject({ body: { state: 'RUNNING' } });
      expect(await api.call('GET', '/checkpoints')).toMatchObject({ body: { counts: { restored: 0 } } });
    });

    test(
      'goes on under a version with another operator and parallelism, and every line is there exactly once',
      { timeout: 300_000 },
      async () => {
        const api = jobApi(deployed());
        await deployed().deployAgain({ context: { ...context, parallelism: '2', job: 'test/deployed/flights/next-version.ts' } });
        // It ended with a restore of the newest checkpoint; the deployment has waited for it.
        expect(await api.call('GET', '/checkpoints')).toMatchObject({ body: { counts: { restored: 1 } } });
        expect(JSON.stringify((await api.call('GET', '')).body)).toContain('unchanged');
        await api.untilState('FINISHED');
        const expected = await computeExpected((await flights).batches);
        const { emulator } = deployed();
        expect(compareLines(expected.daily, await publishedLines(emulator, 'out/daily'))).toEqual(right);
        expect(compareLines(expected.seasons, await publishedLines(emulator, 'out/seasons'))).toEqual(right);
      },
    );

    test('shows the use of what a deployment is granted and a run alone does not need', async () => {
      expect(await unshownReasons(deployed(), 'SluiceExamples', unusedGrants, 'test/deployed/flights-deploying.test.ts')).toEqual([]);
    });
  },
);
