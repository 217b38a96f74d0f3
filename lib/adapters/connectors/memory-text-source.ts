/**
 * Source `memory-text`: lines of JSON in a text that the running program holds under the option `name`, chunk by chunk, so that it need not be one string.
 * Where chunks meet means nothing: a line may go on in the next. Position: chunk and character of the next line, its number, and the records before it.
 */
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { LineBatch, type LinePlace } from './line-batch.ts';
import { textOption } from './option.ts';
import { countsPosition } from './position.ts';

export interface MemoryText {
  /** undefined where there is no more, for ever. The same index gives the same text. */
  chunk(index: number): string | undefined;
}

interface Position {
  readonly chunk: number;
  readonly at: number;
  readonly line: number;
  readonly records: number;
}

interface Line {
  readonly text: string;
  readonly next: Pick<Position, 'chunk' | 'at'>;
}

const start: Position = { chunk: 0, at: 0, line: 1, records: 0 };

export function createMemoryTextSource(texts: ReadonlyMap<string, MemoryText>): SplitReader {
  return {
    isPlain: true,

    async splits(source) {
      textNamed(texts, source);
      return ['all'];
    },

    async read(source, split, position, { recordsMax }) {
      const text = textNamed(texts, source);
      const { records, ...cursor } = countsPosition<Position>(source, split, position, start);
      const batch = new LineBatch({ source, split, recordsMax, recordsBefore: records });
      const ended = !takeLines(text, cursor, batch);
      const { values, malformed } = batch;
      return { values, malformed, position: { ...cursor, records: batch.records } satisfies Position, ended: ended || batch.limitReached };
    },
  };
}

/** Where the next line begins. */
type Cursor = { -readonly [Name in Exclude<keyof Position, 'records'>]: Position[Name] };

/** Lines from the cursor on, which moves with them; false where the text has no more. */
function takeLines(text: MemoryText, cursor: Cursor, batch: LineBatch): boolean {
  const placeOf = (): LinePlace => ({ chunk: cursor.chunk, character: cursor.at, line: cursor.line });
  while (!batch.isFull) {
    takeWholeLines(text.chunk(cursor.chunk) ?? '', cursor, batch, placeOf);
    if (batch.isFull) break;
    const last = nextLine(text, cursor);
    if (last === undefined) return false;
    batch.take(withoutMark(last.text, cursor), placeOf);
    Object.assign(cursor, last.next);
    cursor.line++;
  }
  return true;
}

/** The hot loop: lines that end in the chunk in hand. */
function takeWholeLines(chunk: string, cursor: Cursor, batch: LineBatch, placeOf: () => LinePlace): void {
  while (!batch.isFull) {
    const end = chunk.indexOf('\n', cursor.at);
    if (end < 0) return;
    batch.take(withoutMark(chunk.slice(cursor.at, end), cursor), placeOf);
    cursor.at = end + 1;
    cursor.line++;
  }
}

function withoutMark(text: string, { line }: Cursor): string {
  return line === 1 ? text.replace(/^\uFEFF/, '') : text;
}

/** The line at the cursor, which may go on in later chunks; undefined where the text ends. */
function nextLine(text: MemoryText, { chunk, at }: Cursor): Line | undefined {
  let begun = '';
  for (;;) {
    const current = text.chunk(chunk);
    if (current === undefined) return begun === '' ? undefined : { text: begun, next: { chunk, at: 0 } };
    const end = current.indexOf('\n', at);
    if (end >= 0) return { text: begun + current.slice(at, end), next: { chunk, at: end + 1 } };
    begun += current.slice(at);
    chunk++;
    at = 0;
  }
}

function textNamed(texts: ReadonlyMap<string, MemoryText>, source: ConnectorSpec): MemoryText {
  const name = textOption(source, 'name');
  const text = texts.get(name);
  if (text !== undefined) return text;
  throw new SluiceError('SLUICE-INPUT-MISSING', `no text is registered under the name ${name}`, {
    hint: 'Register the text with the program that runs the job, under the name that the job reads.',
    facts: { connector: source.connector, name, registered: [...texts.keys()] },
  });
}
