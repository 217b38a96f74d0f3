/**
 * Rules of the protocol, each of which can be switched off, to see that the simulator notices (docs/testing.md, Mutants).
 *
 * MU1. `mutated` is false unless a test has switched that very mutant on, in its own process.
 * MU2. It stands only where work is done per commit, per message or per task, never per record.
 * MU3. The package that users install has none of it: the build writes `false` in place of each call (scripts/strip-mutants.ts).
 */

/** Name → the rule that is broken, by its mark in the file's header or its section of the design. The place is where the name stands in lib/. */
export const mutantRules = {
  // The commit and what follows from it.
  'no-version-condition': 'CM1: a commit is conditional on the version that was loaded',
  'every-conflict-is-ours': 'CM2: only the stored try id tells a lost answer from a lost race',
  'no-witness': 'CM3: every commit names its witness, and whoever holds it sends again',
  'never-dirty': 'CM4: the first change of an epoch is told to the coordinator',
  'segment-name-shared': 'design §4.4: a segment has a name that no other try can use',
  'segment-after-commit': 'design §4.4: the segment is written before the record that names it',
  'dedup-id-without-attempt': 'design §3: the deduplication id has the attempt in it',
  'resend-never': 'PM2: the last segment is sent again before the first commit where anything hints at it',
  'resend-only-for-unfinished': 'PM2: what was received before, is a duplicate or the witness, is such a hint',
  'unsent-before-next': 'design §4: each commit is sent before the next',
  'clock-decides': 'PM5: processing time advances only with a fresh message',
  'old-attempt-taken': 'PM4: messages of an older attempt are dropped',
  'newer-attempt-dropped': 'reliability §2.6.2: a message of a newer attempt is left in the queue, and the job record read again',
  'acknowledged-first': 'SE2: the acknowledgement comes after every effect of its epoch',
  'group-in-one-call': 'SE3: no two messages of one group in a call',
  'refusal-ignored': 'reliability §2.6.4: what a batch call refused is sent again',
  'only-first-failed': 'OF1: in a group everything from the first failed message on is failed',
  'failed-try-stays-warm': 'OF2: a failed try drops the shard from memory',
  'ghosts-count': 'OF3: an error counts only after job and shard record have been read again',
  'any-plan': 'OF4: a function of another plan leaves messages in the queue',
  // Channels and control messages.
  'duplicates-taken': 'G1: what is at or below the last number is a duplicate',
  'gaps-taken': 'G1: a gap is never passed over',
  'control-without-gaps': 'G2: gaps in control numbers are legal',
  'wake-without-gaps': 'design §9: a wake-up is accepted upwards, not only as last + 1',
  // Barriers, alignment, stash.
  'nothing-held': 'design §5: behind its barrier a channel is held',
  'first-barrier-cuts': 'design §5: a snapshot waits for the barrier of every channel',
  'ended-not-awaited': 'B5: an ended channel still brings barriers',
  'numbers-mixed': 'B1, B2: a cut is of one number; a newer barrier ends the older alignment',
  'superseded-dropped': 'B2: what a superseded alignment held is processed',
  'barrier-before-timers': 'RE4: due timers fire before the barrier behind them',
  'put-back-behind': 'RE5: what is put back stands before what followed it on its channel',
  'newest-stashed-first': 'RE1: per channel the order of arrival is kept in a replay',
  'stash-not-replayed': 'design §5: what was held is replayed after the snapshot',
  // Snapshots.
  'position-last-received': 'SN1: the position in a cut is that of the barrier',
  'only-newest-delta': 'SN2: state = base + all deltas that the manifest lists',
  'parts-of-aborted-forgotten': 'SN4: a snapshot names every part newer than what is published',
  'dirty-once': 'T1, CM4: each epoch tells of its first change',
  // The base.
  'base-above-floor': 'AB1: the base advances to the floor, no further',
  'deltas-leave-first': 'AB2: a delta leaves the record after its rows are in the base',
  'newest-delta-first': 'AB2: deltas enter the base in order of their epochs',
  'no-base-fence': 'K1, design §6: writes of the base are fenced by epoch',
  'no-tombstone': 'design §6: a delete is a tombstone with its epoch',
  'tombstones-go-early': 'design §6: a tombstone stays for the longest life of an invocation',
  'deltas-of-others': 'D3: a delta counts for the key groups of its reference only',
  'unwritten-evicted': 'KB2: a key leaves memory only when the base has its last change',
  // Retention and the floor.
  'floor-is-newest': 'R1: the floor is the oldest that is held',
  'floor-without-pins': 'R1, C2: a pinned checkpoint holds the floor',
  'floor-without-pending': 'R1: a pending savepoint holds the floor',
  'pin-never': 'C2: a pin is set in the write that completes its checkpoint',
  'unpublished-retired': 'R4: what is not published is not retired',
  'collector-without-retained': 'CG1: retained manifests are roots',
  'collector-without-records': 'CG1: shard records are roots',
  'collector-without-exports': 'CG1: the progress of unfinished exports is a root',
  'nothing-collected': 'CG1: what nothing names goes',
  'segments-for-ever': 'design §6: a segment is named for as long as somebody may still need it',
  'base-in-slices-only': 'AB3: a base that lags too far follows in whole steps, whoever comes',
  'base-stands-still': 'AB1: the base follows the floor',
  'collector-without-age': 'CG2: only what is older than the longest life of an invocation is collected',
  // Completion, publication, the end.
  'incomplete-completes': 'M1, design §5: a checkpoint is complete when every shard has acknowledged',
  'passed-over-waits': 'CC3: what an older checkpoint lacks when a savepoint is complete never comes',
  'manifest-after-completion': 'CC1: the manifest exists before the record names it',
  'abort-clears-dirty': 'T1: an abort answers nothing',
  'export-unheld': 'EX4: what a savepoint has read counts only where its checkpoint is still held',
  'savepoint-clears-dirty': 'T1: an intermediate savepoint answers nothing',
  'published-before-parts': 'PU1: every part is visible before `published` passes its manifest',
  'parts-in-any-order': 'PU3: of one operator’s shard parts become visible oldest first',
  'finished-unpublished': 'CC2: FINISHED waits for publication',
  'name-without-try': 'SC2: what follows a failed checkpoint has another name',
  // Restores and attempts.
  'restore-not-newest': 'S1: where the newest was wanted it must still be the newest',
  'restore-not-retained': 'S1: a restore is conditional on its checkpoint being held',
  'restore-keeps-newer': 'S2: a restore forgets every newer checkpoint',
  'numbers-reused': 'S4: numbers are never reused',
  'no-boot-loop': 'LD3: whoever initialises a source starts its loop',
  'end-not-repeated': 'LD3: end of input is repeated on the new channels',
  'restored-end-changes-nothing': 'ADR 26: the end of input that a restored source begins with is a change',
  'timer-armed-once': 'WU1: whoever starts cold arms the next timer again',
  'early-wake-arms-nothing': 'SD3: whoever accepts a wake-up, even too early, arms the next',
  'fired-not-kept': 'design §6: how far timers have fired is kept by key group',
  'own-parts-discarded': 'RJ2: only what the given-up attempt staged is removed',
  'import-stamped': 'IM1: imported rows have version 0',
  'import-into-the-running': 'IM1: beside a running job an import has a namespace of its own',
  'import-keeps-numbers': 'IM4: an imported part is published with the checkpoint that it belongs to now',
  'sources-stay-off': 'TE2: whoever resumes a job turns its event sources on',
  // Unfinished work is guarded (ADR 26), stops.
  'failed-savepoint-stays-pending': 'ADR 26: whoever fails a savepoint aborts its checkpoint',
  'anybodys-restore': 'ADR 26: a restore without a descriptor is ours only where its plan is',
  'committed-stop-forgotten': 'ADR 26: a stop is open until the job is FINISHED',
  'periodic-during-stop': 'T4: nothing periodic between a stop order and its outcome',
  'stop-not-taken-back': 'design §8: a failed stop restores, because sources have ended for it',
  'stop-retained-at-once': 'C3: a stop’s checkpoint is pinned until its export is done',
  // In-flight data: what an unaligned checkpoint overtakes.
  'keyless-overtaken': 'U1: channels without a key stay aligned',
  'overtaken-not-held': 'U2, design §5: what was sent behind a snapshot is processed behind the receiver’s own',
  'half-envelope-cut': 'SN1: of an envelope that is begun, what is left is in flight',
  'stash-not-in-flight': 'SN1: what waits in the stash when a barrier is overtaken is in flight',
  'own-segment-unlisted': 'SN5: the snapshot’s own segment is listed',
  'older-epochs-unlisted': 'SN5: segments of older epochs that a receiver may lack are listed',
  'in-flight-of-last-epoch': 'IF2: the segments that a manifest lists hold all that is in flight',
  'in-flight-not-kept': 'C5, design §6: senders keep what a completed checkpoint lists as in flight',
  'in-flight-not-replayed': 'RF1, design §7: in-flight data is replayed by its receivers',
  'replay-last': 'RF1: a replay is finished before any message is accepted',
  'replay-in-one-step': 'RF3: the record says how far a replay is',
  'in-flight-by-number': 'IF3: a record with a key goes to the shard that has its key now',
  'in-flight-of-others': 'IF3: a shard replays the records of its own key groups only',
  'collector-without-in-flight': 'CG1: segments with in-flight data are named by their manifest',
  'savepoint-without-in-flight': 'ADR 27: a savepoint holds what is in flight',
  // Push sources and what feeds them.
  'arrival-starts-nothing': 'PS1: an arrival starts the loop of a source at rest',
  'loop-ends-early': 'PS2: the loop ends with a read that found nothing',
  'arrivals-without-gaps': 'PS3: arrivals are accepted upwards, and gaps are legal',
  'arrival-unsent': 'TI1: a record is taken when its source has been told',
  'job-read-first': 'TI2: the job record is read after the entry is written',
  // Records that are set aside.
  'put-off-dropped': 'DP2, RE4: what is left of an envelope is unfinished work',
  // Time that runs out, and records that end the process.
  'out-of-time-is-done': 'PM6: what there was no time for comes again',
  'stops-uncommitted': 'PM6: who stops has committed what it did',
  'first-step-refused': 'WT1: the first step is always begun',
  'care-never': 'CR1: a batch that comes again and again is worked off with care',
  'replay-without-care': 'CR1: also what a restore has in flight, which every process begins anew',
  'suspects-unwritten': 'CR2: what is tried is written down first',
  'suspects-stay': 'CR3: who lives takes the note back',
  'suspects-taken-back-unsent': 'PM2, CR3: the last segment is sent again before the note is taken back',
  // What lingers.
  'lingering-unwritten': 'LO1: what lingers is in the commit’s segment',
  'lingers-for-ever': 'LO2: records linger while the number before them is the last',
} as const satisfies Readonly<Record<string, string>>;

export type MutantName = keyof typeof mutantRules;

let switchedOn: MutantName | null = null;

export function mutated(name: MutantName): boolean {
  return name === switchedOn;
}

/** For tests and the simulator’s own examination; null = none. */
export function switchMutant(name: MutantName | null): void {
  switchedOn = name;
}
