/** Records as lines of plain JSON, for readers that know nothing of Sluice. */
import { SluiceError } from '../../base/errors.ts';
import { plainJsonProblemText, plainJsonText } from '../../model/plain-json.ts';
import type { PartName } from '../../ports/connectors.ts';

/** Written at a time. */
const pieceCharacters = 524_288;

/** The lines in pieces of a bounded size. */
export function* encodeLines(records: readonly unknown[], name: PartName): Generator<Uint8Array> {
  let text = '';
  for (const [i, record] of records.entries()) {
    text += `${encodeRecord(record, i, name)}\n`;
    if (text.length < pieceCharacters) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}

/**
 * The sink has refused such records before they were committed. One that a savepoint or an older version brings is refused here.
 * @throws SluiceError `SLUICE-SINK-RECORD-UNSUPPORTED` naming operator, record and the place in it
 */
function encodeRecord(record: unknown, index: number, { operator, checkpoint, shard }: PartName): string {
  const line = plainJsonText(record);
  if ('text' in line) return line.text;
  const { problem } = line;
  throw new SluiceError(
    'SLUICE-SINK-RECORD-UNSUPPORTED',
    `record ${index} of checkpoint ${checkpoint} at the sink ${operator} holds ${plainJsonProblemText(problem)}`,
    {
      hint: 'Map the records before the sink to strings, finite numbers, booleans, null, arrays and plain objects: a Date to its ISO text, a bigint to text.',
      facts: { operator, checkpoint, shard, record: index, ...problem },
    },
  );
}
