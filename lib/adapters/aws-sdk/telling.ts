import { callFailed } from './call-failed.ts';

/**
 * A port whose failures are told as a person, and whoever judges them, understands: what may pass says so, and is nobody's restart attempt. Outcomes that an
 * adapter expects it has turned into values before.
 */
export function telling<Port extends object>(service: string, port: Port): Port {
  const told = Object.entries(port as Record<string, (...parameters: unknown[]) => Promise<unknown>>).map(([operation, method]) => [
    operation,
    async (...parameters: unknown[]): Promise<unknown> => {
      try {
        return await method(...parameters);
      } catch (error) {
        throw callFailed(error, { service, operation });
      }
    },
  ]);
  return Object.fromEntries(told) as Port;
}
