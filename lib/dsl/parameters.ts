/** Parameters that a job declares: `--set name=value` on the command line, typed values in `build`. */

/** `Value` is what `build` gets: with undefined where the parameter is optional and has no default. */
export interface ParameterDeclaration<Value> {
  readonly kind: 'uri' | 'text' | 'integer' | 'number' | 'boolean' | 'choice';
  readonly description: string;
  readonly required: boolean;
  readonly fallback: Value | undefined;
  /** What may stand there, for messages. */
  readonly expected: string;
  /** `undefined` = refused. */
  readonly parse: (text: string) => Value | undefined;
}

export type ParameterDeclarations = Readonly<Record<string, ParameterDeclaration<unknown>>>;

export type ParameterValues<P extends ParameterDeclarations> = {
  readonly [Name in keyof P]: P[Name] extends ParameterDeclaration<infer Value> ? Value : never;
};

interface Described {
  readonly description?: string;
}
interface Defaulted<T> extends Described {
  readonly default: T;
}
interface Optional extends Described {
  readonly optional: true;
}
interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Without options, or with a description only, the parameter must be given. */
interface Declare<T, More> {
  (options: Defaulted<T> & More): ParameterDeclaration<T>;
  (options: Optional & More): ParameterDeclaration<T | undefined>;
  (options?: string | (Described & More)): ParameterDeclaration<T>;
}

type AnyOptions<T> = Described & Partial<Defaulted<T>> & { readonly optional?: true };
type Shape<T> = Pick<ParameterDeclaration<T>, 'kind' | 'expected' | 'parse'>;

function declared<T>(shape: Shape<T>, options: string | AnyOptions<T> | undefined): ParameterDeclaration<T> {
  const given: AnyOptions<T> = typeof options === 'string' ? { description: options } : (options ?? {});
  const required = given.default === undefined && given.optional !== true;
  return { ...shape, description: given.description ?? '', required, fallback: given.default };
}

const decimal = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function numeric(kind: 'integer' | 'number', accepts: (value: number) => boolean) {
  return (options?: string | (AnyOptions<number> & Range)): ParameterDeclaration<number> => {
    const { min = -Infinity, max = Infinity } = typeof options === 'object' ? options : {};
    const bounds = [min === -Infinity ? '' : ` from ${min}`, max === Infinity ? '' : ` up to ${max}`].join('');
    const parse = (text: string): number | undefined => {
      const value = decimal.test(text) ? Number(text) : Number.NaN;
      return accepts(value) && value >= min && value <= max ? value : undefined;
    };
    return declared({ kind, expected: `${kind === 'integer' ? 'a whole number' : 'a number'}${bounds}`, parse }, options);
  };
}

const nonEmpty = (text: string): string | undefined => (text.trim() === '' ? undefined : text);
const flags: Readonly<Record<string, boolean>> = { true: true, false: false };

export const parameter = {
  /** A path or a URI; its scheme picks the connector. */
  uri: ((options) => declared<string>({ kind: 'uri', expected: 'a path or URI', parse: nonEmpty }, options)) as Declare<string, unknown>,
  text: ((options) => declared<string>({ kind: 'text', expected: 'a text', parse: (text) => text }, options)) as Declare<string, unknown>,
  integer: numeric('integer', Number.isSafeInteger) as Declare<number, Range>,
  number: numeric('number', Number.isFinite) as Declare<number, Range>,
  boolean: ((options) =>
    declared<boolean>({ kind: 'boolean', expected: 'true or false', parse: (text) => flags[text.toLowerCase()] }, options)) as Declare<
    boolean,
    unknown
  >,
  /** One of a few words. */
  choice<const Words extends readonly string[]>(
    words: Words,
    options: AnyOptions<Words[number]> = {},
  ): ParameterDeclaration<Words[number]> {
    const parse = (text: string): Words[number] | undefined => words.find((word) => word === text);
    return declared<Words[number]>({ kind: 'choice', expected: words.join(' or '), parse }, options);
  },
};
