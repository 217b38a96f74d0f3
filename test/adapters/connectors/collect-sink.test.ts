import { describe } from 'vitest';
import { createCollectSink } from '../../../lib/adapters/connectors/collect-sink.ts';
import { partName, sinkCommitterContract } from './sink-committer.contract.ts';

describe('collect sink', () => {
  sinkCommitterContract(async () => {
    const committer = createCollectSink();
    const sink = { connector: 'collect', options: { name: 'records' }, guarantee: 'exactly-once' } as const;
    const records = (): readonly unknown[] => committer.published('records');
    return {
      committer,
      sink,
      // It shows records, not names; the contract publishes one part at most.
      published: async () => (records().length === 0 ? {} : { [committer.locate(sink, partName()).target]: records() }),
      staged: async () => committer.staged('records'),
    };
  });
});
