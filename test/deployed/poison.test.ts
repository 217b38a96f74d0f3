/**
 * Each kind of poison of reliability.md §4 into a deployed job: nobody else waits longer than the policy says, none is lost, each shows its reason, and can be
 * replayed. The rows stand in tables in the folder beside this file; here is what is done with them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeDeployed } from './deployed.ts';
import { bucket, putFiles } from './flights/flights-world.ts';
import { elsewhere } from './poison/elsewhere.ts';
import { forgedEvents, forgedMessages, newerEnvelope } from './poison/forged.ts';
import { Healthy, keyOfShard } from './poison/healthy.ts';
import { metricsIn } from './poison/log-lines.ts';
import { becameOf, until, withLines } from './poison/outcomes.ts';
import { poisonWorld, type PoisonWorld } from './poison/poison-world.ts';
import { afterwards, poisonedFile, recordPoisons, type RecordPoison } from './poison/records.ts';
import { badRequests, closedRoutes } from './poison/requests.ts';
import { badSavepoints, damagedCopy } from './poison/savepoints.ts';

const app = 'node --conditions=sluice-source test/deployed/poison-app/app.ts';
const functionTimeoutSeconds = 5;
const context = { input: `s3://${bucket}/in/`, output: `s3://${bucket}/out`, functionTimeoutSeconds: String(functionTimeoutSeconds) };
/** Five above the function's timeout (infra/operator.ts). */
const visibilityMs = (functionTimeoutSeconds + 5) * 1_000;
/** A busy machine, and the second that the emulator waits after each batch that failed. */
const promptMs = 30_000;
/** What ends a process does it once unsuspected and three times alone (lib/runtime/careful.ts); then it is known. */
const deaths = 4;
const patience = { timeout: 180_000 };
const deadly = [
  { row: 5, what: 'a function that never returns', key: keyOfShard(0, 'hang'), act: 'hang', to: 'endless' },
  { row: 5, what: 'a function that takes all memory', key: keyOfShard(1, 'memory'), act: 'memory', to: 'greedy' },
] as const;

