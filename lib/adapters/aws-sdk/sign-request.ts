/**
 * Signature Version 4 of a request to API Gateway, with the credentials that the SDK finds: environment, profile, single sign-on, container, instance.
 * Of our own, because the SDK's signer is no part of the clients that we have, and this is all of it that one service needs.
 */
import { createHash, createHmac } from 'node:crypto';
import { createStepFunctionsClient } from './step-functions-client.ts';

export interface RequestToSign {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly region: string;
  readonly nowMs: number;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const service = 'execute-api';

/** The headers that the request needs beside its own. */
export async function signRequest(request: RequestToSign): Promise<Readonly<Record<string, string>>> {
  return signWith(await createStepFunctionsClient({ region: request.region }).config.credentials(), request);
}

export function signWith(credentials: Credentials, { method, url, body, region, nowMs }: RequestToSign): Record<string, string> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const headers = { 'x-amz-date': time, ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }) };
  const signed = Object.entries({ host: url.host, ...headers });
  const names = signed.map(([name]) => name).join(';');
  const path = url.pathname.split('/').map(encoded).join('/');
  const parts = [method, path, queryOf(url), ...signed.map(([name, value]) => `${name}:${value}`), '', names, sha256(body)];
  const place = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, place, sha256(parts.join('\n'))].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  return { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${place}, SignedHeaders=${names}, Signature=${signature}` };
}

function queryOf({ searchParams }: URL): string {
  const pairs = [...searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.sort().join('&');
}

/** RFC 3986; of a path that is encoded already it is the second time, as the service wants it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
