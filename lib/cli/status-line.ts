/** Progress for people: one line in place on a terminal, a line now and then elsewhere. Log lines go above it. */
import type { CliIo } from './cli-io.ts';

export interface StatusLine {
  /** Replaces the line on a terminal; elsewhere written only when some time has passed since the last. */
  readonly show: (text: string) => void;
  /** A line that stays. */
  readonly print: (text: string) => void;
  /** The line that was shown last stays, and the cursor is below it. */
  readonly end: () => void;
}

const clearLine = '\r\u001b[2K';
const plainEveryMs = 5_000;

export function createStatusLine(io: CliIo): StatusLine {
  return io.isTerminal ? inPlace(io) : plainLines(io);
}

function inPlace(io: CliIo): StatusLine {
  let shown = '';
  const cut = (text: string): string => text.slice(0, Math.max(1, io.columns() - 1));
  return {
    show: (text) => {
      shown = text;
      io.err(`${clearLine}${cut(text)}`);
    },
    print: (text) => io.err(`${shown === '' ? '' : clearLine}${text}${shown === '' ? '' : cut(shown)}`),
    end: () => {
      if (shown !== '') io.err('\n');
      shown = '';
    },
  };
}

function plainLines(io: CliIo): StatusLine {
  let writtenAtMs = -Infinity;
  return {
    show: (text) => {
      const nowMs = io.clock.monotonic();
      if (nowMs - writtenAtMs < plainEveryMs) return;
      writtenAtMs = nowMs;
      io.err(`${text}\n`);
    },
    print: (text) => io.err(text),
    end: () => undefined,
  };
}
