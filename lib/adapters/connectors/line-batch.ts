/**
 * What one call of `read` brings from lines of JSON.
 *
 * Owns: what a line is worth (a record, nothing, a malformed record), and when the call has enough.
 * Does not own: where lines come from, and positions.
 *
 * LB1. A line that holds no record fails the call or is set aside whole, with its place; it is never dropped.
 * LB2. Records count towards the limit, malformed lines do not; both count towards the size of the call, so that it is a bounded step of work.
 */
import { SluiceError, errorMessage } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { MalformedRecord } from '../../ports/connectors.ts';
import { choiceOption, countOption } from './option.ts';
import { parseRecord } from '../../base/parse-record.ts';

/** Where a line stands, name by name, as people and tools need it: `{ file, byte, line }`. */
export type LinePlace = Readonly<Record<string, string | number>>;

/** How much of a malformed line is shown: enough to find it, too little to fill a log. */
const shownCharactersMax = 1_000;

export interface LineBatchOptions {
  readonly source: ConnectorSpec;
  readonly split: string;
  readonly recordsMax: number;
  /** Records that earlier calls have brought from this split. */
  readonly recordsBefore: number;
}

export class LineBatch {
  readonly values: unknown[] = [];
  readonly malformed: MalformedRecord[] = [];
  readonly #options: LineBatchOptions;
  readonly #setsAside: boolean;
  readonly #limit: number;

  constructor(options: LineBatchOptions) {
    this.#options = options;
    this.#setsAside = choiceOption(options.source, 'onMalformed', ['fail', 'dead-letter'], 'fail') === 'dead-letter';
    this.#limit = countOption(options.source, 'limit', Infinity);
  }

  /** Records of the split up to now. */
  get records(): number {
    return this.#options.recordsBefore + this.values.length;
  }

  /** The source wants no more, for ever. */
  get limitReached(): boolean {
    return this.records >= this.#limit;
  }

  get isFull(): boolean {
    return this.values.length + this.malformed.length >= this.#options.recordsMax || this.limitReached;
  }

  /** A carriage return at the end is white space to JSON, and a line of white space holds nothing. */
  take(text: string, placeOf: () => LinePlace): void {
    if (text.length > limits.recordBytesMax) return this.refuse(`longer than ${limits.recordBytesMax} bytes`, text, placeOf());
    let value: unknown;
    try {
      value = parseRecord(text);
    } catch (error) {
      if (text.trim() !== '') this.refuse(errorMessage(error), text, placeOf());
      return;
    }
    this.values.push(value);
  }

  /** @throws SluiceError `SLUICE-RECORD-MALFORMED` unless such lines are set aside */
  refuse(reason: string, text: string, place: LinePlace): void {
    const shown = text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
    const position = Object.entries(place)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
    const { source, split } = this.#options;
    if (this.#setsAside) {
      this.malformed.push({ split, position, reason, text: shown });
      return;
    }
    throw new SluiceError('SLUICE-RECORD-MALFORMED', `${position} holds no JSON record: ${reason}`, {
      hint: 'Repair the line, or give the source `onMalformed: "dead-letter"`, which sends such lines to its side output.',
      facts: { connector: source.connector, split, ...place, reason, text: shown },
    });
  }
}
