/**
 * A batch by HTTP: records as NDJSON or as a JSON array, all taken or none acknowledged.
 *
 * TR1. With an idempotency key the batch may be sent again: the same key and place is the same record. Without one each request is new.
 */
import { errorMessage, SluiceError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { parseRecord } from '../base/parse-record.ts';
import { identityOf } from '../model/intake-identity.ts';
import type { Random } from '../ports/system.ts';
import type { TakeIn } from './take-in.ts';

export interface IntakeRequest {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface IntakeAnswer {
  readonly status: 202 | 400 | 410 | 413 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const keyCharactersMax = 256;
const retryAfterSeconds = '30';
/** Of a record that cannot be read: enough to find it. */
const shownCharactersMax = 100;

export async function takeRequest(takeIn: TakeIn, request: IntakeRequest, random: Random): Promise<IntakeAnswer> {
  let texts: readonly string[];
  try {
    texts = textsOf(request);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return refusal(error.code === 'SLUICE-INTAKE-TOO-LARGE' ? 413 : 400, error);
  }
  const { idempotencyKey } = request;
  // By one key all go to one partition, in order.
  const key = idempotencyKey ?? random.hex(32);
  const records = texts.map((text, index) => ({
    key,
    text,
    id: idempotencyKey === undefined ? '' : identityOf(`request ${index} ${idempotencyKey}`, text),
  }));
  const { taken, problem } = records.length === 0 ? { taken: [], problem: undefined } : await takeIn(records);
  if (problem === undefined && taken.every((one) => one)) return { status: 202, headers: {}, body: { taken: records.length } };
  return refusal(problem?.code === 'SLUICE-INTAKE-CLOSED' ? 410 : 503, problem!);
}

function refusal(status: Exclude<IntakeAnswer['status'], 202>, { code, message, hint }: SluiceError): IntakeAnswer {
  return { status, headers: status === 503 ? { 'retry-after': retryAfterSeconds } : {}, body: { code, message, hint } };
}

/** @throws SluiceError `SLUICE-INTAKE-TOO-LARGE` or `SLUICE-INTAKE-REQUEST` */
function textsOf({ body, contentType = '', idempotencyKey = '-' }: IntakeRequest): readonly string[] {
  if (body.length > limits.intakeRequestBytesMax) throw tooLarge(`${body.length} bytes`, `${limits.intakeRequestBytesMax}`);
  if (idempotencyKey === '' || idempotencyKey.length > keyCharactersMax)
    throw invalid(`its Idempotency-Key has ${idempotencyKey.length} characters`, `Give one of 1 to ${keyCharactersMax} characters.`);
  const text = decoded(body);
  const isArray = contentType.includes('ndjson') ? false : contentType.includes('application/json') || text.trimStart().startsWith('[');
  const texts = isArray ? elementsOf(text) : linesOf(text);
  if (texts.length > limits.intakeRequestRecordsMax) throw tooLarge(`${texts.length} records`, `${limits.intakeRequestRecordsMax}`);
  return texts;
}

function decoded(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalid('it is not UTF-8', 'Send UTF-8.');
  }
}

function elementsOf(text: string): readonly string[] {
  const value = parsed(text, 'it');
  if (Array.isArray(value)) return value.map((element) => JSON.stringify(element));
  throw invalid('it is JSON, but no array', 'Send an array of records, or one record per line as application/x-ndjson.');
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  for (const [index, line] of lines.entries()) if (line !== '') parsed(line, `line ${index + 1}`);
  return lines.filter((line) => line !== '');
}

function parsed(text: string, what: string): unknown {
  try {
    return parseRecord(text, { exact: true });
  } catch (error) {
    const shown = text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
    throw invalid(
      `${what} is ${error instanceof SluiceError ? 'no record' : 'no JSON'}: ${errorMessage(error)}: ${shown}`,
      'Correct it and send the whole batch again: nothing of it was taken.',
    );
  }
}

function invalid(why: string, hint: string): SluiceError {
  return new SluiceError('SLUICE-INTAKE-REQUEST', `the batch cannot be taken in: ${why}`, { hint });
}

function tooLarge(what: string, most: string): SluiceError {
  return new SluiceError('SLUICE-INTAKE-TOO-LARGE', `the batch has ${what}, ${most} are taken at most`, {
    hint: 'Send it in several batches, each with an Idempotency-Key of its own.',
    facts: { what, most },
  });
}
