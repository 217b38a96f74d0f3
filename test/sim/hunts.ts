/** Where each mutant is looked for: topologies in turn, under which circumstances, and the run that is known to show it. */
import seeds from './mutant-seeds.json' with { type: 'json' };
import type { MutantName } from '../../lib/base/mutated.ts';
import type { Decisions } from '../../lib/testing/sim/decisions.ts';
import type { CallFault, FaultRates } from '../../lib/testing/sim/fault.ts';
import type { SimulateOptions } from '../../lib/testing/sim/simulate-options.ts';

type World = NonNullable<SimulateOptions['world']>;

export interface Hunt {
  readonly topologies: readonly string[];
  readonly world: World;
  readonly known?: readonly [topology: string, seed: number];
}

const anywhere: readonly string[] = ['ordered', 'forgetting', 'window', 'two-inputs'];
/** What lasts ends the job: a shard that meets a broken rule again and again is seen at once. */
const usual: World = { healedMs: 60_000, checkpoint: { retained: 3 } };

const zombies: Partial<FaultRates> = { dieUnsent: 0.25, standStill: 0.3 };
const slow = (slowSite: string): Partial<FaultRates> => ({ slowSite });
const crashes: Partial<FaultRates> = { crash: 0.05, error: 0.03 };
const calm: Partial<FaultRates> = { crash: 0, answer: 0, error: 0, stall: 0, partial: 0, dieUnsent: 0, standStill: 0, slowSite: null };
const manyCommits = { timersPerCommitMax: 1, sourceRecordsPerCommit: 2 };
const oftenBase = { baseAdvanceEpochs: 1, baseAdvanceRows: 1, baseAdvanceRowsQuiet: 1, baseRowsPerSlice: 1, deltaRowsPerPart: 2 };
const someBase = { baseAdvanceEpochs: 3, baseAdvanceRows: 8, baseAdvanceRowsQuiet: 6, baseRowsPerStep: 4, baseRowsPerSlice: 1 };
const manyBarriers = { maxConcurrent: 3, intervalMs: 60, timeoutMs: 5_000, retained: 3, tolerableFailures: 1_000 };

/** Nothing goes wrong but that, from so many calls on. */
function only(where: string, fault: CallFault, from: number): World {
  const isHit = (decisions: Decisions, site: string, occurrence: number): boolean =>
    site === where && occurrence >= from && decisions.chance(`only/${where}`, 0.4);
  return {
    watch: (drawn, decisions) => ({ ...drawn, at: (site, occurrence) => (isHit(decisions, site, occurrence) ? fault : undefined) }),
  };
}

/** Who writes the base stands still until others have written it again. */
const lateWriters: World = {
  stallLeastMs: 2_300,
  limits: { ...oftenBase, baseRowsPerSlice: 100, baseRowsPerStep: 100, baseRowsReadPerStep: 100 },
  settings: { sourceRecordsPerCommit: 1, sourceIdleMs: 100, jobRecordCacheMs: 0 },
  checkpoint: { retained: 1, intervalMs: 60 },
  rates: { ...calm, ...slow('function.base.write'), slowShare: 0.3, people: 'restart' },
};

/** Many checkpoints, one after the other. */
const lasting: World = {
  limits: { baseAdvanceEpochs: 1, baseRowsPerSlice: 1 },
  settings: { sourceRecordsPerCommit: 1, sourceIdleMs: 200, jobRecordCacheMs: 0 },
  checkpoint: { retained: 1, intervalMs: 60 },
  rates: { ...calm, people: 'restart' },
};

/** Barriers overtake: at once, or after a while; what they overtake is much. */
const overtaking: World = {
  settings: { sourceIdleMs: 5 },
  checkpoint: { unaligned: true, alignedTimeoutMs: 0, intervalMs: 60, retained: 3 },
  rates: { people: 'restore', ...slow('function.objects.createIfAbsent') },
};
const overtakingSteps: World = { ...overtaking, limits: { sourceRecordsPerCommit: 2, timersPerCommitMax: 1 } };
const overtakingMoves: World = { ...overtaking, rates: { ...overtaking.rates, people: 'savepoint' } };
const overtakingLate: World = { ...overtaking, checkpoint: { ...overtaking.checkpoint, alignedTimeoutMs: 200, maxConcurrent: 3 } };

