/** Lambda: takes in the messages of a user's queue. They are acknowledged once the log has them and the source is told. */
import { answerQueue } from '../lib/adapters/lambda/intake-events.ts';
import { takeMessages } from '../lib/intake/take-messages.ts';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createAwsIntake } from './aws-intake.ts';

const { takeIn, stores } = createAwsIntake();
const { logger } = stores;

export const handler = (event: SQSEvent): Promise<SQSBatchResponse> =>
  answerQueue(event, { logger, take: (messages) => takeMessages(takeIn, messages) });
