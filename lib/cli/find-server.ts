import { resolve } from 'node:path';
import { createApiClient, type ApiClient } from './api-client.ts';
import { authorisationFor } from './authorise.ts';
import type { CliIo } from './cli-io.ts';
import { readServerFile, serverFileError } from './server-file.ts';
import { SluiceError } from '../base/errors.ts';

export interface ServerOptions {
  readonly server?: string;
  readonly dataDir?: string;
}

const defaultUrl = 'http://127.0.0.1:8081';

/** The named server, else that of the data directory, else the default port's. @throws SluiceError `SLUICE-USAGE` or `SLUICE-SERVER-FILE` */
export async function findServer(io: CliIo, { server, dataDir }: ServerOptions): Promise<ApiClient> {
  if (server === undefined) return dataDir === undefined ? connect(io, defaultUrl) : serverOf(io, resolve(io.folder, dataDir));
  const url = server.includes('://') ? server : `http://${server}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return connect(io, url);
  throw new SluiceError('SLUICE-USAGE', `--server ${server} is no URL`, {
    hint: 'Write --server http://127.0.0.1:8081.',
    facts: { server },
  });
}

function connect({ env }: CliIo, url: string): ApiClient {
  return createApiClient(url, authorisationFor(url, env));
}

/** A run that was killed has left its file behind, and another run may have its port since: then nothing is done to that one. */
async function serverOf(io: CliIo, dataDir: string): Promise<ApiClient> {
  const { url, job } = readServerFile(dataDir);
  const client = connect(io, url);
  const { jobs } = await client.get<{ readonly jobs: readonly { readonly id: string }[] }>('/jobs');
  if (jobs.some(({ id }) => id === job)) return client;
  throw serverFileError(dataDir, `the server at ${url} is of another data directory than ${dataDir}`);
}
