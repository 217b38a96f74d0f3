/** A source whose code is loaded when it is first used: a bundle keeps it in a chunk of its own, and a job that does not use it never loads it. */
import type { SplitReader } from '../../ports/connectors.ts';

export function deferredSource(load: () => Promise<SplitReader>): SplitReader {
  let loading: Promise<SplitReader> | undefined;
  const loaded = (): Promise<SplitReader> => {
    loading ??= load();
    loading.catch(() => (loading = undefined));
    return loading;
  };
  return {
    isPlain: true,
    splits: async (source) => (await loaded()).splits(source),
    read: async (source, split, position, options) => (await loaded()).read(source, split, position, options),
  };
}
