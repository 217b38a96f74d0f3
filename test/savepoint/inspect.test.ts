import { expect, test } from 'vitest';
import { inspectSavepoint } from '../../lib/savepoint/inspect-savepoint.ts';
import { renderInspection } from '../../lib/savepoint/render-inspection.ts';
import { counter, source } from '../checkpoint/plans.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import { StateWorld } from './fixture.ts';

test('an inspection counts rows by operator, state and key group, and shows some', async () => {
  const world = new StateWorld();
  await world.fill();
  const folder = new MemorySavepointFolders().at('it');
  await world.export(folder);
  const inspection = await inspectSavepoint(folder, { samplesPerState: 2 });
  const report = inspection.operators.find(({ uid }) => uid === counter)!;
  expect(report.state.map(({ state, rows, samples }) => [state, rows, samples.length])).toEqual([
    ['#event-timers', 1, 1],
    ['perDay', 1, 1],
    ['total', 41, 2],
  ]);
  expect(report.keyGroups.reduce((sum, { rows }) => sum + rows, 0)).toBe(43);
  expect(report.keyGroups.flatMap(({ range }) => [range.start, range.end])).toEqual(
    [...Array(16).keys()].flatMap((n) => [n * 8, n * 8 + 7]),
  );
  expect(report.operatorStates).toEqual({ seen: 3 });
  expect(inspection.operators.find(({ uid }) => uid === source)?.splits).toBe(2);
  expect(inspection).toMatchObject({ rows: 43, parts: { count: 1, records: 1 } });
  expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
  const text = renderInspection(inspection);
  expect(text).toContain('counting (0123456789abcdef0123456789abcdef)');
  expect(text).toContain('total: 41 rows');
  expect(text).toMatch(/key groups 0-7 +\d+ #+/);
  expect(text).toContain('1 parts with 1 records not yet visible');
});
