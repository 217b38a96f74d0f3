import { makeAwsStores } from '../adapters/aws/aws-stores.ts';
import { messageQueueContract } from './message-queue.contract.ts';
import { messageQueueModelContract } from './message-queue.model.contract.ts';
import { objectsAndDelayContract } from './objects-and-delay.contract.ts';

messageQueueContract('aws', makeAwsStores);
messageQueueModelContract('aws', makeAwsStores, 100, 1_000);
objectsAndDelayContract('aws', makeAwsStores);
