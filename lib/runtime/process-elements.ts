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
import { guilty, processEnded, takeCare } from './careful.ts';
import { setAside, setAsideAtOnce } from './dead-letters.ts';
import { poisonedRecord, setsAside } from './poison.ts';
import type { UserCodeError } from './errors.ts';
import { runUserCode, userError } from './user-code.ts';

export type RecordInput = Pick<LiveInput, 'channel'>;

/** Records `from` … `to` of an envelope. Says how far it came: a record that is set aside closes its commit. */
export async function processRecords(
  shard: LiveShard,
  input: RecordInput,
  envelope: Envelope,
  from: number,
  to: number,
  nowMs: () => number,
): Promise<number> {
  const poison = poisonedRecord(shard, from, to);
  const end = poison?.place.index ?? to;
  const step = takeCare(shard, from, end);
  if (step.kind === 'note') return from;
  if (step.kind === 'guilty') {
    if (!setsAside(shard.topology)) throw userError(shard, processEnded(step.tries), envelope.values[from], from);
    takeRecords(shard, input, 1);
    setAside(shard, guilty(step.place, step.tries, nowMs()), elementOf(input, envelope, from));
    return from + 1;
  }
  let at = from;
  while (at < step.to && !shard.orderDue) at = await processUpTo(shard, input, envelope, at, step.to, nowMs);
  if (poison === undefined || at < end) return at;
  takeRecords(shard, input, 1);
  setAside(shard, poison, elementOf(input, envelope, end));
  return end + 1;
}

function takeRecords(shard: LiveShard, input: RecordInput, count: number): void {
  shard.changed = true;
  shard.recordsIn += count;
  // In-flight data of a restore comes from channels that are no more.
  if (!shard.inputs.has(input.channel.id)) return;
  shard.valve.onRecords(input.channel.id);
  shard.idle = false;
}

function elementOf({ channel }: RecordInput, { values, timestamps }: Envelope, index: number) {
  return { input: channel.input, record: values[index], timestamp: timestamps[index]! };
}

/** Up to `to`, or to behind a record whose key selector failed, where such ones are set aside. */
async function processUpTo(
  shard: LiveShard,
  input: RecordInput,
  envelope: Envelope,
  from: number,
  to: number,
  nowMs: () => number,
): Promise<number> {
  const selector = shard.keySelectors[input.channel.input];
  if (shard.backend === null || selector === undefined) {
    return inPieces(shard, from, to, (start, end) => {
      takeRecords(shard, input, end - start);
      processPlain(shard, input.channel.input, envelope, start, end);
    });
  }
  const missing: KeyEntry[] = [];
  const { entries, problem } = resolveKeys(shard, shard.backend, selector, envelope.values, { from, to, missing });
  if (missing.length > 0) await shard.backend.load(missing);
  const wanted = shard.backend.entryMaps.isUsed ? await askForRecords(shard, input.channel.input, envelope.values, from, entries) : null;
  const failedAt = from + entries.length;
  const loaded = { from, entries, wanted };
  const at = await inPieces(shard, from, failedAt, (start, end) => {
    takeRecords(shard, input, end - start);
    processKeyed(shard, input.channel.input, envelope, loaded, start, end);
  });
  if (problem === null || at < failedAt) return at;
  takeRecords(shard, input, 1);
  setAsideAtOnce(shard, problem, elementOf(input, envelope, failedAt), nowMs());
  return failedAt + 1;
}

/** Up to `to`, or to where an order is to be taken first. Pieces grow while the clock says that it is too early to look: asking it costs too. */
async function inPieces(shard: LiveShard, from: number, to: number, process: (start: number, end: number) => void): Promise<number> {
  const { interlude, recordsPerLook } = shard;
  let piece = recordsPerLook;
  for (let at = from; at < to;) {
    const end = Math.min(to, at + piece);
    process(at, end);
    at = end;
    piece *= 2;
    if (interlude?.isDue() !== true) continue;
    await interlude.hold();
    if (shard.orderDue) return at;
    piece = recordsPerLook;
  }
  return to;
}

interface KeyRange {
  readonly from: number;
  readonly to: number;
  /** Takes the entries that must be loaded first. */
  readonly missing: KeyEntry[];
}

interface Resolved {
  readonly entries: readonly KeyEntry[];
  /** Of the record behind them: it has no key, and may be set aside. */
  readonly problem: UserCodeError | null;
}

function resolveKeys(
  shard: LiveShard,
  backend: KeyedBackend,
  selector: KeySelector,
  values: readonly unknown[],
  { from, to, missing }: KeyRange,
): Resolved {
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
    const problem = userError(shard, error, values[i], i);
    if (!setsAside(shard.topology)) throw problem;
    entries.length = i - from;
    return { entries, problem };
  }
  return { entries, problem: null };
}

function processPlain(shard: LiveShard, input: number, envelope: Envelope, from: number, to: number): void {
  const operator = shard.chain.head();
  const { values, timestamps } = envelope;
  // The second input of a connected operator may have no key: what is left of another record's must not be taken for it.
  if (shard.backend !== null) shard.backend.current = undefined;
  let i = from;
  try {
    for (; i < to; i++) operator.process(input, values[i], timestamps[i]!);
  } catch (error) {
    throw userError(shard, error, values[i], i);
  }
}

interface Loaded {
  /** Of the first entry's record. */
  readonly from: number;
  readonly entries: readonly KeyEntry[];
  /** null where no map is loaded by entry. */
  readonly wanted: readonly WantedEntries[] | null;
}

function processKeyed(
  shard: LiveShard,
  input: number,
  envelope: Envelope,
  { from, entries, wanted }: Loaded,
  start: number,
  end: number,
): void {
  const backend = shard.backend!;
  const operator = shard.chain.head();
  const { values, timestamps } = envelope;
  let i = start - from;
  try {
    for (const last = end - from; i < last; i++) {
      backend.current = entries[i];
      if (wanted !== null) backend.entryMaps.begin(entries[i]!, wanted[i]!);
      operator.process(input, values[from + i], timestamps[from + i]!);
    }
  } catch (error) {
    throw userError(shard, error, values[from + i], from + i);
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
