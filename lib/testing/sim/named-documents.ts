import { decodeDescriptor, decodeManifest } from '../../checkpoint/manifest-codec.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import { parseJson } from '../../base/parse-json.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** Objects that name others. They never change, so each is understood once; whether it is still there is asked each time. */
export class NamedDocuments {
  readonly #objects: ObjectStore;
  readonly #known = new Map<string, unknown>();

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  manifest(key: string): Promise<Manifest | undefined> {
    return this.#read(key, (bytes) => decodeManifest(bytes, key));
  }

  descriptor(key: string): Promise<unknown> {
    return this.#read(key, (bytes) => decodeDescriptor(bytes, key));
  }

  index(key: string): Promise<unknown> {
    return this.#read(key, (bytes) => parseJson(Buffer.from(bytes).toString('utf8')));
  }

  async #read<T>(key: string, decode: (bytes: Uint8Array) => T): Promise<T | undefined> {
    const bytes = await this.#objects.read(key);
    if (bytes === undefined) return undefined;
    if (!this.#known.has(key)) this.#known.set(key, decode(bytes));
    return this.#known.get(key) as T;
  }
}
