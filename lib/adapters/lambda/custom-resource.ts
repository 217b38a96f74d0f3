/**
 * The answer to CloudFormation, which waits an hour for one that never comes.
 *
 * CR1. Every event is answered, also where the work throws: with what is wrong, and what to do.
 * CR2. The resource has one id for its whole life, so that an update replaces nothing.
 */
import { errorCode, errorMessage, SluiceError } from '../../base/errors.ts';

export interface CustomResourceEvent<Properties> {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Properties;
}

/** CloudFormation takes 4,096 bytes in all, and shows the reason in its events. */
const reasonCharactersMax = 3_000;

export async function answerCloudFormation<Properties>(event: CustomResourceEvent<Properties>, work: () => Promise<void>): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = event;
  const common = { StackId, RequestId, LogicalResourceId, PhysicalResourceId };
  let answer: object;
  try {
    await work();
    answer = { ...common, Status: 'SUCCESS' };
  } catch (error) {
    const hint = error instanceof SluiceError ? ` ${error.hint}` : '';
    const reason = `${errorCode(error) ?? 'Error'}: ${errorMessage(error)}${hint}`;
    answer = { ...common, Status: 'FAILED', Reason: reason.slice(0, reasonCharactersMax) };
  }
  const body = JSON.stringify(answer);
  const response = await fetch(event.ResponseURL, {
    method: 'PUT',
    body,
    headers: { 'content-type': '', 'content-length': String(Buffer.byteLength(body)) },
  });
  if (!response.ok) throw new Error(`CloudFormation does not take the answer: ${response.status}`);
}
