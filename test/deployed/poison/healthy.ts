/** Records that nothing is wrong with, of keys of both shards, numbered and dated: what is missing, came twice, out of order or late shows. */
import { canonicalKey } from '../../../lib/model/canonical-key.ts';
import { defaultMaxParallelism, keyGroupOf, shardOfKeyGroup } from '../../../lib/model/key-group.ts';
import type { Line } from './poison-world.ts';

const shards = 2;

/** A key of that shard that begins so. */
export function keyOfShard(shard: number, name: string): string {
  const most = defaultMaxParallelism(shards);
  for (let i = 0; ; i++) if (shardOfKeyGroup(keyGroupOf(canonicalKey(`${name} ${i}`), most), shards, most) === shard) return `${name} ${i}`;
}

export class Healthy {
  readonly #sent = new Map<string, number>();

  /** One of each shard, beside that row's poison. */
  texts(row: number, more: object = {}): readonly string[] {
    return Array.from({ length: shards }, (_, shard) => {
      const key = keyOfShard(shard, `beside row ${row}`);
      const n = (this.#sent.get(key) ?? 0) + 1;
      this.#sent.set(key, n);
      return JSON.stringify({ key, n, sentAtMs: Date.now(), ...more });
    });
  }

  /** What is wrong with what has come: nothing, when each came once, in its order, within the time. */
  problems(lines: readonly Line[], boundMs: (row: number) => number): readonly string[] {
    return [...this.#sent].flatMap(([key, sent]) => {
      const own = lines.filter((line) => line['key'] === key).sort((a, b) => Number(a['seen']) - Number(b['seen']));
      const numbers = own.map(({ n }) => Number(n));
      // A standard queue promises no order.
      const isWhole = own.every(({ seen }, i) => seen === i + 1) && [...numbers].sort((a, b) => a - b).every((n, i) => n === i + 1);
      const missing = own.length === sent && isWhole ? [] : [`${key}: ${sent} sent, came ${numbers.join(' ')}`];
      const bound = boundMs(Number(/\d+/.exec(key)![0]));
      const late = own
        .filter(({ delayMs }) => Number(delayMs) > bound)
        .map(({ n, delayMs }) => `${key} ${String(n)} waited ${String(delayMs)} ms`);
      return [...missing, ...late];
    });
  }
}
