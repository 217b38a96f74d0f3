import type { JobPlan } from '../model/job-plan.ts';

/** One box per chain, one node per operator. Ids are numbers, because a uid may be a word that Mermaid reads otherwise. */
export function explainMermaid(plan: JobPlan): string {
  const operators = plan.vertices.flatMap((vertex) => vertex.operators);
  const idOf = (uid: string): string => `n${operators.findIndex((operator) => operator.uid === uid)}`;
  const boxes = plan.vertices.flatMap(({ uid, parallelism, operators: members }, index) => [
    `  subgraph v${index}["${quoted(uid)} ×${parallelism}"]`,
    ...members.map((member) => `    ${idOf(member.uid)}["${quoted(member.uid)}<br/>${quoted(member.kind)}"]`),
    '  end',
  ]);
  const links = operators.flatMap(({ uid, links: into }) =>
    into.map(({ from, output }) => `  ${idOf(from)} -->${label(output)} ${idOf(uid)}`),
  );
  const heads = new Map(plan.vertices.map((vertex) => [vertex.uid, vertex.operators[0]!.uid]));
  const channels = plan.edges.map(
    ({ operator, output, to, partitioner }) =>
      `  ${idOf(operator)} ==>${label(output === '' ? partitioner : `${output}, ${partitioner}`)} ${idOf(heads.get(to)!)}`,
  );
  return `${['flowchart LR', ...boxes, ...links, ...channels].join('\n')}\n`;
}

function label(text: string): string {
  return text === '' ? '' : `|"${quoted(text)}"|`;
}

function quoted(text: string): string {
  return text.replaceAll('"', '#quot;').replaceAll('<', '#lt;');
}
