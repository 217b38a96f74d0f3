/** What the adapters of S3 are given. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Random, Timers } from '../../ports/system.ts';

export interface S3Access {
  readonly client: S3Client;
  readonly timers: Timers;
  readonly random: Random;
  /** Larger objects go up in parts, each of which is tried again by itself: S3 wants parts of 5 MiB at least, 10,000 at most. */
  readonly multipartAboveBytes?: number;
  readonly partBytes?: number;
}

const firstPauseMs = 25;
const pauseMsMax = 1_000;

/** Full jitter, so that those who met each other do not meet again. */
export async function pauseBeforeTry({ timers, random }: S3Access, tries: number): Promise<void> {
  const pauseMs = Math.min(firstPauseMs * 2 ** (tries - 1), pauseMsMax) * random.fraction();
  await new Promise<void>((resolve) => timers.after(pauseMs, resolve));
}
