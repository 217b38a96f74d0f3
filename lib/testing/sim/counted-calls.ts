/** A port that says how often some of its methods have been called: what only these can change need not be looked at again before. */
export interface CountedCalls<T extends object> {
  readonly port: T;
  readonly calls: () => number;
}

type Method = (...parameters: unknown[]) => unknown;

export function countedCalls<T extends object>(target: T, counted: readonly (keyof T & string)[]): CountedCalls<T> {
  let calls = 0;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(target)).filter((name) => name !== 'constructor');
  const methods = names.map((name): [string, Method] => {
    const method = (target as Record<string, unknown>)[name] as Method;
    const call: Method = (...parameters) => {
      calls++;
      return method.apply(target, parameters);
    };
    return [name, (counted as readonly string[]).includes(name) ? call : method.bind(target)];
  });
  return { port: Object.fromEntries(methods) as T, calls: () => calls };
}
