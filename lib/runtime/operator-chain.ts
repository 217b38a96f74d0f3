/**
 * The operators of one vertex, wired together and opened for one shard.
 *
 * Owns: instances, wiring, operator state that is not keyed, which operator is at work (for error reports).
 * OP1. Operator state leaves as text and comes back as text: what a commit stored cannot change afterwards.
 */
import type { OperatorUid } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import type { PlannedOperator } from '../model/job-plan.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import type { OperatorStates, OperatorStateValue } from '../model/shard-record.ts';
import type { OperatorContext, OperatorRegistry, OperatorStateHandle, Output, StreamOperator } from '../operators/operator.ts';
import type { KeyedContext } from '../state/keyed-context.ts';
import { UserCodeError } from './errors.ts';
import type { OutputChannels } from './output-channels.ts';
import type { ShardTopology } from './topology.ts';

type OperatorStateKind = OperatorStateValue['kind'];

interface LiveOperatorState extends OperatorStateHandle {
  readonly kind: OperatorStateKind;
  dirty: boolean;
}

interface LiveOperator {
  readonly planned: PlannedOperator;
  /** Undefined for a source: the runtime drives it. */
  readonly operator: StreamOperator | undefined;
  readonly states: Map<string, LiveOperatorState>;
  watermark: number;
}

export interface ChainOptions {
  readonly topology: ShardTopology;
  readonly registry: OperatorRegistry;
  readonly outputs: OutputChannels;
  readonly states: OperatorStates;
  readonly keyed: KeyedContext | undefined;
}

const nowhere: Output = { emit: () => undefined };

export class OperatorChain {
  readonly #options: ChainOptions;
  readonly #operators: LiveOperator[] = [];
  readonly #sinks = new Map<OperatorUid, { records: unknown[] }>();
  #stored: OperatorStates;
  /** Uid of the operator whose code runs or has thrown. */
  active: OperatorUid;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#stored = options.states;
    this.active = options.topology.address.uid;
    for (const planned of options.topology.vertex.operators) {
      const definition = options.registry.get(planned.uid);
      invariant(definition !== undefined, 'OP0', `the code of operator ${planned.uid} is missing`, { operator: planned.uid });
      this.#operators.push({ planned, operator: definition.create?.(), states: new Map(), watermark: MIN_WATERMARK });
    }
    // Downstream first, so that whatever an operator emits in `open` meets opened operators.
    for (const live of [...this.#operators].reverse()) this.#open(live);
  }

  get #head(): LiveOperator {
    return this.#operators[0]!;
  }

  /** Where a source's records enter the chain. */
  sourceOutput(): Output {
    return this.#outputOf(this.#head.planned.uid, '');
  }

  /** Where records enter that some operator of the chain is to take. */
  entryOf(uid: OperatorUid, input: number): Output {
    const live = this.#operators.find(({ planned }) => planned.uid === uid);
    invariant(live !== undefined, 'OP0', `the chain has no operator ${uid}`, { operator: uid });
    return this.#chainedOutput(live, input);
  }

  sideOutput(uid: OperatorUid, tag: string): Output {
    return this.#outputOf(uid, tag);
  }

  /** The head, for the hot loop: call `process` on it with `active` set. */
  head(): StreamOperator {
    this.active = this.#head.planned.uid;
    return this.#head.operator!;
  }

  /** After the head's timers have fired. */
  watermark(timestamp: number): void {
    for (const live of this.#operators) {
      live.watermark = timestamp;
      this.active = live.planned.uid;
      live.operator?.watermark?.(timestamp);
    }
  }

  setWatermark(timestamp: number): void {
    for (const live of this.#operators) live.watermark = timestamp;
  }

  endOfInput(input: number): void {
    this.active = this.#head.planned.uid;
    this.#head.operator?.endOfInput?.(input);
  }

  /** All inputs of the head have ended: the rest of the chain ends in order. */
  finish(): void {
    this.#operators.forEach((live, i) => {
      this.active = live.planned.uid;
      if (i > 0) live.operator?.endOfInput?.(0);
      live.operator?.finish?.();
    });
  }

  prepareCommit(): void {
    for (const live of this.#operators) {
      this.active = live.planned.uid;
      live.operator?.prepareCommit?.();
    }
  }

  /** Operator states as they are now; the stored object itself where nothing changed. */
  states(): OperatorStates {
    let next = this.#stored;
    for (const { planned, states } of this.#operators) {
      for (const [name, state] of states) {
        if (!state.dirty) continue;
        state.dirty = false;
        const value: OperatorStateValue = { kind: state.kind, items: state.items.map(encodeValue) };
        next = { ...next, [planned.uid]: { ...next[planned.uid], [name]: value } };
      }
    }
    this.#stored = next;
    return next;
  }

  sinkRecordCount(uid: OperatorUid): number {
    return this.#sinks.get(uid)?.records.length ?? 0;
  }

  /** Records that sinks have taken since the last call. */
  takeSinkRecords(): ReadonlyMap<OperatorUid, readonly unknown[]> {
    const taken = new Map<OperatorUid, readonly unknown[]>();
    for (const [uid, collected] of this.#sinks) {
      if (collected.records.length === 0) continue;
      taken.set(uid, collected.records);
      collected.records = [];
    }
    return taken;
  }

  #open(live: LiveOperator): void {
    const { uid } = live.planned;
    const { topology, keyed } = this.#options;
    const isHead = live === this.#head;
    const context: OperatorContext = {
      uid,
      subtask: topology.address.shard,
      parallelism: topology.vertex.parallelism,
      output: (tag) => this.#outputOf(uid, tag),
      keyed: () => {
        invariant(isHead && keyed !== undefined, 'OP2', `operator ${uid} is not keyed`, { operator: uid });
        return keyed;
      },
      operatorState: (name, kind) => this.#openState(live, name, kind),
      currentWatermark: () => live.watermark,
      sink: () => {
        const collected = { records: [] as unknown[] };
        this.#sinks.set(uid, collected);
        return { write: (value) => collected.records.push(value) };
      },
    };
    this.active = uid;
    try {
      live.operator?.open(context);
    } catch (error) {
      throw new UserCodeError(this.active, error, {}, null);
    }
  }

  #openState(live: LiveOperator, name: string, kind: OperatorStateKind): OperatorStateHandle {
    const stored = this.#stored[live.planned.uid]?.[name];
    const state: LiveOperatorState = {
      kind,
      items: stored === undefined ? [] : stored.items.map(decodeValue),
      dirty: false,
      changed() {
        this.dirty = true;
      },
    };
    live.states.set(name, state);
    return state;
  }

  #outputOf(uid: OperatorUid, tag: string): Output {
    const { topology, outputs } = this.#options;
    const chained = this.#operators.flatMap((live) =>
      live.planned.links.filter((link) => link.from === uid && link.output === tag).map((link) => this.#chainedOutput(live, link.input)),
    );
    const sent = topology.outputs
      .filter(({ edge }) => edge.operator === uid && edge.output === tag)
      .map(({ edge }) => outputs.output(edge.index));
    const consumers = [...chained, ...sent];
    if (consumers.length === 0) return nowhere;
    if (consumers.length === 1) return consumers[0]!;
    return {
      emit(value, timestamp) {
        for (const consumer of consumers) consumer.emit(value, timestamp);
      },
    };
  }

  #chainedOutput(live: LiveOperator, input: number): Output {
    const operator = live.operator!;
    const { uid } = live.planned;
    return {
      emit: (value, timestamp) => {
        const caller = this.active;
        this.active = uid;
        operator.process(input, value, timestamp);
        this.active = caller;
      },
    };
  }
}