describeDeployed(
  'poison in a deployed job',
  { app, context, before: (emulator) => putFiles(emulator, 'in', [poisonedFile()]) },
  (deployed) => {
    let world: PoisonWorld;
    let savepoint = '';
    const light = new Healthy();
    const beside = { endless: new Healthy(), greedy: new Healthy() };

    const send = async ({ row, through, texts, becomes }: RecordPoison): Promise<void> => {
      if (through === 'file') return;
      const [first, last] = [light.texts(row), light.texts(row)];
      if (through === 'queue') for (const text of texts) await world.send(String(text));
      const isRefused = becomes.kind === 'refused';
      if (isRefused) {
        const answer = await world.post(withLines(texts));
        const { code } = (await answer.json()) as { readonly code: string };
        expect([answer.status, code], `row ${row}`).toEqual([becomes.status, becomes.code]);
      }
      const taken = await world.post(withLines([...first, ...(isRefused || through === 'queue' ? [] : texts), ...last]));
      expect(taken.status, `row ${row}`).toBe(202);
    };

    test('is sent, with healthy records of other keys around each', patience, async () => {
      world = poisonWorld(deployed());
      for (const poison of recordPoisons) await send(poison);
      for (const { queue, group, text } of forgedMessages) await world.forge(queue, group, text(world.job));
      await world.forge('windows', '0.999', newerEnvelope(world.job));
      await world.post(withLines([...light.texts(1), ...light.texts(2), ...light.texts(36)]));
    });

    describe('as a record', () => {
      test.each(recordPoisons)('row $row: $what', patience, async ({ becomes }) => {
        await until(() => becameOf(world, becomes));
      });

      test('row 18: sent twice under one key, counts once; row 19: what says something else under it, is set aside', patience, async () => {
        const text = withLines(light.texts(18));
        const post = async (content: Buffer) => (await world.post(content, { 'idempotency-key': 'twice' })).status;
        expect([await post(text), await post(text)]).toEqual([202, 202]);
        expect(await post(withLines(['{"key":"other","n":1}']))).toBe(202);
        await until(() => becameOf(world, { kind: 'letter', operator: 'clicks', code: 'SLUICE-INTAKE-CONFLICT', says: /something else/ }));
      });
    });

    describe('past everybody', () => {
      test.each(forgedMessages)('row $row: $what', patience, async ({ queue, says, text }) => {
        const name = queue.replace('#', '');
        const isIt = (line: Readonly<Record<string, unknown>>) => String(line['queue']).includes(name) && says.test(String(line['reason']));
        const found = await until(async () => (await world.strange()).find(isIt));
        // As it came, so that whoever sent it can send it where it belongs.
        if (!String(text(world.job)).includes('random')) expect(found['text']).toEqual(expect.any(String));
      });

      test.each(forgedEvents)('row $row: $what', patience, async ({ function: name, event, answers }) => {
        expect((await world.invoke(name, event)).answer).toMatch(answers);
      });
    });

    test('rows 33 and 34: savepoints asked for at once and asked for again are one each', patience, async () => {
      const [first, second] = ['a', 'b'].map((digit) => digit.repeat(32)) as [string, string];
      const ask = (triggerId: string) => world.call('POST', '/savepoints', { triggerId });
      const asked = await Promise.all([first, first, second].map(ask));
      expect(asked.map(({ status }) => status)).toEqual([202, 202, 202]);
      const locations = await Promise.all([first, second].map((triggerId) => until(() => world.locationOf(triggerId))));
      expect(new Set(locations).size).toBe(2);
      savepoint = locations[0]!;
    });

    test('row 5: what ends the process is sent too', patience, async () => {
      for (const { row, key, act, to } of deadly) {
        const healthy = () => beside[to].texts(row, { to });
        for (const text of [...healthy(), JSON.stringify({ key, n: 1, act, to }), ...healthy()]) await world.send(text);
      }
    });

    describe('as a savepoint', () => {
      test.each(badSavepoints)('row $row: $what', patience, async ({ row, what, damage, says }) => {
        const location = await damagedCopy(world, savepoint, `${row}-${what.replaceAll(/\W/g, '-')}`, damage);
        const { body } = await world.call('POST', '/restore', { savepoint: location, dryRun: true });
        expect(body, JSON.stringify(body)).toMatchObject({ ok: false });
        expect((body['reasons'] as readonly string[]).join('; ')).toMatch(says);
      });

      test('row 27: in somebody else’s bucket', async () => {
        const { status, body } = await world.call('POST', '/restore', { savepoint: 's3://somebody-elses/savepoint-1', dryRun: true });
        expect([status, body]).toMatchObject([200, { ok: false }]);
      });

      test('is whole beside them', async () => {
        const { body } = await world.call('POST', '/restore', { savepoint, dryRun: true });
        expect(body).toMatchObject({ ok: true, reasons: [] });
      });
    });

    describe('as a request', () => {
      test.each(badRequests)('row $row: $what', patience, async ({ method, path, body, status, code }) => {
        const answer = await world.request(method, path, body);
        expect([answer.status, answer.headers.get('sluice-error-code')]).toEqual([status, code]);
        expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
        expect(await answer.text()).not.toMatch(/node_modules|\.ts:\d+/);
      });

      test('row 35: without a signature', async () => {
        for (const [method, path] of closedRoutes) expect(await world.unsigned(method, path), `${method} ${path}`).toBe(403);
      });
    });

    describe('that ends the process', () => {
      test.each(deadly)('row $row: $what', patience, async ({ key, to }) => {
        const isIt = ({ record }: { readonly record?: unknown }) => (record as { readonly key?: unknown } | undefined)?.key === key;
        const letter = await until(async () => (await world.letters()).find(isIt), 170_000);
        expect(letter).toMatchObject({ operator: to, code: 'SLUICE-PROCESS-ENDED' });
      });

      test.each(deadly)('lets the other keys of its shard wait as long as the policy says: $what', patience, async ({ to }) => {
        const problems = async () => beside[to].problems(await world.published(to), () => deaths * visibilityMs + promptMs);
        await until(async () => ((await problems()).length === 0 ? true : undefined)).catch(() => undefined);
        expect(await problems()).toEqual([]);
      });
    });

    test('is processed when what was wrong has been corrected, each once', patience, async () => {
      for (const uid of ['work', 'endless', 'greedy']) await world.correct(uid);
      const letters = await world.letters();
      // As `sluice dead-letters --records` gives them: what came, or what its sender has made of it.
      const again = letters
        .filter(({ operator, code }) => operator === 'work' && code === 'SLUICE-USER-CODE')
        .map(({ record }) => JSON.stringify(record));
      const ended = letters.filter(({ code }) => code === 'SLUICE-PROCESS-ENDED').map(({ record }) => JSON.stringify(record));
      const corrected = recordPoisons.flatMap(({ corrected: text }) => (text === undefined || text === 'again' ? [] : [text]));
      expect([again.length, ended.length]).toEqual([3, deadly.length]);
      expect((await world.post(withLines([...again, ...corrected]))).status).toBe(202);
      for (const text of ended) await world.send(text);
      for (const text of [...again, ...corrected, ...ended]) {
        const { key } = JSON.parse(text) as { readonly key: string };
        const lines = await until(async () => {
          const branches = await Promise.all(['work', 'endless', 'greedy'].map(world.published));
          const found = branches.flat().filter((line) => line['key'] === key);
          return found.length > 0 ? found : undefined;
        });
        // State and output are as if it had come now for the first time.
        expect(lines, text).toMatchObject([{ seen: 1 }]);
      }
    });

    test.each(afterwards)('row $row: $what', patience, async ({ texts, becomes }) => {
      await world.post(withLines(texts));
      await until(() => becameOf(world, becomes));
    });

    test('row 2: of a newer version waits in its queue until somebody can read it', async () => {
      expect(await world.waiting('windows')).toBeGreaterThan(0);
    });

    test('leaves every healthy record where it belongs, once, in order and in time', patience, async () => {
      const problems = async () => light.problems(await world.published('work'), () => promptMs);
      await until(async () => ((await problems()).length === 0 ? true : undefined)).catch(() => undefined);
      expect(await problems()).toEqual([]);
      expect(await world.state()).toBe('RUNNING');
      expect((await world.call('GET', '/exceptions')).body).toMatchObject({ exceptionHistory: { entries: [] } });
    });

    test('is counted for the alarm, and row 40: a log has one line for each message', patience, async () => {
      const lines = (await Promise.all(['work', 'endless', 'greedy'].map((uid) => world.logOf(`Operator${uid}`)))).flat();
      expect(metricsIn(lines, 'deadLetters')).toBeGreaterThanOrEqual(7);
      expect(lines.filter((line) => line.startsWith('{"level":"ERROR","message":"forged"'))).toEqual([]);
    });
  },
);

test.each(elsewhere)('poison of row $row is shown in $file: $why', ({ file, test: name }) => {
  expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8')).toContain(name);
});

test('each of the 40 rows has its place', () => {
  const tables = [recordPoisons, afterwards, forgedMessages, forgedEvents, badSavepoints, badRequests, deadly, elsewhere];
  const rows = new Set([...tables.flatMap((table) => table.map(({ row }) => row)), 2, 18, 19, 27, 33, 34, 35]);
  expect([...rows].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(elsewhere.length).toBeLessThanOrEqual(8);
});
