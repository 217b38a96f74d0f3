import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac } from 'node:crypto';
const [method, path, body] = process.argv.slice(2);
class Sha { #h; constructor(key?: string) { this.#h = key === undefined ? createHash('sha256') : createHmac('sha256', key); } update(d: string) { this.#h.update(d); } async digest() { return new Uint8Array(this.#h.digest()); } }
const base = new URL(process.env.AWS_ENDPOINT_URL!);
const api = process.env.API_ID!;
const signer = new SignatureV4({ service: 'execute-api', region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, sha256: Sha as never });
const request = await signer.sign({ method: method!, protocol: base.protocol, hostname: base.hostname, port: Number(base.port), path: `/_aws/execute-api/${api}${path}`, headers: { host: base.host, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body }) } as never);
const response = await fetch(`${base.origin}${request.path}`, { method: method!, headers: request.headers as never, ...(body === undefined ? {} : { body }) });
console.log(response.status, (await response.text()).slice(0, 1500));
