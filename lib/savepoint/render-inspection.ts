/** An inspection as text for a terminal. */
import type { Inspection, OperatorReport, StateReport } from './inspect-savepoint.ts';

const barLength = 24;
const sampleCharacters = 100;

export function renderInspection(inspection: Inspection): string {
  const { metadata, location, files, rows, bytes, parts, inFlight } = inspection;
  const lines = [
    `Savepoint  ${location}`,
    `Job        ${metadata.job.name} (${metadata.job.id})`,
    `Kind       ${metadata.kind}, checkpoint ${metadata.checkpoint}, taken at ${new Date(metadata.takenAtMs).toISOString()}`,
    `Content    ${rows} rows in ${files} files, ${bytes} bytes, format ${metadata.format}`,
    ...(parts.count === 0 ? [] : [`Output     ${parts.count} parts with ${parts.records} records not yet visible`]),
    ...(inFlight.records === 0 ? [] : [`In flight  ${inFlight.records} records between operators`]),
    ...inspection.operators.flatMap(renderOperator),
  ];
  return `${lines.join('\n')}\n`;
}

function renderOperator(operator: OperatorReport): readonly string[] {
  const { uid, kind, parallelism, maxParallelism, splits } = operator;
  const most = Math.max(1, ...operator.keyGroups.map(({ rows }) => rows));
  return [
    '',
    `${uid}  ${kind}, parallelism ${parallelism} of ${maxParallelism}${splits === 0 ? '' : `, ${splits} splits`}`,
    ...operator.state.flatMap(renderState),
    ...Object.entries(operator.operatorStates).map(([name, items]) => `  ${name}: ${items} items of operator state`),
    ...operator.keyGroups.map(({ range, rows }) => {
      const bar = '#'.repeat(Math.round((rows / most) * barLength));
      return `  key groups ${`${range.start}-${range.end}`.padEnd(11)} ${String(rows).padStart(9)} ${bar}`.trimEnd();
    }),
  ];
}

function renderState({ state, rows, characters, samples }: StateReport): readonly string[] {
  return [
    `  ${state}: ${rows} rows, ${characters} characters`,
    ...samples.map(({ key, namespace, value }) => {
      const text = `${JSON.stringify(key)}${namespace === '' ? '' : ` ${namespace}`} = ${JSON.stringify(value)}`;
      return `    ${text.length > sampleCharacters ? `${text.slice(0, sampleCharacters)}…` : text}`;
    }),
  ];
}
