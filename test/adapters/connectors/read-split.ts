/** Reads splits as the runtime does: position after position, each through JSON, because that is how it is stored. */
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { MalformedRecord, SplitReader } from '../../../lib/ports/connectors.ts';

export interface Read {
  readonly values: readonly unknown[];
  readonly malformed: readonly MalformedRecord[];
}

const callsMax = 100_000;

export async function readToEnd(reader: SplitReader, source: ConnectorSpec, split: string, recordsMax = 1_000): Promise<Read> {
  const values: unknown[] = [];
  const malformed: MalformedRecord[] = [];
  let position: unknown = null;
  for (let call = 0; call < callsMax; call++) {
    const result = await reader.read(source, split, position, { recordsMax });
    if (result.values.length + (result.malformed?.length ?? 0) > recordsMax) throw new Error('more than was wanted');
    values.push(...result.values);
    malformed.push(...(result.malformed ?? []));
    position = JSON.parse(JSON.stringify(result.position)) as unknown;
    if (result.ended) return { values, malformed };
  }
  throw new Error(`no end after ${callsMax} calls`);
}

/** Split after split. */
export async function readAll(reader: SplitReader, source: ConnectorSpec, recordsMax = 1_000): Promise<Read> {
  const reads: Read[] = [];
  for (const split of await reader.splits(source)) reads.push(await readToEnd(reader, source, split, recordsMax));
  return { values: reads.flatMap(({ values }) => values), malformed: reads.flatMap(({ malformed }) => malformed) };
}
