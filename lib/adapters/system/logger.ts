/**
 * Logs for people (one line of text) and for machines (one JSON object per line), to standard error: standard output belongs to results.
 * A fact that cannot be written as JSON never breaks the program that reports it.
 */
import type { Clock, Logger } from '../../ports/system.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LoggerOptions {
  readonly clock: Clock;
  readonly format: 'text' | 'json';
  /** What is below it is dropped; default `info`. */
  readonly level?: LogLevel;
  /** Default: standard error. */
  readonly write?: (line: string) => void;
}

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const lowest = severity[options.level ?? 'info'];
  const render = options.format === 'json' ? jsonLine : textLine;
  return {
    log(level, message, facts) {
      if (severity[level] >= lowest) write(render(options.clock.now(), level, message, facts ?? {}));
    },
  };
}

export const silentLogger: Logger = { log: () => undefined };

type Facts = Readonly<Record<string, unknown>>;

/** `time`, `level` and `message` come last, so that no fact of the same name can forge them. */
function jsonLine(nowMs: number, level: LogLevel, message: string, facts: Facts): string {
  return `${JSON.stringify({ ...plain(facts), time: new Date(nowMs).toISOString(), level, message })}\n`;
}

/** Line breaks inside are escaped: one event is one line, whatever a record's key or an error's text holds. */
function textLine(nowMs: number, level: LogLevel, message: string, facts: Facts): string {
  const pairs = Object.entries(plain(facts)).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? quoteIfNeeded(value) : JSON.stringify(value)}`,
  );
  return `${new Date(nowMs).toISOString()} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}${pairs.join('')}\n`;
}

function quoteIfNeeded(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}

function plain(facts: Facts): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return value.message;
  try {
    const text = JSON.stringify(value);
    return text === undefined ? String(value) : (JSON.parse(text) as unknown);
  } catch {
    return '(not writable as JSON)';
  }
}
