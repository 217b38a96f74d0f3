/** What is asked of a script: `--help` is answered, and what it does not know ends it with exit code 2 and a line that says so. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { errorMessage } from '../lib/base/errors.ts';

const helpOption = { help: { type: 'boolean', short: 'h', default: false } } as const;
const exitCodeOfUsage = 2;

interface OptionsSettings {
  readonly args?: readonly string[];
  readonly allowPositionals?: boolean;
}

type Options<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ readonly options: T; readonly allowPositionals: true }>>;

export function scriptOptions<const T extends ParseArgsOptionsConfig>(
  help: string,
  options: T,
  settings: OptionsSettings = {},
): Options<T> {
  const { args = process.argv.slice(2), allowPositionals = false } = settings;
  const parsed = parsedOrRefused(() => parseArgs({ args: [...args], options: { ...options, ...helpOption }, allowPositionals }));
  if ((parsed.values as { readonly help?: boolean }).help === true) {
    console.log(help.trimEnd());
    process.exit(0);
  }
  return parsed;
}

export function wholeNumber(name: string, text: string, least = 1): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= least
    ? number
    : refuseOptions(`--${name} is ${text}: a whole number from ${least} on is wanted`);
}

export function minutesOf(text: string): number {
  const minutes = Number(text);
  return minutes > 0 && Number.isFinite(minutes) ? minutes : refuseOptions(`--minutes is ${text}: a number above 0 is wanted`);
}

export function refuseOptions(problem: string): never {
  console.error(`${problem}\n  next:  --help says what there is`);
  process.exit(exitCodeOfUsage);
}

function parsedOrRefused<R>(parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    // What Node says more is about arguments that begin with a hyphen.
    return refuseOptions(errorMessage(error).split(/\. |\.?\n/)[0]!);
  }
}
