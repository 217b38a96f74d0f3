/** What a function says, before the batch runs, of the maps that it has loaded by entry: by state name, the keys that it will look at, or `all`. */
import type { EntryMapStateDescriptor, StateDescriptors } from './descriptors.ts';

/** Typed from the declared states: only maps that are loaded by entry can be named. */
export type EntriesOf<S extends StateDescriptors> = {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any key and value
  readonly [Name in keyof S as S[Name] extends EntryMapStateDescriptor<any, any> ? Name : never]?: S[Name] extends EntryMapStateDescriptor<
    infer K,
    infer _V
  >
    ? readonly K[] | 'all'
    : never;
};

/** The same without types. */
export type EntryRequest = Readonly<Record<string, readonly unknown[] | 'all' | undefined>>;
