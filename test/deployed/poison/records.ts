/** Rows of reliability.md §4 that come as records: lines of JSON by HTTP, messages of a queue, lines of a file. */
import type { WayIn } from './poison-world.ts';

export type Outcome =
  | { readonly kind: 'letter'; readonly operator: string; readonly code: string; readonly says: RegExp }
  | { readonly kind: 'lines'; readonly branch: string; readonly lines: readonly object[] }
  | { readonly kind: 'malformed'; readonly says: RegExp }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string };

export interface RecordPoison {
  readonly row: number;
  readonly what: string;
  readonly through: WayIn;
  /** What is sent, together, between two healthy records. */
  readonly texts: readonly (string | Uint8Array)[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly becomes: Outcome;
  /** What is sent in its place when the sender has been corrected. `again`: the same, once the function is. */
  readonly corrected?: string;
}

/** When those of the table have come to their end. */
export const afterwards: readonly Pick<RecordPoison, 'row' | 'what' | 'texts' | 'becomes'>[] = [
  {
    row: 16,
    what: 'what is late for the year 9999',
    texts: ['{"key":"near","n":1,"at":1000}'],
    becomes: { kind: 'lines', branch: 'late', lines: [{ key: 'near' }] },
  },
  {
    row: 7,
    what: 'what the state has become in another process',
    texts: ['{"key":"kept","n":2,"act":"recall"}'],
    becomes: { kind: 'lines', branch: 'work', lines: [{ key: 'kept', seen: 2, did: 'as it was' }] },
  },
];

const record = (key: unknown, more: object = {}): string => JSON.stringify({ key, n: 1, ...more });
const nested = (depth: number): string => `{"key":"deep","n":1,"blob":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const letter = (operator: string, code: string, says: RegExp): Outcome => ({ kind: 'letter', operator, code, says });
const lines = (...wanted: readonly object[]): Outcome => ({ kind: 'lines', branch: 'work', lines: wanted });
const malformed = (says: RegExp): Outcome => ({ kind: 'malformed', says });
const refused = (code: string, status = 400): Outcome => ({ kind: 'refused', status, code });

const rows: readonly (readonly [row: number, what: string, through: WayIn, texts: RecordPoison['texts'], becomes: Outcome, corrected?: string])[] = [
  [3, 'a record above what a message may have', 'http', [record('large', { blob: 'x'.repeat(1_500_000) })], lines({ key: 'large', characters: 1_500_000 })],
  [3, 'a batch above what a request may have', 'http', [record('larger', { blob: 'x'.repeat(4_300_000) })], refused('SLUICE-INTAKE-TOO-LARGE', 413)],
  [4, 'a record that the function throws at, always', 'http', [record('thrown', { act: 'throw' })], letter('work', 'SLUICE-USER-CODE', /cannot take it/), 'again'],
  [6, 'keys named like the properties of every object', 'http', ['{"key":"__proto__","n":1,"__proto__":{"polluted":true}}', record('constructor')], lines({ key: '__proto__', proto: { polluted: true } }, { key: 'constructor', seen: 1 })],
  [7, 'state that JSON would change', 'http', [record('kept', { act: 'keep' })], lines({ key: 'kept', seen: 1 })],
  [8, 'a number that would be rounded, by HTTP', 'http', ['{"key":"id","n":1,"blob":9007199254740993}'], refused('SLUICE-INTAKE-REQUEST')],
  [8, 'a number that would be rounded, in a queue', 'queue', ['{"key":"id","n":1,"blob":9007199254740993}'], letter('orders', 'SLUICE-VALUE-UNSUPPORTED', /9007199254740993/), '{"key":"id","n":1,"blob":"9007199254740993"}'],
  [9, 'a name twice, and keys in another order', 'http', ['{"key":{"a":1,"b":2},"n":0,"n":1}', '{"n":2,"key":{"b":2,"a":1}}'], lines({ key: { a: 1, b: 2 }, n: 1, seen: 1 }, { n: 2, seen: 2 })],
  [10, 'unpaired surrogates', 'http', ['{"key":"\\ud800","n":1}', '{"key":"\\ud801","n":1}'], lines({ key: '\ud800', seen: 1 }, { key: '\ud801', seen: 1 })],
  [11, 'bytes that are no UTF-8, by HTTP', 'http', [Buffer.from('7b226b6579223a22ff227d', 'hex')], refused('SLUICE-INTAKE-REQUEST')],
  [11, 'bytes that are no UTF-8, in a file', 'file', [Buffer.from('7b226b6579223a22ff227d', 'hex')], malformed(/UTF-8/)],
  [12, 'two forms of one letter', 'http', [record('\u00e9'), record('e\u0301')], lines({ key: '\u00e9', seen: 1 }, { key: 'e\u0301', seen: 1 })],
  [13, 'no letter at all, and more than a key of DynamoDB has', 'http', [record(''), record('long'.repeat(1_000))], lines({ key: '', seen: 1 }, { key: 'long'.repeat(1_000), seen: 1 })],
  [13, 'a key that is too long for any', 'http', [record('k'.repeat(70_000))], letter('work', 'SLUICE-KEY-INVALID', /70002 characters/), record('shorter')],
  [13, 'a record without a key', 'http', ['{"n":1}'], letter('work', 'SLUICE-KEY-INVALID', /undefined/), record('with a key')],
  [14, 'nesting of 8,000 levels, by HTTP', 'http', [nested(8_000)], refused('SLUICE-INTAKE-REQUEST')],
  [14, 'nesting of 8,000 levels, in a queue', 'queue', [nested(8_000)], letter('orders', 'SLUICE-VALUE-UNSUPPORTED', /deeper/), record('flat')],
  [14, 'nesting of 100 levels, in a file', 'file', [nested(100)], malformed(/deeper/)],
  [1, 'no JSON, in a queue', 'queue', ['{"key":'], letter('orders', 'SLUICE-USER-CODE', /JSON/), record('whole')],
  [1, 'no JSON, in a file', 'file', ['{"key":'], malformed(/JSON/)],
  [15, 'a thousand records of one key', 'http', Array.from({ length: 1_000 }, (_, i) => record('hot', { n: i + 1 })), lines({ key: 'hot', seen: 1_000 })],
  [16, 'a time that is none', 'http', [record('soon', { at: 'soon' })], letter('clicks', 'SLUICE-TIMESTAMP-INVALID', /soon/), record('at last', { at: 1_000 })],
  [16, 'a time in the year 25,000', 'http', [record('farther', { at: 726_753_600_000_000 })], letter('clicks', 'SLUICE-TIMESTAMP-AHEAD', /ahead of the clock/), record('in time', { at: 2_000 })],
  [16, 'a time in the year 9999', 'http', [record('far', { at: 253_402_300_799_000 })], lines({ key: 'far', seen: 1 })],
  [39, 'a key that a page would run', 'http', [record('<img src=x onerror=alert(1)>', { act: 'throw', says: '<script>alert(1)</script>' })], letter('work', 'SLUICE-USER-CODE', /<script>/), 'again'],
  [40, 'a message that would be several lines of a log', 'http', [record('spoken', { act: 'throw', says: 'one\n{"level":"ERROR","message":"forged"}\n\u001b[31mred' })], letter('work', 'SLUICE-USER-CODE', /one\n.*forged/), 'again'],
]; // prettier-ignore

export const recordPoisons: readonly RecordPoison[] = rows.map(([row, what, through, texts, becomes, corrected]) => ({
  row,
  what,
  through,
  texts,
  becomes,
  ...(corrected === undefined ? {} : { corrected }),
}));

/** What comes before the job does: lines of the file that its source reads, a healthy one behind each. */
export function poisonedFile(): Buffer {
  const ofFile = recordPoisons.filter(({ through }) => through === 'file');
  const healthy = ofFile.map((_, i) => `{"key":"beside a line","n":${i + 1}}`);
  return Buffer.concat(
    ofFile.flatMap(({ texts }, i) => [...texts, healthy[i]!].flatMap((text) => [Buffer.from(text as string), Buffer.from('\n')])),
  );
}
