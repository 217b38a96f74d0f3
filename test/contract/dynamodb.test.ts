import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import { dynamodbWorld } from '../adapters/aws/dynamodb-world.ts';
import { auditLogContract } from './audit-log.contract.ts';
import type { MakeStores } from './fixture.ts';
import { jobHistoryContract } from './job-history.contract.ts';
import { keyedBaseContract, keyedBaseModelContract } from './keyed-base.contract.ts';
import { recordsContract } from './records.contract.ts';

/** What DynamoDB does not keep is memory's. */
const make: MakeStores = async (options) => {
  const memory = createMemoryStores(options);
  const { stores, client } = dynamodbWorld(options);
  return {
    stores: { ...memory, ...stores },
    audit: stores.audit,
    dispose: async () => {
      client.destroy();
      await memory.close();
    },
  };
};

recordsContract('dynamodb', make);
jobHistoryContract('dynamodb', make);
auditLogContract('dynamodb', make);
keyedBaseContract('dynamodb', make, 'expire');
keyedBaseModelContract('dynamodb', make, 30);
