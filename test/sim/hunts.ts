/** Where each mutant is looked for: topologies in turn, under which circumstances, and the run that is known to show it. */
import type { MutantName } from '../../lib/base/mutated.ts';
import type { FaultRates } from '../../lib/testing/sim/fault.ts';
import type { SimulateOptions } from '../../lib/testing/sim/simulate.ts';

type World = NonNullable<SimulateOptions['world']>;

export interface Hunt {
  readonly topologies: readonly string[];
  readonly world: World;
  readonly known?: readonly [topology: string, seed: number];
}

const anywhere: readonly string[] = ['ordered', 'forgetting', 'window', 'two-inputs'];
/** What lasts ends the job: a shard that meets a broken rule again and again is seen at once. */
const usual: World = { settings: { userCodeTries: 3 }, checkpoint: { retained: 3 } };

const zombies: Partial<FaultRates> = { dieUnsent: 0.25, standStill: 0.3 };
const slow = (slowSite: string): Partial<FaultRates> => ({ slowSite });
const crashes: Partial<FaultRates> = { crash: 0.05, error: 0.03 };
const manyCommits = { timersPerCommitMax: 1, sourceRecordsPerCommit: 2 };
const oftenBase = { baseAdvanceEpochs: 1, baseAdvanceRows: 1, baseAdvanceRowsQuiet: 1, baseRowsPerSlice: 1, deltaRowsPerPart: 2 };
const manyBarriers = { maxConcurrent: 3, intervalMs: 60, timeoutMs: 1_500, retained: 3 };

interface Place extends World {
  readonly in?: readonly string[];
  readonly known?: Hunt['known'];
}

const places: Partial<Record<MutantName, Place>> = {
  'every-conflict-is-ours': { rates: slow('function.shards.commit') },
  'no-witness': { in: ['delayed', 'ordered'], rates: zombies, limits: manyCommits },
  'segment-after-commit': { rates: crashes },
  'acknowledged-first': { in: ['ordered', 'chain', 'union'], rates: { ...crashes, slowSite: 'function.sinks.stage' } },
  'resend-only-for-unfinished': { in: ['ordered', 'delayed'], rates: { dieUnsent: 0.15 } },
  'segment-name-shared': { rates: slow('function.shards.commit') },
  'trimmed-at-once': { in: ['ordered', 'exchanges'], limits: { envelopeBytesMax: 60 }, rates: { stall: 0.15 } },
  'resend-not-for-unfinished': { in: ['delayed', 'ordered', 'window'], rates: zombies, limits: manyCommits },
  'resend-not-for-repeats': { in: ['ordered', 'delayed'], rates: { dieUnsent: 0.15 } },
  'unfinished-is-success': { in: ['late', 'delayed', 'ordered'], limits: manyCommits, rates: crashes },
  'last-step-uncommitted': { in: ['late', 'delayed', 'ordered'], limits: manyCommits, rates: crashes },
  'unsent-before-next': { in: ['late', 'delayed', 'ordered'], limits: manyCommits },
  'any-message-commits': { in: ['lingering', 'delayed'], rates: zombies, limits: manyCommits },
  'clock-decides': { in: ['delayed'], rates: zombies },
  'newer-attempt-dropped': { in: ['ordered', 'exchanges'], settings: { jobRecordCacheMs: 1_000 } },
  'group-in-one-call': { in: ['ordered'], rates: { partial: 0.3 } },
  'warm-unchecked': { rates: { ...zombies, crash: 0 } },
  'ghosts-count': { in: ['ordered'], settings: { userCodeTries: 1 }, limits: oftenBase, rates: slow('function.shards.read') },
  'gaps-taken': { in: ['ordered'], losing: true },
  'control-without-gaps': { in: ['ordered', 'keyed'], rates: crashes },
  'nothing-held': { in: ['ordered', 'union'] },
  'late-barrier-taken': { in: ['ordered', 'union'], checkpoint: manyBarriers, rates: crashes },
  'late-order-taken': { in: ['ordered', 'union'], checkpoint: manyBarriers, rates: crashes },
  'numbers-mixed': { in: ['ordered', 'union'], checkpoint: manyBarriers, rates: crashes },
  'superseded-dropped': { in: ['ordered', 'union'], checkpoint: manyBarriers, rates: crashes },
  'put-back-behind': { in: ['ordered', 'late'], checkpoint: manyBarriers, rates: crashes, limits: manyCommits },
  'barrier-before-timers': { in: ['late', 'window'], limits: manyCommits, checkpoint: { intervalMs: 60, retained: 3 } },
  'newest-stashed-first': { in: ['ordered'] },
  'no-base-fence': { in: ['forgetting', 'keyed'], limits: oftenBase, rates: slow('function.base.write') },
  'no-tombstone': { in: ['forgetting'], limits: oftenBase, rates: slow('function.base.write') },
  'tombstones-go-early': { in: ['forgetting'], limits: oftenBase, rates: slow('function.base.write') },
  'deltas-of-others': { in: ['forgetting', 'keyed'], limits: oftenBase },
  'floor-is-newest': { in: ['keyed'] },
  'floor-without-pins': { in: ['keyed'], checkpoint: { retained: 1 } },
  'floor-without-pending': { in: ['keyed'], checkpoint: { retained: 1, maxConcurrent: 3 } },
  'unpublished-retired': { in: ['keyed'], checkpoint: { retained: 1 }, rates: { slowSite: 'task.sinks.publish', error: 0.1 } },
  'incomplete-completes': { in: ['ordered', 'keyed'] },
  'complete-before-token': { in: ['keyed'], rates: crashes },
  'abort-clears-dirty': { in: ['keyed', 'chain'], rates: crashes },
  'name-without-try': { in: ['chain', 'keyed'], rates: crashes },
  'flow-started-twice': { in: ['chain', 'keyed'] },
  'token-unstored': { in: ['chain', 'keyed'] },
  'restore-not-newest': { in: ['chain', 'keyed'], rates: slow('task.objects.createIfAbsent') },
  'restore-not-retained': { in: ['chain', 'keyed'], rates: slow('task.objects.createIfAbsent'), checkpoint: { retained: 2, intervalMs: 100 } },
  'restore-keeps-newer': { in: ['keyed', 'chain'] },
  'late-publisher': { in: ['chain', 'keyed'], rates: slow('task.sinks.publish') },
  'fired-not-kept': { in: ['late'] },
  'timer-armed-once': { in: ['delayed'] },
  'lingering-unwritten': { in: ['lingering'] },
  'lingers-for-ever': { in: ['lingering'] },
  'lost-answer-is-lost-race': { in: ['chain', 'keyed'], rates: { answer: 0.1 } },
  'anybodys-restore': { in: ['chain'] },
};

export function huntFor(name: MutantName): Hunt {
  const { in: topologies = anywhere, known, ...world } = places[name] ?? {};
  const settings = { ...usual.settings, ...world.settings };
  const checkpoint = { ...usual.checkpoint, ...world.checkpoint };
  return { topologies, world: { ...world, settings, checkpoint }, ...(known === undefined ? {} : { known }) };
}
