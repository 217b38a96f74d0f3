/** Errors for people and for programs: code, what happened, cause, what to do next. */
import { errorCode, errorMessage, type ErrorFacts, type SluiceError } from '../base/errors.ts';
import type { CliIo } from './cli-io.ts';

interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly cause: string | null;
  readonly hint: string;
  readonly facts: ErrorFacts;
}

export function reportOf(error: unknown): ErrorReport {
  const code = errorCode(error);
  if (code?.startsWith('SLUICE-') !== true) {
    return {
      code: 'SLUICE-UNEXPECTED',
      message: errorMessage(error),
      cause: error instanceof Error ? (error.stack ?? null) : null,
      hint: 'This is a fault in Sluice. Report it with the lines above.',
      facts: {},
    };
  }
  const { message, hint, facts, cause } = error as SluiceError;
  return { code, message, cause: cause === undefined || cause === null ? null : causeText(cause), hint, facts };
}

/** With `json` to standard output, where a program reads what it asked for; else to standard error. */
export function reportError(io: CliIo, error: unknown, json: boolean): void {
  const report = reportOf(error);
  if (json) io.out(`${JSON.stringify({ error: report }, plainFacts)}\n`);
  else io.err(errorText(report));
}

export function errorText({ code, message, cause, hint }: ErrorReport, what: 'error' | 'problem' = 'error'): string {
  const isNew = cause !== null && !message.includes(cause);
  const causeLines = isNew ? [`  cause: ${indented(cause)}`] : [];
  return [`${what} ${code}: ${message}`, ...causeLines, `  next:  ${indented(hint)}`, ''].join('\n');
}

/** Our own frames say nothing to a user. */
const ownFrames = [new URL('../', import.meta.url).href, '/bin/sluice.mjs'];

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return errorMessage(cause);
  const code = errorCode(cause);
  // Node's own codes say in capitals what the message says.
  const isToSay = code !== undefined && !code.startsWith('ERR_') && !cause.message.includes(code);
  const place = placeOf(cause);
  const inner = cause.cause === undefined ? '' : `\nbecause: ${causeText(cause.cause)}`;
  return `${isToSay ? `${code}: ` : ''}${cause.message}${place === '' ? '' : `\n${place}`}${inner}`;
}

/** Where a file cannot be read Node shows the lines above the stack; else the first frame that is neither Node's nor ours. */
function placeOf({ stack = '', message }: Error): string {
  const lines = stack.split('\n');
  const shown = lines
    .slice(
      0,
      Math.max(
        0,
        lines.findIndex((line) => line.includes(message.split('\n')[0]!)),
      ),
    )
    .join('\n')
    .trimEnd();
  if (shown !== '') return shown;
  const frame = lines.find(
    (line) =>
      /^\s+at .*(?:file:|\/)/.test(line) && !/node:|\/node_modules\/commander\//.test(line) && !ownFrames.some((own) => line.includes(own)),
  );
  return frame?.trim() ?? '';
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n         ');
}

function plainFacts(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? value.message : value;
}
