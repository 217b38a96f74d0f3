/**
 * Where savepoints live: folders that belong to the user. Names are relative, with `/` between parts; a folder may be copied or moved as a whole.
 *
 * Guarantees needed: `createIfAbsent` is linearizable and durable when it returns; a file is whole or absent, never torn; reads see every completed create.
 */
export interface SavepointFile {
  readonly path: string;
  readonly bytes: number;
}

export interface SavepointFolder {
  /** As a user would name it. */
  readonly location: string;
  createIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Empty where the folder does not exist. */
  list(): Promise<readonly SavepointFile[]>;
  remove(paths: readonly string[]): Promise<void>;
}

export interface SavepointFolders {
  /** Nothing is made before the first file. A location that ends in the name of a savepoint's metadata file means its folder. */
  at(location: string): SavepointFolder;
  inside(directory: string, name: string): SavepointFolder;
}
