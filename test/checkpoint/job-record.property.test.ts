import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completeCheckpoint, commitStopped, markPublished, unpublished } from '../../lib/checkpoint/completion.ts';
import { beginCancel, finishJob } from '../../lib/checkpoint/job-ending.ts';
import { noteDirty } from '../../lib/checkpoint/job-progress.ts';
import { abortCheckpoint } from '../../lib/checkpoint/abort.ts';
import { numberCheckpoint } from '../../lib/checkpoint/pending-checkpoint.ts';
import { pinCheckpoint, unpin } from '../../lib/checkpoint/pins.ts';
import { restore, stopFallback } from '../../lib/checkpoint/restoration.ts';
import type { Transition } from '../../lib/checkpoint/transition.ts';
import type { CheckpointKind, JobRecord } from '../../lib/model/job-record.ts';
import { recordOf, settings as defaults } from './fixture.ts';

type Values = ReadonlyMap<string, number>;

interface Delta {
  readonly epoch: number;
  readonly rows: Values;
}

/** One shard with a base, as the runtime has it, beside a ghost that remembers what every checkpoint really was. */
class Model {
  record: JobRecord = recordOf();
  readonly numbers: number[] = [];
  readonly base = new Map<string, { readonly value: number; readonly epoch: number }>();
  deltas: readonly Delta[] = [];
  current = new Map<string, number>();
  changed = new Map<string, number>();
  readonly manifests = new Map<number, readonly Delta[]>();
  readonly ghost = new Map<number, Values>();
  /** A shard of an older attempt, asleep with what it knew. */
  zombie: { readonly deltas: readonly Delta[]; readonly floor: number } = { deltas: [], floor: 0 };
  clock = 1_000;
  readonly settings = { ...defaults, maxConcurrent: 3 };

  take<Reason extends string>(transition: Transition<Reason>): boolean {
    if (transition.outcome === 'changed') this.record = transition.record;
    return transition.outcome === 'changed';
  }

  write(key: number): void {
    const value = this.clock++;
    this.current.set(`k${key}`, value);
    this.changed.set(`k${key}`, value);
    this.take(noteDirty(this.record, Math.max(this.record.numbered + 1, this.record.firstEpoch), value));
  }

  /** Number and snapshot at once: with one shard the order is the barrier. */
  trigger(kind: CheckpointKind): void {
    const flow = `flow-${this.clock++}`;
    const before = this.record.numbered;
    if (!this.take(numberCheckpoint(this.record, { kind, flow, token: 't' }, this.settings, this.clock))) return;
    const id = this.record.numbered;
    expect(id).toBe(before + 1);
    this.numbers.push(id);
    if (this.changed.size > 0) this.deltas = [...this.deltas, { epoch: id, rows: this.changed }];
    this.changed = new Map();
    this.manifests.set(id, this.deltas);
    this.ghost.set(id, new Map(this.current));
  }

  complete(pick: number, nothingToPublish: boolean): void {
    const pending = this.record.pending[pick % Math.max(1, this.record.pending.length)];
    if (pending === undefined) return;
    const completion = { checkpoint: pending.id, manifest: `m${pending.id}`, retainedCount: this.settings.retained, nothingToPublish };
    this.take(completeCheckpoint(this.record, completion, this.clock++));
    // A second try finds it done.
    expect(completeCheckpoint(this.record, completion, this.clock).outcome).toBe('unchanged');
  }

  abort(pick: number): void {
    const pending = this.record.pending[pick % Math.max(1, this.record.pending.length)];
    if (pending !== undefined) this.take(abortCheckpoint(this.record, pending.id, 'CHECKPOINT_EXPIRED', this.clock++));
  }

  publish(): void {
    const [next] = unpublished(this.record);
    if (next !== undefined) this.take(markPublished(this.record, next.id, this.settings.retained, this.clock++));
  }

  restore(pick: number): void {
    const held = [...this.record.retained.map(({ id }) => id), ...this.record.pins.map(({ checkpoint }) => checkpoint)];
    const target = held.length === 0 ? null : held[pick % held.length]!;
    this.restoreTo(target);
  }

  restoreTo(target: number | null): void {
    const stale = { deltas: this.deltas, floor: this.record.floor };
    const wanted = target === null ? ({ kind: 'newest' } as const) : ({ kind: 'chosen', publishedSeen: this.record.published } as const);
    const restoration = { checkpoint: target, wanted, fromAttempt: this.record.attempt, descriptor: 'd', plan: 'p', planHash: 'h' };
    if (!this.take(restore(this.record, restoration, this.clock++))) return;
    expect(restore(this.record, restoration, this.clock).outcome).toBe('refused');
    this.zombie = stale;
    this.deltas = target === null ? [] : this.manifests.get(target)!;
    this.current = new Map(target === null ? [] : this.ghost.get(target));
    this.changed = new Map();
  }

