import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { createCollectSink, type CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import { keyGroupRange } from '../../lib/model/key-group-range.ts';
import { keyGroupOf, shardOfKeyGroup } from '../../lib/model/key-group.ts';
import type { StateRow } from '../../lib/model/state-row.ts';
import { timerNamespace, timerStates } from '../../lib/model/state-row.ts';
import type { SavepointFolder } from '../../lib/ports/savepoint-folder.ts';
import { exportCheckpoint } from '../../lib/savepoint/export-checkpoint.ts';
import type { ExportPorts } from '../../lib/savepoint/export-savepoint.ts';
import { encodeDelta } from '../../lib/state/delta-rows.ts';
import { job, manifestOf } from '../checkpoint/fixture.ts';
import { counter, planOf, sink, source } from '../checkpoint/plans.ts';
import { deepFreeze } from '../contract/fixture.ts';
import { ManualTime } from '../contract/manual-time.ts';
import { tablesOfRows } from '../../lib/model/table-rows.ts';

/** A job whose state is known: the base as of epoch 1, deltas of epochs 2 and 3, and the model that they add up to. */
export class StateWorld {
  readonly time = new ManualTime();
  readonly stores: LocalStores;
  readonly collect: CollectSink = createCollectSink();
  readonly plan: JobPlan;
  readonly model = new Map<string, unknown>();
  manifest: Manifest;
  tries = 1;

  constructor(plan: JobPlan = planOf()) {
    this.plan = plan;
    const random = { hex: (digits: number) => (this.tries++).toString(16).padStart(digits, '0'), fraction: () => 0.5 };
    this.stores = createMemoryStores({ clock: this.time.clock, timers: this.time.timers, random, protect: deepFreeze });
    this.manifest = manifestOf(plan);
  }

  get counters(): { readonly parallelism: number; readonly maxParallelism: number } {
    return this.plan.vertices.find(({ uid }) => uid === counter)!;
  }

  row(key: unknown, state: string, value: unknown, options: { readonly namespace?: string; readonly deleted?: boolean } = {}): StateRow {
    const text = canonicalKey(key);
    const keyGroup = keyGroupOf(text, this.counters.maxParallelism);
    return { operator: counter, state, keyGroup, key: text, namespace: options.namespace ?? '', value, deleted: options.deleted ?? false };
  }

  apply(rows: readonly StateRow[]): void {
    for (const { state, key, namespace, value, deleted } of rows) {
      const id = `${state}|${key}|${namespace}`;
      if (deleted) this.model.delete(id);
      else this.model.set(id, value);
    }
  }

  async writeBase(rows: readonly StateRow[], epoch: number): Promise<void> {
    this.apply(rows);
    await this.stores.base.write(job, epoch, tablesOfRows(rows));
  }

  /** Delta objects of one epoch, one per shard that has rows. */
  async writeDeltas(rows: readonly StateRow[], epoch: number): Promise<ReadonlyMap<number, Manifest['shards'][number]['deltas']>> {
    this.apply(rows);
    const { parallelism, maxParallelism } = this.counters;
    const refs = new Map<number, Manifest['shards'][number]['deltas']>();
    for (const [shard, own] of Map.groupBy(rows, ({ keyGroup }) => shardOfKeyGroup(keyGroup, parallelism, maxParallelism))) {
      const key = `jobs/${job}/deltas/${counter}/${shard}/1-${epoch}-0-${this.tries++}`;
      const bytes = encodeDelta(own);
      await this.stores.objects.createIfAbsent(key, bytes);
      refs.set(shard, [
        { epoch, key, rows: own.length, bytes: bytes.length, keyGroups: keyGroupRange(shard, parallelism, maxParallelism) },
      ]);
    }
    return refs;
  }

  /** Everything a savepoint can hold: values of all kinds, a map, timers, splits, operator state, a staged part. */
  async fill(): Promise<void> {
    await this.writeBase(
      [...Array(40).keys()].map((n) => this.row(`key-${n}`, 'total', n)),
      1,
    );
    const second = await this.writeDeltas(
      [
        ...[...Array(20).keys()].map((n) => this.row(`key-${n}`, 'total', { n, at: new Date(n), big: 10n, nothing: undefined })),
        this.row('key-30', 'total', 0, { deleted: true }),
        this.row(['composite', 7], 'total', 'ünïcode \u2028 \ud800'),
        this.row('key-1', 'perDay', 5, { namespace: '"2001-01-01"' }),
      ],
      2,
    );
    const third = await this.writeDeltas(
      [
        this.row('key-3', 'total', 0, { deleted: true }),
        this.row('key-30', 'total', 'back again'),
        this.row('new', 'total', new Map([[1, 'one']])),
        this.row('key-5', timerStates.event, true, { namespace: timerNamespace(86_400_000, 'window') }),
      ],
      3,
    );
    const spec = this.plan.vertices.find(({ uid }) => uid === sink)!.operators[0]!.connector!;
    const part = await this.collect.stage(spec, { job, attempt: 1, operator: sink, checkpoint: 3, shard: 0, number: 0 }, ['late record']);
    this.manifest = manifestOf(this.plan, { checkpoint: 3, kind: 'savepoint' }, (uid, shard) => {
      if (uid === sink) return { parts: [part] };
      if (uid === source)
        return {
          splits: {
            [`split-${shard}`]: { position: { offset: shard * 10 }, ended: shard === 1, maxTimestamp: 5, activeAtMs: 9, records: 3 },
          },
        };
      return {
        deltas: [...(second.get(shard) ?? []), ...(third.get(shard) ?? [])],
        fired: [{ keyGroups: keyGroupRange(shard, this.counters.parallelism, this.counters.maxParallelism), firedUpTo: 1_000 + shard }],
        operatorStates: { [counter]: { seen: { kind: 'operator-list', items: [`"item of ${shard}"`] } } },
      };
    });
  }

  ports(folder: SavepointFolder): ExportPorts {
    const spec = this.plan.vertices.find(({ uid }) => uid === sink)!.operators[0]!.connector!;
    return {
      base: this.stores.base,
      objects: this.stores.objects,
      folder,
      readPart: (part) => this.collect.exportPart(spec, part),
      newTry: () => (this.tries++).toString(16).padStart(6, '0'),
    };
  }

  async export(folder: SavepointFolder): Promise<void> {
    await exportCheckpoint(this.ports(folder), this.manifest);
  }
}
