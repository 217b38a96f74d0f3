/** The circumstances under which every call of the protocol is reached: its work, and each way in which it fails. */
import type { CallFault } from '../../../lib/testing/sim/fault.ts';
import type { SimulatedCircumstances } from '../../../lib/testing/sim/simulate-options.ts';
import { acts } from './acts.ts';

export interface Scenario {
  readonly name: string;
  readonly topology: string;
  readonly world: SimulatedCircumstances;
  /** Calls that are hit besides, how and how often: by `role.port.method`. */
  readonly also?: Readonly<Record<string, readonly [CallFault, number]>> | undefined;
}

/** Nothing goes wrong but what is asked for. */
const calm = { crash: 0, answer: 0, error: 0, stall: 0, zombie: 0, partial: 0, dieUnsent: 0, standStill: 0, slowSite: null } as const;
/** So slow that a script is over before the records are. */
const slowly = { sourceRecordsPerCommit: 1, sourceIdleMs: 600 };
const quickly = { sourceRecordsPerCommit: 1, sourceIdleMs: 20 };
const held = { retained: 3, retentionOnCancellation: 'retain', intervalMs: 200, timeoutMs: 3_000, tolerableFailures: 1_000 } as const;
const usual: SimulatedCircumstances = { rates: calm, settings: slowly, checkpoint: held, sweepMs: 1_500 };
const oftenBase = { baseAdvanceEpochs: 1, baseAdvanceRows: 1, baseAdvanceRowsQuiet: 1, baseRowsPerSlice: 1, deltaRowsPerPart: 2 };

const everything = acts.inTurn(
  acts.checkpoints(1),
  acts.savepoint,
  acts.change({ intervalMs: 150 }),
  acts.checkpoint,
  acts.restore,
  acts.checkpoints(1),
  acts.cancel,
  acts.restoreFromNowhere,
  acts.deadLetters,
  acts.checkpoints(1),
  acts.cancelWithSavepoint,
  acts.move,
  acts.checkpoints(1),
  acts.keepGoing,
);

/** Everything that a job goes through, as short as can be: all single faults of these are tried. */
const life = acts.inTurn(acts.checkpoints(1), acts.savepoint, acts.restore, acts.move, acts.keepGoing);
const brief: SimulatedCircumstances = {
  ...usual,
  settings: { sourceRecordsPerCommit: 2, sourceIdleMs: 400 },
  checkpoint: { ...held, intervalMs: 400 },
  limits: { baseAdvanceEpochs: 1, baseAdvanceRowsQuiet: 1 },
};

export const exhausted: readonly Scenario[] = [
  { name: 'chain', topology: 'small-chain', world: { ...brief, script: life } },
  { name: 'exchange by key', topology: 'small-keyed', world: { ...brief, script: life } },
  { name: 'windows', topology: 'small-window', world: { ...brief, script: life } },
];

export const scenarios: readonly Scenario[] = [
  { name: 'everything on a chain', topology: 'small-chain', world: { ...usual, script: everything } },
  { name: 'everything on an exchange by key', topology: 'small-keyed', world: { ...usual, script: everything, limits: oftenBase } },
  { name: 'everything on windows', topology: 'small-window', world: { ...usual, script: everything, limits: oftenBase } },
  {
    name: 'deployments of other versions',
    topology: 'small-keyed',
    world: { ...usual, script: acts.inTurn(acts.checkpoints(1), acts.deploy, acts.checkpoints(1), acts.deploy, acts.keepGoing) },
  },
  {
    name: 'a source that others send to',
    topology: 'pushed',
    world: {
      ...usual,
      settings: quickly,
      script: acts.inTurn(acts.move, acts.checkpoints(2), acts.move, acts.checkpoints(2), acts.keepGoing),
    },
  },
  {
    name: 'maps by entry',
    topology: 'small-maps',
    world: {
      ...usual,
      settings: { ...slowly, sourceIdleMs: 200, stateCacheKeys: 1, stateCacheEntries: 1 },
      limits: { ...oftenBase, mapSweepRows: 1 },
      script: acts.inTurn(acts.checkpoints(3), acts.restore, acts.checkpoints(3), acts.restore, acts.keepGoing),
    },
  },
  {
    name: 'user code that fails',
    topology: 'small-faltering',
    world: {
      ...usual,
      mayFail: true,
      script: acts.inTurn(
        acts.checkpoints(1),
        acts.change({}, { type: 'fixed-delay', attempts: 2, delayMs: 200 }),
        acts.checkpoints(1),
        acts.change({}, { type: 'none' }),
        acts.keepGoing,
      ),
    },
  },
  {
    name: 'savepoints of which several are asked for at once, and processes that end',
    topology: 'small-keyed',
    world: { ...usual, script: acts.inTurn(acts.twoSavepoints, acts.restart, acts.twoSavepoints, acts.move, acts.restart, acts.keepGoing) },
  },
  {
    name: 'savepoints that are hard to write',
    topology: 'small-keyed',
    world: { ...usual, script: acts.inTurn(acts.savepoint, acts.savepoint, acts.move, acts.keepGoing) },
    also: { 'task.savepoints.createIfAbsent': ['twice', 0.5], 'task.objects.createIfAbsent': ['crash-before', 0.15] },
  },
  {
    name: 'savepoints that cannot be written',
    topology: 'small-keyed',
    world: { ...usual, script: acts.inTurn(acts.savepoint, acts.savepoint, acts.savepoint, acts.keepGoing) },
    also: { 'task.savepoints.createIfAbsent': ['error', 0.75] },
  },
  {
    name: 'checkpoints that come too late',
    topology: 'small-keyed',
    world: {
      ...usual,
      checkpoint: { ...held, timeoutMs: 300, intervalMs: 50 },
      script: acts.inTurn(acts.checkpoints(3), acts.restore, acts.keepGoing),
    },
    also: { 'message.acknowledgements.put': ['stall-before', 0.3] },
  },
  {
    name: 'checkpoints that overtake each other',
    topology: 'union',
    world: { ...usual, settings: quickly, checkpoint: { ...held, maxConcurrent: 3, intervalMs: 50 }, script: acts.keepGoing },
    also: { 'task.messages.sendBatch': ['stall-before', 0.4] },
  },
  {
    name: 'barriers that overtake records',
    topology: 'ordered',
    world: {
      ...usual,
      settings: quickly,
      checkpoint: { ...held, unaligned: true, intervalMs: 50 },
      script: acts.inTurn(acts.savepoint, acts.cancelAndGoOn, acts.keepGoing),
    },
    also: { 'function.shards.read': ['stall-before', 0.05] },
  },
  {
    name: 'objects that are not found',
    topology: 'small-keyed',
    world: { ...usual, mayFail: true, limits: oftenBase, script: acts.inTurn(acts.checkpoints(2), acts.restore, acts.keepGoing) },
    also: { 'function.objects.read': ['missing', 0.5] },
  },
  {
    name: 'many commits between checkpoints',
    topology: 'keyed',
    world: { ...usual, settings: quickly, checkpoint: { ...held, intervalMs: 4_000, timeoutMs: 60_000 }, script: acts.keepGoing },
  },
];
