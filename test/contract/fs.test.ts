import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStores } from '../../lib/adapters/fs/file-stores.ts';
import type { MakeStores } from './fixture.ts';
import { jobHistoryContract } from './job-history.contract.ts';
import { keyedBaseContract, keyedBaseModelContract } from './keyed-base.contract.ts';
import { messageQueueContract } from './message-queue.contract.ts';
import { messageQueueModelContract } from './message-queue.model.contract.ts';
import { objectsAndDelayContract } from './objects-and-delay.contract.ts';
import { recordsContract } from './records.contract.ts';

const make: MakeStores = async (options) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
  const stores = await createFileStores({ ...options, directory, logger: { log: () => undefined } });
  return {
    stores,
    dispose: async () => {
      await stores.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

messageQueueContract('fs', make);
messageQueueModelContract('fs', make, 20);
recordsContract('fs', make);
jobHistoryContract('fs', make);
objectsAndDelayContract('fs', make);
keyedBaseContract('fs', make);
keyedBaseModelContract('fs', make, 60);
