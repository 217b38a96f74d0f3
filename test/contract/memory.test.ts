import { MemoryAuditLog } from './memory-audit-log.ts';
import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import { auditLogContract } from './audit-log.contract.ts';
import type { MakeStores } from './fixture.ts';
import { jobHistoryContract } from './job-history.contract.ts';
import { keyedBaseContract, keyedBaseModelContract } from './keyed-base.contract.ts';
import { messageQueueContract } from './message-queue.contract.ts';
import { messageQueueModelContract } from './message-queue.model.contract.ts';
import { objectsAndDelayContract } from './objects-and-delay.contract.ts';
import { recordsContract } from './records.contract.ts';

const make: MakeStores = async (options) => {
  const stores = createMemoryStores(options);
  return { stores, audit: new MemoryAuditLog(), dispose: () => stores.close() };
};

messageQueueContract('memory', make);
messageQueueModelContract('memory', make, 200);
recordsContract('memory', make);
jobHistoryContract('memory', make);
auditLogContract('memory', make);
objectsAndDelayContract('memory', make);
keyedBaseContract('memory', make);
keyedBaseModelContract('memory', make, 300);
