import { limits } from '../base/limits.ts';
import type { JobPlan, PlannedEdge, PlannedOperator, PlannedVertex } from '../model/job-plan.ts';
import type { PlanWarning } from './plan-warnings.ts';

export function explainText(plan: JobPlan, planHash: string, warnings: readonly PlanWarning[]): string {
  const sections = [
    [`job ${plan.name}, plan ${planHash.slice(0, 12)}`, ...aligned(Object.entries(plan.parameters), '  ')],
    ...plan.vertices.map((vertex) => [vertexLine(vertex), ...aligned(vertex.operators.map(operatorRow), '  ')]),
    plan.edges.length === 0
      ? []
      : [
          'channels',
          ...aligned(
            plan.edges.map((edge) => edgeRow(plan, edge)),
            '  ',
          ),
        ],
    warnings.flatMap(({ where, message, hint }) => [`warning: ${where}: ${message}.`, `  ${hint}`]),
  ];
  const blocks = sections.filter((lines) => lines.length > 0).map((lines) => `${lines.join('\n')}\n`);
  return blocks.join('\n');
}

function vertexLine({ uid, parallelism, maxParallelism, maxParallelismDerived }: PlannedVertex): string {
  return `${uid}: ${counted(parallelism, 'shard')}, ${maxParallelism} key groups${maxParallelismDerived ? '' : ' (fixed)'}`;
}

function operatorRow({ uid, kind, name, states, links, connector, onError }: PlannedOperator): string[] {
  const named = states.filter((state) => state.kind !== 'timers').map((state) => state.name);
  const notes = [
    ...(connector === undefined ? [] : [connector.guarantee]),
    ...(onError === undefined ? [] : ['sets aside what it fails at']),
    ...(named.length === 0 ? [] : [`state ${named.join(', ')}`]),
    ...(named.length === states.length ? [] : ['timers']),
    ...links.filter(({ output }) => output !== '').map(({ from, output }) => `reads ${output} of ${from}`),
  ];
  return [uid, kind, name === kind ? '' : name, notes.join('; ')];
}

function edgeRow(plan: JobPlan, edge: PlannedEdge): string[] {
  const { operator, output, to, input, partitioner } = edge;
  const inputs = plan.edges.filter((other) => other.to === to).some((other) => other.input > 0);
  return [
    output === '' ? operator : `${operator} (${output})`,
    partitioner,
    `→ ${to}${inputs ? ` (input ${input + 1})` : ''}`,
    bufferNote(edge),
  ];
}

/** Only what is not the default. */
function bufferNote({ bufferTimeoutMs, envelopeBytes }: PlannedEdge): string {
  return [
    ...(bufferTimeoutMs === undefined ? [] : [`buffer timeout ${bufferTimeoutMs} ms`]),
    ...(envelopeBytes === limits.envelopeBytesTarget ? [] : [`buffer size ${envelopeBytes} bytes`]),
  ].join(', ');
}

/** Columns as wide as their widest cell, two blanks between them, none at the end of a line. */
function aligned(rows: readonly (readonly string[])[], indent: string): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => (indent + row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')).trimEnd());
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