/** Functions die in the middle of what they work off in steps. */
const overtakingCrashes: World = {
  checkpoint: { ...overtakingLate.checkpoint },
  rates: { crash: 0.01, dieUnsent: 0.3, people: 'restart', ...slow('function.shards.read') },
};

/** A shard with more to do gets ahead of another with the same deltas, and then at once. */
const unevenBase = {
  ...{ baseAdvanceEpochs: 1_000, baseAdvanceRows: 16, baseAdvanceRowsQuiet: 16 },
  ...{ baseRowsPerStep: 1_000, baseRowsPerSlice: 1_000, baseRowsPerSliceQuiet: 1_000, baseRowsReadPerStep: 1_000 },
};

interface Place extends World {
  readonly in?: readonly string[];
}

const places: Partial<Record<MutantName, Place>> = {
  'every-conflict-is-ours': { rates: slow('function.shards.commit') },
  'acknowledged-first': { in: ['ordered', 'chain', 'union'], rates: { ...crashes, slowSite: 'function.sinks.stage' } },
  'resend-only-for-unfinished': { in: ['ordered', 'delayed'], rates: { dieUnsent: 0.15 } },
  'segment-name-shared': { rates: slow('function.shards.commit') },
  'unsent-before-next': { in: ['late', 'delayed', 'ordered'], limits: manyCommits },
  'newer-attempt-dropped': { in: ['ordered', 'exchanges'], settings: { jobRecordCacheMs: 1_000 } },
  'group-in-one-call': { in: ['ordered'], rates: { partial: 0.3 } },
  'ghosts-count': { in: ['poison', 'rescale'], settings: { jobRecordCacheMs: 1_000 } },
  'nothing-held': { in: ['ordered', 'union'] },
  'numbers-mixed': { in: ['ordered', 'union'], checkpoint: manyBarriers, rates: slow('task.messages.sendBatch') },
  'superseded-dropped': { in: ['ordered', 'union'], checkpoint: manyBarriers, rates: slow('task.messages.sendBatch') },
  'barrier-before-timers': { in: ['late', 'window'], limits: manyCommits, checkpoint: { intervalMs: 60, retained: 3 } },
  'newest-stashed-first': { in: ['ordered'] },
  'floor-is-newest': { in: ['keyed'] },
  'floor-without-pins': { in: ['keyed'], checkpoint: { retained: 1 } },
  'incomplete-completes': { in: ['ordered', 'keyed'] },
  'restore-keeps-newer': { in: ['chain', 'keyed'], checkpoint: { intervalMs: 100, retained: 3 }, rates: { people: 'restore' } },
  'fired-not-kept': { in: ['late'] },
  'timer-armed-once': {
    in: ['delayed'],
    silent: true,
    rates: { people: 'restore', crash: 0 },
    checkpoint: { retained: 1, intervalMs: 100 },
  },
  'stop-not-taken-back': { in: ['chain', 'ordered'], checkpoint: { timeoutMs: 400, tolerableFailures: 1_000 }, rates: { people: 'move' } },
  'periodic-during-stop': { in: ['chain', 'keyed'], checkpoint: { intervalMs: 50, tolerableFailures: 1_000 }, rates: { people: 'move' } },
  'newest-delta-first': { in: ['union', 'keyed'], limits: someBase, checkpoint: { retained: 1, intervalMs: 100 } },
  'published-before-parts': { in: ['chain', 'union'], rates: crashes },
  'pin-never': { in: ['chain', 'keyed'], rates: { people: 'savepoint' }, checkpoint: { retained: 1 } },
  'floor-without-pending': {
    in: ['keyed'],
    rates: { people: 'savepoint', ...slow('task.objects.createIfAbsent') },
    checkpoint: { retained: 1, maxConcurrent: 3, intervalMs: 50 },
  },
  'unpublished-retired': {
    in: ['chain'],
    rates: { ...slow('task.sinks.publish'), error: 0.1 },
    checkpoint: { retained: 1, intervalMs: 50 },
  },
  'collector-without-age': { in: ['ordered', 'keyed'], rates: slow('function.shards.commit'), checkpoint: { intervalMs: 100 } },
  'abort-clears-dirty': { in: ['chain', 'keyed'], checkpoint: { timeoutMs: 300, tolerableFailures: 1_000 } },
  'restore-not-newest': {
    in: ['chain', 'keyed'],
    rates: { people: 'restore', ...slow('task.jobs.replace') },
    checkpoint: { intervalMs: 50 },
  },
  'import-stamped': {
    in: ['keyed', 'forgetting'],
    limits: oftenBase,
    rates: { people: 'move' },
    checkpoint: { retained: 1, intervalMs: 100 },
  },
  'import-into-the-running': { in: ['keyed'], limits: oftenBase, rates: { people: 'back' }, checkpoint: { intervalMs: 100 } },
  'import-keeps-numbers': { in: ['two-phase-sink', 'chain'], rates: { people: 'back' }, checkpoint: { intervalMs: 100 } },
  'sources-stay-off': { in: ['chain'], rates: { people: 'move' } },
  'anybodys-restore': { in: ['chain'], checkpoint: { timeoutMs: 200 }, rates: { people: 'restore', ...slow('task.jobs.replace') } },
  'no-witness': { in: ['chain'], rates: { ...zombies, people: 'restore' } },
  'restore-not-retained': {
    in: ['chain'],
    rates: { people: 'restore', ...slow('task.jobs.replace') },
    checkpoint: { retained: 2, intervalMs: 50 },
  },
  'clock-decides': {
    in: ['delayed'],
    settings: { sourceIdleMs: 20 },
    rates: { ...calm, dieUnsent: 0.4, standStill: 0.4, wakeUp: 0.8, redelivery: 0.2, people: 'restart' },
  },
  'segment-after-commit': { in: ['keyed', 'ordered'] },
  'control-without-gaps': {
    in: ['chain'],
    rates: { crash: 0.03, ...slow('task.messages.sendBatch') },
    checkpoint: { timeoutMs: 400, tolerableFailures: 1_000 },
  },
  'name-without-try': { in: ['chain'], checkpoint: { timeoutMs: 300, tolerableFailures: 1_000 } },
  'own-parts-discarded': { in: ['chain'], rates: { ...crashes, people: 'restore' }, checkpoint: { intervalMs: 50 } },
  'failed-savepoint-stays-pending': {
    in: ['chain'],
    checkpoint: { timeoutMs: 300, tolerableFailures: 1_000 },
    rates: { people: 'savepoint', crash: 0.03 },
  },
  'gaps-taken': { in: ['ordered', 'union'], losing: true, healedMs: 10_000, rates: { people: 'restart' } },
  'no-base-fence': { in: ['keyed', 'forgetting'], ...lateWriters },
  'lingering-unwritten': { in: ['lingering'] },
  'lingers-for-ever': { in: ['lingering'] },
  'collector-without-exports': {
    in: ['rescale', 'two-phase-sink'],
    settings: { sourceRecordsPerCommit: 1, sourceIdleMs: 300 },
    stallLeastMs: 1_000,
    checkpoint: { retained: 1, intervalMs: 200 },
    rates: { ...calm, people: 'savepoint', ...slow('task.savepoints.createIfAbsent'), slowShare: 0.7 },
  },
  'export-unheld': {
    in: ['chain', 'keyed'],
    checkpoint: { retained: 1, intervalMs: 60, timeoutMs: 300, tolerableFailures: 0 },
    rates: { people: 'savepoint', ...slow('task.sinks.exportPart'), slowShare: 0.7, crash: 0.02 },
  },
  'committed-stop-forgotten': {
    in: ['delayed', 'keyed'],
    limits: oftenBase,
    checkpoint: { intervalMs: 50, retained: 3 },
    rates: { ...calm, people: 'move', ...slow('task.sinks.publish'), slowShare: 0.8 },
  },
  'restored-end-changes-nothing': {
    in: ['chain', 'keyed'],
    rates: { people: 'savepoint', ...slow('task.sinks.publish'), slowShare: 0.8, crash: 0 },
  },
  'arrival-starts-nothing': { in: ['pushed'] },
  'loop-ends-early': { in: ['pushed'], settings: { sourceRecordsPerCommit: 1 } },
  'arrivals-without-gaps': { in: ['pushed'] },
  'arrival-unsent': { in: ['pushed'], ...only('intake.messages.sendBatch', 'error', 0), rates: { ...calm, people: 'restart' } },
  'job-read-first': {
    in: ['pushed'],
    stallLeastMs: 1_000,
    ...only('intake.intake.append', 'stall-before', 30),
    rates: { ...calm, people: 'restore' },
  },
  'parts-in-any-order': { in: ['chain', 'union'], checkpoint: { timeoutMs: 300, tolerableFailures: 1_000 } },
  'put-back-behind': { in: ['set-aside'], checkpoint: manyBarriers, rates: slow('function.shards.read') },
  'no-tombstone': { in: ['closing'], ...lateWriters },
  'tombstones-go-early': { in: ['closing'], ...lateWriters },
  'deltas-of-others': {
    in: ['keyed', 'ordered'],
    limits: unevenBase,
    settings: { sourceRecordsPerCommit: 1, sourceIdleMs: 60, jobRecordCacheMs: 0 },
    rates: { ...calm, people: 'restore' },
    checkpoint: { retained: 1, intervalMs: 60 },
  },
  'keyless-overtaken': { in: ['chain', 'broadcast', 'ordered'], ...overtaking },
  'overtaken-not-held': { in: ['ordered', 'union'], ...overtakingLate },
  'half-envelope-cut': { in: ['set-aside'], ...overtakingLate },
  'stash-not-in-flight': { in: ['ordered', 'union'], ...overtakingSteps, ...overtakingCrashes },
  'own-segment-unlisted': { in: ['ordered', 'union'], ...overtaking },
  'older-epochs-unlisted': { in: ['ordered', 'union'], ...overtaking },
  'in-flight-of-last-epoch': { in: ['ordered', 'union'], ...overtaking },
  'in-flight-not-kept': { in: ['ordered', 'union'], ...overtaking, checkpoint: { ...overtaking.checkpoint, retained: 1 } },
  'in-flight-not-replayed': { in: ['ordered', 'union'], ...overtaking },
  'replay-last': { in: ['ordered', 'union'], ...overtaking },
  'replay-in-one-step': { in: ['ordered', 'union'], ...overtakingSteps },
  'in-flight-by-number': { in: ['union', 'rescale'], ...overtaking },
  'in-flight-of-others': { in: ['ordered', 'union'], ...overtaking },
  'collector-without-in-flight': { in: ['ordered', 'union'], ...overtaking },
  'savepoint-without-in-flight': { in: ['ordered', 'union'], ...overtakingMoves },
  'segments-for-ever': { in: ['keyed', 'ordered'], ...lasting },
  'base-in-slices-only': { in: ['keyed', 'ordered'], ...lasting },
  'base-stands-still': { in: ['keyed', 'ordered'], ...lasting },
  'passed-over-waits': {
    in: ['two-inputs', 'keyed'],
    rates: { people: 'savepoint', ...slow('task.messages.sendBatch'), slowShare: 0.5 },
    checkpoint: { intervalMs: 60, timeoutMs: 120_000, retained: 1 },
  },
  'out-of-time-is-done': { in: ['ordered', 'delayed'], toldMs: 60 },
  'stops-uncommitted': { in: ['ordered', 'delayed'], limits: manyCommits, toldMs: 60 },
  'first-step-refused': { in: ['ordered'], toldMs: 60 },
  'care-never': { in: ['ending'] },
  'replay-without-care': { in: ['ending-overtaken'], healedMs: 180_000 },
  'suspects-unwritten': { in: ['ending'] },
  'suspects-stay': { in: ['set-aside'], settings: { triesBeforeCare: 1, triesAlone: 4 }, rates: { ...calm, error: 0.1 } },
  'suspects-taken-back-unsent': {
    in: ['ordered', 'set-aside'],
    settings: { triesBeforeCare: 1 },
    rates: { ...calm, error: 0.2, dieUnsent: 0.3 },
  },
  'put-off-dropped': { in: ['set-aside', 'poison'] },
};

export function huntFor(name: MutantName): Hunt {
  const { in: topologies = anywhere, ...world } = places[name] ?? {};
  const known = (seeds as unknown as Partial<Record<MutantName, Hunt['known']>>)[name];
  const checkpoint = { ...usual.checkpoint, ...world.checkpoint };
  return { topologies, world: { ...usual, ...world, checkpoint }, ...(known === undefined ? {} : { known }) };
}
