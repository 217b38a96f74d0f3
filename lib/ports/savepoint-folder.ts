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
  /** Makes the place, so that what can never be written there is known before anything is done for it. @throws SluiceError as createIfAbsent */
  prepare(): Promise<void>;
  /** @throws SluiceError `SLUICE-FOLDER-UNUSABLE` where it can never be written, a retryable `SLUICE-SAVEPOINT-FAILED` where it may work later */
  createIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** @throws SluiceError `SLUICE-SAVEPOINT-UNREADABLE` where something is there and cannot be read */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Empty where the folder does not exist. */
  list(): Promise<readonly SavepointFile[]>;
  /** Folders that are empty after it go too. */
  remove(paths: readonly string[]): Promise<void>;
}

export interface SavepointFolders {
  /** A location that ends in the name of a savepoint's metadata file means its folder. */
  at(location: string): SavepointFolder;
  inside(directory: string, name: string): SavepointFolder;
}
