import type { CompiledJob } from '../../lib/index.ts';
import { Choices } from './chaos-random.ts';

/** Half of the seeds have edges with a buffer timeout, each its own, and envelopes of very different size; the others have the smallest. */
export function withLinger(compiled: CompiledJob, seed: number, envelopeBytes: number, always = false): CompiledJob {
  const choices = new Choices(seed * 7_919);
  const lingers = choices.chance(0.5) || always;
  const edges = compiled.plan.edges.map((edge) => {
    if (!lingers) return { ...edge, envelopeBytes };
    const bufferTimeoutMs = choices.pick([undefined, 1, 30, 300, 2_000]);
    return {
      ...edge,
      envelopeBytes: choices.pick([1, 5, 1_000]) * envelopeBytes,
      ...(bufferTimeoutMs === undefined ? {} : { bufferTimeoutMs }),
    };
  });
  return { ...compiled, plan: { ...compiled.plan, edges } };
}
