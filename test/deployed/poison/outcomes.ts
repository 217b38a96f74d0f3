import { setTimeout as sleep } from 'node:timers/promises';
import type { Line, PoisonWorld } from './poison-world.ts';
import type { Outcome } from './records.ts';

const lookEveryMs = 300;

/** What it finds, as soon as it does. */
export async function until<T>(look: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
  for (const endsAt = Date.now() + timeoutMs; ; await sleep(lookEveryMs)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > endsAt) throw new Error(`it has not come within ${timeoutMs} ms`);
  }
}

export function withLines(texts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [Buffer.from(text as string), Buffer.from('\n')]));
}

export async function becameOf(world: PoisonWorld, becomes: Outcome): Promise<true | undefined> {
  return (await hasBecome(world, becomes)) ? true : undefined;
}

async function hasBecome(world: PoisonWorld, becomes: Outcome): Promise<boolean> {
  switch (becomes.kind) {
    case 'letter':
      return (await world.letters()).some(
        ({ operator, code, message }) => operator === becomes.operator && code === becomes.code && becomes.says.test(message),
      );
    case 'malformed':
      return (await world.published('malformed')).some(({ reason }) => becomes.says.test(String(reason)));
    case 'lines': {
      const lines = await world.published(becomes.branch);
      return becomes.lines.every((wanted) => lines.some((line) => isLike(line, wanted)));
    }
    case 'refused':
      return true;
  }
}

function isLike(line: Line, wanted: object): boolean {
  return Object.entries(wanted).every(([name, value]) => JSON.stringify(line[name]) === JSON.stringify(value));
}
