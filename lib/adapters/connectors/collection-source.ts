/**
 * Source `collection`: the values in the option `values`, for tests and first steps. Option `splits` (default 1) deals them out in turn, so that
 * several source shards can read them. Position: how many values of the split have been read.
 */
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { countOption, listOption } from './option.ts';
import { invalidPosition } from './position.ts';

export const collectionSource: SplitReader = {
  async splits(source) {
    return Array.from({ length: countOption(source, 'splits', 1) }, (_, i) => String(i));
  },

  async read(source, split, position, { recordsMax }) {
    const all = listOption(source, 'values');
    const step = countOption(source, 'splits', 1);
    const first = Number(split);
    const read = readCount(source, split, position);
    const values: unknown[] = [];
    for (let i = first + read * step; i < all.length && values.length < recordsMax; i += step) values.push(all[i]);
    const nextRead = read + values.length;
    return { values, position: nextRead, ended: first + nextRead * step >= all.length };
  },
};

function readCount(source: ConnectorSpec, split: string, position: unknown): number {
  if (position === null) return 0;
  if (Number.isSafeInteger(position) && (position as number) >= 0) return position as number;
  throw invalidPosition(source, split, position);
}
