/**
 * What Lambda makes of an error that a step throws is a JSON text with its trace; people want its message. The flow hands it on as `error` (flow-descriptions.ts).
 */
interface FlowError {
  readonly Error: string;
  readonly Cause: string;
}

export function withPlainCause(input: unknown): unknown {
  const { error } = (input ?? {}) as { readonly error?: FlowError };
  return error === undefined ? input : { ...(input as object), error: { ...error, Cause: messageOf(error.Cause) } };
}

function messageOf(cause: string): string {
  try {
    const { errorMessage } = JSON.parse(cause) as { readonly errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : cause;
  } catch {
    return cause;
  }
}
