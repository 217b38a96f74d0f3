/**
 * Whoever sends to push sources: a few messages at a time, again and again until an intake has acknowledged them, some of them once more though it has; and
 * when all are taken it says that there are no more.
 */
import { closeIntake, createIntake } from '../../intake/take-in.ts';
import { takeMessages, type QueueMessage } from '../../intake/take-messages.ts';
import type { Intake } from '../../intake/wake-source.ts';
import { intakeOptionsOf } from '../../model/intake.ts';
import type { JobPlan } from '../../model/job-plan.ts';
import type { Decisions } from './decisions.ts';
import type { People } from './people.ts';
import type { Services } from './services.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Texts of messages, by intake. */
export type Feeds = Readonly<Record<string, readonly string[]>>;

interface Feeding {
  readonly services: Services;
  readonly people: People;
  readonly time: VirtualTime;
  readonly decisions: Decisions;
}

const batchMax = 4;
const pauseMs = 250;

export async function feedAll(feeding: Feeding, plan: JobPlan, feeds: Feeds): Promise<void> {
  const sources = plan.vertices.flatMap(({ uid, operators }) => {
    const options = intakeOptionsOf(operators[0]!.connector);
    return options === undefined ? [] : [{ uid, name: options.intake, partitions: options.partitions }];
  });
  await Promise.all(sources.map((source) => feed(feeding, source, feeds[source.name] ?? [])));
}

async function feed(feeding: Feeding, source: Omit<Intake, 'job'>, texts: readonly string[]): Promise<void> {
  const { decisions, time } = feeding;
  const messages = texts.map((text, n): QueueMessage => ({ messageId: `${source.name} ${n}`, fifo: null, text }));
  for (let at = 0; at < messages.length;) {
    const batch = messages.slice(at, at + 1 + decisions.below('feed/batch', batchMax));
    await deliver(feeding, source, batch);
    at += batch.length;
    if (decisions.chance('feed/again', 0.2)) await deliver(feeding, source, batch);
    await time.sleep(decisions.fraction('feed/pause') * pauseMs);
  }
  const close = (intake: Intake) => feeding.services.invokeIntake(async (deps) => (await closeIntake(deps, intake), true));
  while ((await close({ ...source, job: feeding.people.job })) !== true) await time.sleep(decisions.fraction('feed/close') * pauseMs);
}

/** The job is whichever runs now: one that was restored from a savepoint may be another. */
async function deliver(
  { services, people, time, decisions }: Feeding,
  source: Omit<Intake, 'job'>,
  batch: readonly QueueMessage[],
): Promise<void> {
  for (let left = batch; ;) {
    const offered = left;
    const failed = await services.invokeIntake((deps) => takeMessages(createIntake(deps, { ...source, job: people.job }), offered));
    left = offered.filter(({ messageId }) => failed === undefined || failed.includes(messageId));
    if (left.length === 0) return;
    await time.sleep(decisions.fraction('feed/retry') * pauseMs);
  }
}
