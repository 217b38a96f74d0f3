/**
 * Source `memory-text`: lines of JSON in a text that the running program holds under the option `name`, chunk by chunk, so that it need not be one string.
 * Where chunks meet means nothing: a line may go on in the next. Position: chunk and character of the next line, its number, and the records before it.
 */
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { LineBatch } from './line-batch.ts';
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
    async splits(source) {
      textNamed(texts, source);
      return ['all'];
    },

    async read(source, split, position, { recordsMax }) {
      const text = textNamed(texts, source);
      let { chunk, at, line, records } = countsPosition<Position>(source, split, position, start);
      const batch = new LineBatch({ source, split, recordsMax, recordsBefore: records });
      const placeOf = (): { chunk: number; character: number; line: number } => ({ chunk, character: at, line });
      let ended = false;
      while (!batch.isFull) {
        const next = nextLine(text, chunk, at);
        ended = next === undefined;
        if (next === undefined) break;
        batch.take(line === 1 ? next.text.replace(/^\uFEFF/, '') : next.text, placeOf);
        ({ chunk, at } = next.next);
        line++;
      }
      const { values, malformed } = batch;
      ({ records } = batch);
      return { values, malformed, position: { chunk, at, line, records } satisfies Position, ended: ended || batch.limitReached };
    },
  };
}

function nextLine(text: MemoryText, chunk: number, at: number): Line | undefined {
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
