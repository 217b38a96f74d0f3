/** Results in the order of the entries; never more than `atOnce` calls under way. After a failure none is begun any more. */
export async function inParallel<T, R>(entries: readonly T[], atOnce: number, call: (entry: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(entries.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < entries.length) {
      const at = next++;
      try {
        results[at] = await call(entries[at]!);
      } catch (error) {
        next = entries.length;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(atOnce, entries.length) }, worker));
  const failed = workers.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
