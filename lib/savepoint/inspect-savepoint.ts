/** What is in a savepoint, for people and scripts: operators, states, how rows spread over key groups, and some of the rows themselves. */
import type { KeyGroupRange } from '../model/key-group-range.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { decodeKeyedRows } from './keyed-file.ts';
import { openSavepoint } from './open-savepoint.ts';
import type { OperatorSummary, SavepointMetadata } from './savepoint-metadata.ts';
import { readChecked } from './validate-savepoint.ts';
import { parseJson } from '../base/parse-json.ts';

export interface StateReport {
  readonly state: string;
  readonly rows: number;
  /** Of the text of keys and values, before compression. */
  readonly characters: number;
  readonly samples: readonly { readonly key: unknown; readonly namespace: string; readonly value: unknown }[];
}

export interface OperatorReport extends OperatorSummary {
  readonly state: readonly StateReport[];
  readonly keyGroups: readonly { readonly range: KeyGroupRange; readonly rows: number }[];
  readonly splits: number;
  readonly operatorStates: Readonly<Record<string, number>>;
}

export interface Inspection {
  readonly location: string;
  readonly metadata: Omit<SavepointMetadata, 'operators' | 'shards' | 'files' | 'parts' | 'inFlight' | 'plan'>;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  readonly parts: { readonly count: number; readonly records: number; readonly bytes: number };
  readonly inFlight: { readonly records: number; readonly bytes: number };
  readonly operators: readonly OperatorReport[];
}

const bucketsMax = 16;

/** @throws SluiceError where a file is damaged: use `validateSavepoint` for all that is wrong */
export async function inspectSavepoint(folder: SavepointFolder, options: { readonly samplesPerState: number }): Promise<Inspection> {
  const whole = await openSavepoint(folder);
  const { operators, shards, files, parts, inFlight = [], plan: _, ...metadata } = whole;
  const reports: OperatorReport[] = [];
  for (const operator of operators) {
    const collected = new Collected(operator.maxParallelism, options.samplesPerState);
    for (const file of files.filter((candidate) => candidate.operator === operator.uid)) {
      collected.add(decodeKeyedRows(file, await readChecked(folder, file), operator.maxParallelism));
    }
    const own = shards.filter(({ uid }) => uid === operator.vertex);
    reports.push({
      ...operator,
      state: collected.states(),
      keyGroups: operator.rows === 0 ? [] : collected.histogram(),
      splits: operator.uid === operator.vertex ? own.reduce((sum, { splits }) => sum + Object.keys(splits ?? {}).length, 0) : 0,
      operatorStates: itemsByState(own, operator),
    });
  }
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    location: folder.location,
    metadata,
    files: files.length + inFlight.length,
    rows: sum(files.map(({ rows }) => rows)),
    bytes: sum([...files, ...parts, ...inFlight].map(({ bytes }) => bytes)),
    parts: { count: parts.length, records: sum(parts.map(({ part }) => part.records)), bytes: sum(parts.map(({ bytes }) => bytes)) },
    inFlight: { records: sum(inFlight.map(({ rows }) => rows)), bytes: sum(inFlight.map(({ bytes }) => bytes)) },
    operators: reports,
  };
}

function itemsByState(shards: SavepointMetadata['shards'], { uid }: OperatorSummary): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { operatorStates } of shards) {
    for (const [name, { items }] of Object.entries(operatorStates[uid] ?? {})) counts[name] = (counts[name] ?? 0) + items.length;
  }
  return counts;
}

/** Counts of one operator's rows; memory is bounded by the number of states and of buckets. */
class Collected {
  readonly #maxParallelism: number;
  readonly #samplesMax: number;
  readonly #buckets: number[];
  readonly #states = new Map<string, { rows: number; characters: number; samples: StateReport['samples'][number][] }>();

  constructor(maxParallelism: number, samplesMax: number) {
    this.#maxParallelism = maxParallelism;
    this.#samplesMax = samplesMax;
    this.#buckets = new Array<number>(Math.min(bucketsMax, maxParallelism)).fill(0);
  }

  add(rows: readonly BaseRow[]): void {
    for (const { state, key, keyGroup, namespace, value } of rows) {
      this.#buckets[Math.floor((keyGroup * this.#buckets.length) / this.#maxParallelism)]!++;
      let counts = this.#states.get(state);
      if (counts === undefined) this.#states.set(state, (counts = { rows: 0, characters: 0, samples: [] }));
      counts.rows++;
      counts.characters += key.length + namespace.length + value.length;
      if (counts.samples.length < this.#samplesMax) counts.samples.push({ key: parseJson(key), namespace, value: parseJson(value) });
    }
  }

  states(): readonly StateReport[] {
    return [...this.#states].map(([state, counts]) => ({ state, ...counts })).sort((a, b) => (a.state < b.state ? -1 : 1));
  }

  histogram(): OperatorReport['keyGroups'] {
    const count = this.#buckets.length;
    return this.#buckets.map((rows, index) => ({
      range: {
        start: Math.ceil((index * this.#maxParallelism) / count),
        end: Math.ceil(((index + 1) * this.#maxParallelism) / count) - 1,
      },
      rows,
    }));
  }
}