  stop(pick: number): void {
    const pin = this.record.pins.find(({ kind }) => kind === 'stop-savepoint');
    if (pin === undefined) return;
    if (pick % 2 === 0) return this.restoreTo(stopFallback(this.record, pin.flow, pick % 4 === 0));
    this.take(
      commitStopped(this.record, { checkpoint: pin.checkpoint, attempt: this.record.attempt }, this.settings.retained, this.clock++),
    );
  }

  advance(deltas: readonly Delta[], floor: number): readonly Delta[] {
    const ready = deltas.filter(({ epoch }) => epoch <= floor);
    for (const { epoch, rows } of ready) {
      for (const [key, value] of rows) if ((this.base.get(key)?.epoch ?? 0) <= epoch) this.base.set(key, { value, epoch });
    }
    return deltas.filter((delta) => !ready.includes(delta));
  }

  /** Every checkpoint that is held can be read, and is what it was. */
  check(): void {
    const held = [...this.record.retained.map(({ id }) => id), ...this.record.pins.map(({ checkpoint }) => checkpoint)];
    for (const id of held) {
      const seen = new Map([...this.base].map(([key, { value }]) => [key, value]));
      for (const { rows } of this.manifests.get(id)!) for (const [key, value] of rows) seen.set(key, value);
      expect(new Map([...seen].sort()), `checkpoint ${id}, floor ${this.record.floor}`).toEqual(new Map([...this.ghost.get(id)!].sort()));
    }
    expect(new Set(this.numbers).size).toBe(this.numbers.length);
    expect(this.record.published <= this.record.numbered).toBe(true);
  }
}

/** Often what happens often. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('write'), fc.nat(4)) },
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('checkpoint', 'complete', 'complete', 'publish'), fc.nat(9)) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('advance', 'zombie'), fc.nat(9)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('savepoint', 'abort', 'unpin', 'pin', 'restore'), fc.nat(9)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('stop-savepoint', 'stop', 'end'), fc.nat(9)) },
);

function apply(model: Model, [action, pick]: readonly [string, number]): void {
  const { record } = model;
  if (action === 'write') model.write(pick);
  else if (action === 'checkpoint' || action === 'savepoint' || action === 'stop-savepoint') model.trigger(action);
  else if (action === 'complete') model.complete(pick, pick % 3 === 0);
  else if (action === 'publish') model.publish();
  else if (action === 'abort') model.abort(pick);
  else if (action === 'restore') model.restore(pick);
  else if (action === 'stop') model.stop(pick);
  else if (action === 'advance') model.deltas = model.advance(model.deltas, record.floor);
  else if (action === 'zombie') model.advance(model.zombie.deltas, model.zombie.floor);
  else if (action === 'unpin') {
    const exports = record.pins.filter(({ kind }) => kind !== 'stop-savepoint');
    if (exports.length > 0) model.take(unpin(record, exports[pick % exports.length]!.flow, model.clock++));
  } else if (action === 'pin' && record.pins.length < 3) {
    const held = record.retained[pick % Math.max(1, record.retained.length)];
    if (held !== undefined) model.take(pinCheckpoint(record, held.id, `pin-${model.clock++}`, model.clock));
  } else if (action === 'end' && pick === 0) {
    model.take(
      pick % 2 === 0
        ? finishJob(record, { checkpoint: record.completed, attempt: record.attempt }, model.clock++)
        : beginCancel(record, model.clock++),
    );
  }
}

test('whatever happens to a job, its floor never falls, no number is given twice, and every checkpoint that is held stays readable', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
      const model = new Model();
      let floor = 0;
      for (const one of steps) {
        apply(model, one);
        model.check();
        expect(model.record.floor).toBeGreaterThanOrEqual(floor);
        ({ floor } = model.record);
      }
    }),
    { numRuns: 600 },
  );
});

test('the model would notice a base that passes the floor', () => {
  const broken = (): void =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 120 }), (steps) => {
        const model = new Model();
        for (const one of steps) {
          apply(model, one);
          if (one[0] === 'advance') model.deltas = model.advance(model.deltas, model.record.numbered);
          model.check();
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  expect(broken).toThrowError();
});
