/** A job's own connectors, replaced: what its sources would read is in memory, and what its sinks publish is kept by sink. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { SluiceError } from '../../base/errors.ts';
import { intakeConnector } from '../../model/intake.ts';
import type { ConnectorSpec, JobPlan, PlannedOperator } from '../../model/job-plan.ts';
import { isSourceVertex } from '../../model/job-plan.ts';
import type { MalformedRecord, SinkCommitter, SplitReader } from '../../ports/connectors.ts';

/** What a split gives, one after the other. */
type Loaded = { readonly value: unknown } | { readonly malformed: MalformedRecord };

/** The first records of every split of every source that looks for its input itself. */
export async function loadSources(
  plan: JobPlan,
  readers: Readonly<Record<string, SplitReader>>,
  recordsMax: number,
): Promise<Readonly<Record<string, SplitReader>>> {
  const loaded = new Map<string, Map<string, readonly Loaded[]>>();
  const pulled = sourcesOf(plan).filter(({ connector }) => connector !== intakeConnector);
  for (const spec of pulled) {
    const reader = readers[spec.connector];
    if (reader === undefined) throw unknownConnector(spec, Object.keys(readers));
    const splits = new Map<string, readonly Loaded[]>();
    for (const split of await reader.splits(spec)) splits.set(split, await loadSplit(reader, spec, split, recordsMax));
    loaded.set(canonicalJson(spec), splits);
  }
  const reader = memoryReader(loaded);
  return Object.fromEntries(pulled.map(({ connector }) => [connector, reader]));
}

function sourcesOf(plan: JobPlan): readonly ConnectorSpec[] {
  return plan.vertices.filter(({ uid }) => isSourceVertex(plan, uid)).map(({ operators }) => operators[0]!.connector!);
}

async function loadSplit(reader: SplitReader, spec: ConnectorSpec, split: string, recordsMax: number): Promise<readonly Loaded[]> {
  const loaded: Loaded[] = [];
  for (let position: unknown = null; loaded.length < recordsMax;) {
    const read = await reader.read(spec, split, position, { recordsMax: recordsMax - loaded.length });
    const { values, malformed = [], ended } = read;
    loaded.push(...values.map((value) => ({ value })), ...malformed.map((one) => ({ malformed: one })));
    // A source that has nothing yet may never have.
    if (ended || values.length + malformed.length === 0) break;
    position = read.position;
  }
  return loaded;
}

function unknownConnector({ connector }: ConnectorSpec, known: readonly string[]): SluiceError {
  return new SluiceError('SLUICE-CONNECTOR-UNKNOWN', `there is no source connector ${connector} to simulate the job with`, {
    hint: `Give its reader as \`sources\` to simulate(). There are: ${known.join(', ')}.`,
    facts: { connector },
  });
}

function memoryReader(loaded: ReadonlyMap<string, ReadonlyMap<string, readonly Loaded[]>>): SplitReader {
  return {
    splits: async (spec) => [...loaded.get(canonicalJson(spec))!.keys()],
    read: async (spec, split, position, { recordsMax }) => {
      const all = loaded.get(canonicalJson(spec))!.get(split)!;
      const from = (position as number | null) ?? 0;
      const to = Math.min(all.length, from + recordsMax);
      const some = all.slice(from, to);
      const malformed = some.flatMap((one) => ('malformed' in one ? [one.malformed] : []));
      return {
        values: some.flatMap((one) => ('value' in one ? [one.value] : [])),
        position: to,
        ended: to === all.length,
        ...(malformed.length === 0 ? {} : { malformed }),
      };
    },
  };
}

/** Operators whose records become visible when a checkpoint completes. */
export function sinksOf(plan: JobPlan): readonly (PlannedOperator & { readonly connector: ConnectorSpec })[] {
  const sources = new Set(sourcesOf(plan));
  return plan.vertices
    .flatMap(({ operators }) => operators)
    .filter((operator): operator is PlannedOperator & { connector: ConnectorSpec } => operator.connector !== undefined)
    .filter(({ connector }) => !sources.has(connector));
}

/** The name under which `collect` keeps what a sink publishes, whatever kind of sink it is. */
export function sinkName(spec: ConnectorSpec): string {
  return canonicalJson([spec.connector, spec.options]);
}

export function keptBySink(collect: SinkCommitter): SinkCommitter {
  const asCollect = (spec: ConnectorSpec): ConnectorSpec => ({ ...spec, options: { name: sinkName(spec) } });
  return {
    locate: (spec, name) => collect.locate(asCollect(spec), name),
    stage: (spec, name, records) => collect.stage(asCollect(spec), name, records),
    publish: (spec, ...rest) => collect.publish(asCollect(spec), ...rest),
    discardAbove: (spec, ...rest) => collect.discardAbove(asCollect(spec), ...rest),
    exportPart: (spec, part) => collect.exportPart(asCollect(spec), part),
    importPart: (spec, ...rest) => collect.importPart(asCollect(spec), ...rest),
  };
}
