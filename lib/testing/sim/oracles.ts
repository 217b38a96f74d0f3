/**
 * What must hold at every moment of a run, looked at from outside the protocol.
 *
 * OR1. What the job record holds, retained or pinned, is whole: its manifest can be read, and every object that it names is there.
 * OR2. A completed checkpoint is a cut: what was sent before it was received before it, record by record.
 */
import { decodeManifest } from '../../checkpoint/manifest-codec.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import type { JobRecord } from '../../model/job-record.ts';
import { cutProblem } from './cut-problem.ts';
import type { SimStores } from './sim-stores.ts';

export class Oracles {
  readonly #world: SimStores;
  readonly #seen = new Set<string>();

  constructor(world: SimStores) {
    this.#world = world;
  }

  /** Everything that is wrong now. */
  async look(record: JobRecord): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const { manifest: key } of [...record.retained, ...record.pins]) {
      const manifest = await this.#manifestOf(key);
      if (typeof manifest === 'string') problems.push(`job ${record.job} holds a checkpoint: ${manifest}`);
      else problems.push(...(await this.#problemsOf(key, manifest)));
    }
    return problems;
  }

  async #manifestOf(key: string): Promise<Manifest | string> {
    const bytes = await this.#world.stores.objects.read(key);
    if (bytes === undefined) return `its manifest ${key} is gone`;
    return decodeManifest(bytes, key);
  }

  async #problemsOf(key: string, manifest: Manifest): Promise<readonly string[]> {
    const problems: string[] = [];
    const about = `checkpoint ${manifest.checkpoint} of job ${manifest.job}`;
    for (const name of namedBy(manifest)) {
      if ((await this.#world.stores.objects.read(name)) === undefined) problems.push(`${about} names ${name}, which is gone`);
    }
    if (this.#seen.has(key)) return problems;
    this.#seen.add(key);
    // An import begins with positions of its own, and at least once promises no cut.
    const isCut = manifest.attempt > 0 && manifest.mode === 'exactly-once';
    const problem = isCut
      ? await cutProblem(this.#world.stores.objects, manifest.plan, manifest.shards, { isUnaligned: manifest.unaligned === true })
      : undefined;
    return problem === undefined ? problems : [...problems, `${about} is no cut: ${problem}`];
  }
}

/** State; segments too, because what is in flight would be read from them. */
function namedBy({ shards }: Manifest): readonly string[] {
  return shards.flatMap(({ deltas, segments, inFlight = [] }) => [
    ...deltas.map(({ key }) => key),
    ...segments.recent,
    ...inFlight.flatMap(({ recent, chained }) => [...recent, ...(chained === null ? [] : [chained])]),
  ]);
}
