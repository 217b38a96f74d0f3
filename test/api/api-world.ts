/** The API over real (memory) adapters and the real coordinator; what shards would have stored is put there by hand. */
import type { Hono } from 'hono';
import type { Access } from '../../lib/api/access.ts';
import { createApi } from '../../lib/api/api-app.ts';
import { readAuditedState } from '../../lib/api/audited-state.ts';
import type { JobControl } from '../../lib/api/job-control.ts';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import type { OperatorUid } from '../../lib/base/ids.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import type { ShardRecord } from '../../lib/model/shard-record.ts';
import { MIN_WATERMARK } from '../../lib/model/time.ts';
import { job } from '../checkpoint/fixture.ts';
import { shardRecord } from '../contract/sample-records.ts';
import { CoordinatorWorld, type WorldOptions } from '../coordinator/coordinator-world.ts';

export const unknownJob = '0'.repeat(31) + '1';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

export class ApiWorld extends CoordinatorWorld {
  savepointDirectory: string | null = '/savepoints';
  /** What answers wait for. */
  durable: () => Promise<void> = async () => undefined;

  /** As behind a gateway; absent = as on this machine. */
  access: Access | undefined;
  auditLog: AuditLog | undefined;

  get control(): JobControl {
    return createPortJobControl({
      deps: this.deps,
      savepointDirectory: this.savepointDirectory,
      checkpointLocation: (manifest) => `/data/${manifest}`,
    });
  }

  get app(): Hono {
    const { control, deps, time } = this;
    const { access, auditLog: log } = this;
    return createApi({
      control,
      clock: time.clock,
      logger: deps.logger,
      durable: () => this.durable(),
      version: '0.1.0',
      ...(access === undefined ? {} : { access }),
      ...(log === undefined ? {} : { audit: { log, stateOf: (id) => readAuditedState(deps, id) } }),
    });
  }

  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.app.request(path, init);
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown), headers: response.headers };
  }

  async post(path: string, body: unknown): Promise<Answer> {
    return this.request(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  }

  /** As a shard's commit would have stored it. */
  async putShard(uid: OperatorUid, shard: number, changes: Partial<ShardRecord> = {}): Promise<void> {
    const record = shardRecord({ job, uid, shard, attempt: 1, version: 1, watermark: MIN_WATERMARK, ...changes });
    await this.stores.shards.commit(record, { version: record.version - 1, attempt: record.attempt });
  }
}

export async function startedWorld(options: WorldOptions = {}): Promise<ApiWorld> {
  const world = new ApiWorld(options);
  await world.start();
  return world;
}
