import { resolve } from 'node:path';
import { createApiClient, type ApiClient } from './api-client.ts';
import type { CliIo } from './cli-io.ts';
import { readServerFile } from './server-file.ts';
import { SluiceError } from '../base/errors.ts';

export interface ServerOptions {
  readonly server?: string;
  readonly dataDir?: string;
}

const defaultUrl = 'http://127.0.0.1:8081';

/** The named server, else that of the data directory, else the default port's. @throws SluiceError `SLUICE-USAGE` or `SLUICE-SERVER-FILE` */
export function findServer(io: CliIo, { server, dataDir }: ServerOptions): ApiClient {
  if (server === undefined) return createApiClient(dataDir === undefined ? defaultUrl : readServerFile(resolve(io.folder, dataDir)).url);
  const url = /^https?:\/\//.test(server) ? server : `http://${server}`;
  if (URL.canParse(url)) return createApiClient(url);
  throw new SluiceError('SLUICE-USAGE', `--server ${server} is no URL`, {
    hint: 'Write --server http://127.0.0.1:8081.',
    facts: { server },
  });
}
