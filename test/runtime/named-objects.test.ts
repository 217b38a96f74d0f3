import { expect, test } from 'vitest';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import { readAllNamed } from '../../lib/runtime/named-objects.ts';

/** Answers come when the test says so. */
class SlowObjects {
  readonly asked: string[] = [];
  readonly #answers = new Map<string, (bytes: Uint8Array | undefined) => void>();

  get store(): ObjectStore {
    return { read: (key: string) => this.#read(key) } as unknown as ObjectStore;
  }

  answer(key: string): void {
    this.#answers.get(key)!(Buffer.from(key));
  }

  miss(key: string): void {
    this.#answers.get(key)!(undefined);
  }

  #read(key: string): Promise<Uint8Array | undefined> {
    this.asked.push(key);
    return new Promise((resolve) => this.#answers.set(key, resolve));
  }
}

const named = (some: readonly string[]): { readonly key: string }[] => some.map((key) => ({ key }));
const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);

test('objects that a record names come in their order, sixteen of them under way at once', async () => {
  const objects = new SlowObjects();
  const got: string[] = [];
  const reading = (async () => {
    for await (const { key, bytes } of readAllNamed(objects.store, named(keys))) got.push(`${key} ${Buffer.from(bytes).toString()}`);
  })();
  await Promise.resolve();
  expect(objects.asked).toEqual(keys.slice(0, 16));
  objects.answer('k1');
  await new Promise(setImmediate);
  expect(got).toEqual([]);
  for (const key of keys) {
    if (key !== 'k1') objects.answer(key);
    await new Promise(setImmediate);
  }
  await reading;
  expect(got).toEqual(keys.map((key) => `${key} ${key}`));
  expect(objects.asked).toEqual(keys);
});

test('of several that are missing one is told, and the others are nobody’s unhandled rejection', async () => {
  const objects = new SlowObjects();
  const told = expect(readAllNamed(objects.store, named(keys.slice(0, 3))).next()).rejects.toMatchObject({ code: 'SLUICE-OBJECT-MISSING' });
  await Promise.resolve();
  for (const key of ['k2', 'k1', 'k0']) objects.miss(key);
  await told;
});
