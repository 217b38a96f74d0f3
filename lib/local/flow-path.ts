/** The part of JSONPath that flows use: fields joined by dots. Data is never changed in place: what was stored stays what it was. */
import { invariant } from '../base/invariant.ts';
import type { Path, Template } from '../coordinator/flow-rules.ts';
import type { FlowExecution } from '../ports/flow-store.ts';

export interface FlowContext {
  readonly data: unknown;
  readonly context: unknown;
}

export function contextOf({ name, data, token, startedAtMs }: FlowExecution): FlowContext {
  return { data, context: { Execution: { Id: name, Name: name, StartTime: new Date(startedAtMs).toISOString() }, Task: { Token: token } } };
}

export function readPath(path: Path, context: FlowContext): unknown {
  const found = lookUp(path, context);
  invariant(found !== undefined, 'FI3', `the flow's data has nothing at ${path}`, { path });
  return found.value;
}

export function isPresent(path: Path, context: FlowContext): boolean {
  return lookUp(path, context) !== undefined;
}

/** null, and even undefined, is something. */
function lookUp(path: Path, { data, context }: FlowContext): { readonly value: unknown } | undefined {
  const inContext = path.startsWith('$$');
  let value = inContext ? context : data;
  for (const name of namesOf(path.slice(inContext ? 2 : 1))) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return { value };
}

function namesOf(path: string): readonly string[] {
  return path.split('.').filter((name) => name !== '');
}

export function writePath(path: Path, data: unknown, value: unknown): unknown {
  return writeAt(namesOf(path.slice(1)), data, value);
}

function writeAt(names: readonly string[], data: unknown, value: unknown): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return value;
  const fields = typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Readonly<Record<string, unknown>>) : {};
  return { ...fields, [name]: writeAt(rest, fields[name], value) };
}

/** Constants as they are, `name.$` fields by their paths; templates may nest. */
export function fillTemplate(template: Template, context: FlowContext): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) => {
      if (name.endsWith('.$')) return [name.slice(0, -2), readPath(value as Path, context)];
      const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
      return [name, nested ? fillTemplate(value as Template, context) : value];
    }),
  );
}
