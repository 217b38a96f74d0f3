/**
 * Elements through the operator chain: records with their keys' state loaded, watermarks with the timers that they fire, end of input.
 *
 * PE1. User code is synchronous; whatever it can touch is in memory before it runs.
 */
import type { Envelope, PlacedEvent } from '../model/envelope.ts';
import { MAX_WATERMARK } from '../model/time.ts';
import type { WantedEntries } from '../state/entry-maps.ts';
import type { KeyEntry } from '../state/key-entry.ts';
import type { KeyedBackend } from '../state/keyed-backend.ts';
import type { KeySelector } from '../operators/operator.ts';
import { askForRecords } from './ask-entries.ts';
import { fireDue } from './fire-timers.ts';
import type { LiveInput, LiveShard } from './live-shard.ts';
import { runUserCode, userError } from './user-code.ts';

/** Records `from` … `to` of an envelope. */
export async function processRecords(shard: LiveShard, input: LiveInput, envelope: Envelope, from: number, to: number): Promise<void> {
  if (from >= to) return;
  shard.valve.onRecords(input.channel.id);
  shard.idle = false;
  await processValues(shard, input.channel.input, envelope, from, to);
}

/** The same, of an input: in-flight data comes from channels that are no more. */
export async function processValues(shard: LiveShard, input: number, envelope: Values, from: number, to: number): Promise<void> {
  shard.changed = true;
  shard.recordsIn += to - from;
  const selector = shard.keySelectors[input];
  if (shard.backend === null || selector === undefined) {
    processPlain(shard, input, envelope, from, to);
    return;
  }
  const missing: KeyEntry[] = [];
  const entries = resolveKeys(shard, shard.backend, selector, envelope.values, { from, to, missing });
  if (missing.length > 0) await shard.backend.load(missing);
  const wanted = shard.backend.entryMaps.isUsed ? await askForRecords(shard, input, envelope.values, from, entries) : null;
  processKeyed(shard, input, envelope, from, { entries, wanted });
}

export type Values = Pick<Envelope, 'values' | 'timestamps'>;

interface KeyRange {
  readonly from: number;
  readonly to: number;
  /** Takes the entries that must be loaded first. */
  readonly missing: KeyEntry[];
}

function resolveKeys(
  shard: LiveShard,
  backend: KeyedBackend,
  selector: KeySelector,
  values: readonly unknown[],
  { from, to, missing }: KeyRange,
): KeyEntry[] {
  const entries = new Array<KeyEntry>(to - from);
  // An error here is the head's, about this record, and no key is known yet.
  shard.chain.head();
  backend.current = undefined;
  let i = from;
  try {
    for (; i < to; i++) {
      const entry = backend.resolve(selector(values[i]));
      entries[i - from] = entry;
      if (!entry.full) missing.push(entry);
    }
  } catch (error) {
    throw userError(shard, error, values[i]);
  }
  return entries;
}

function processPlain(shard: LiveShard, input: number, envelope: Values, from: number, to: number): void {
  const operator = shard.chain.head();
  const { values, timestamps } = envelope;
  // The second input of a connected operator may have no key: what is left of another record's must not be taken for it.
  if (shard.backend !== null) shard.backend.current = undefined;
  let i = from;
  try {
    for (; i < to; i++) operator.process(input, values[i], timestamps[i]!);
  } catch (error) {
    throw userError(shard, error, values[i]);
  }
}

interface Loaded {
  readonly entries: readonly KeyEntry[];
  /** null where no map is loaded by entry. */
  readonly wanted: readonly WantedEntries[] | null;
}

function processKeyed(shard: LiveShard, input: number, envelope: Values, from: number, { entries, wanted }: Loaded): void {
  const backend = shard.backend!;
  const operator = shard.chain.head();
  const { values, timestamps } = envelope;
  let i = 0;
  try {
    for (; i < entries.length; i++) {
      backend.current = entries[i];
      if (wanted !== null) backend.entryMaps.begin(entries[i]!, wanted[i]!);
      operator.process(input, values[from + i], timestamps[from + i]!);
    }
  } catch (error) {
    throw userError(shard, error, values[from + i]);
  }
}

/** Events other than barriers. */
export async function processEvent(shard: LiveShard, input: LiveInput, { event }: PlacedEvent): Promise<void> {
  const { id } = input.channel;
  switch (event.kind) {
    case 'watermark':
      return advanceTo(shard, shard.valve.onWatermark(id, event.timestamp));
    case 'idle':
      return advanceTo(shard, shard.valve.onIdle(id));
    case 'end-of-input':
      return endInput(shard, input);
    case 'barrier':
      return undefined;
  }
}

async function endInput(shard: LiveShard, input: LiveInput): Promise<void> {
  if (input.ended) return;
  shard.changed = true;
  const reading = shard.valve.onEnd(input.channel.id);
  const open = [...shard.inputs.values()].some((other) => other.channel.input === input.channel.input && !other.ended);
  await advanceTo(shard, reading);
  if (!open) runUserCode(shard, () => shard.chain.endOfInput(input.channel.input));
}

async function advanceTo(shard: LiveShard, reading: { readonly watermark: number; readonly idle: boolean }): Promise<void> {
  shard.idle = reading.idle;
  if (reading.watermark <= shard.watermark) return;
  shard.watermark = reading.watermark;
  if (shard.backend !== null) shard.backend.watermark = reading.watermark;
  shard.fired = shard.fired.filter(({ firedUpTo }) => firedUpTo > reading.watermark);
  await fireDue(shard);
}

/** All inputs have ended: the operators finish and the shard forwards the end. */
export function finishIfEnded(shard: LiveShard): void {
  if (shard.status !== 'running' || shard.topology.isSource) return;
  for (const input of shard.inputs.values()) if (!input.ended) return;
  if (shard.replaying || shard.replay !== null || shard.stash.length > 0 || shard.dueTimers() !== null) return;
  runUserCode(shard, () => shard.chain.finish());
  shard.outputs.advance(Math.max(shard.watermark, MAX_WATERMARK));
  shard.outputs.end();
  shard.status = 'ended';
  shard.changed = true;
}
