import type { SavepointFile, SavepointFolder, SavepointFolders } from '../../ports/savepoint-folder.ts';

/** Savepoint folders as plain maps, so that tests can damage them. */
export class MemorySavepointFolders implements SavepointFolders {
  readonly files = new Map<string, Uint8Array>();
  /** What goes wrong, by the method of a folder. */
  readonly failures = new Map<keyof SavepointFolder, Error>();

  at(location: string): SavepointFolder {
    const folder = location.replace(/\/_metadata\.json$/, '');
    const full = (path: string): string => `${folder}/${path}`;
    const inside = (): readonly SavepointFile[] =>
      [...this.files]
        .filter(([name]) => name.startsWith(`${folder}/`))
        .map(([name, bytes]) => ({ path: name.slice(folder.length + 1), bytes: bytes.length }));
    const meet = (method: keyof SavepointFolder): void => {
      const failure = this.failures.get(method);
      if (failure !== undefined) throw failure;
    };
    return {
      location: folder,
      prepare: async () => meet('prepare'),
      createIfAbsent: async (path, bytes) => {
        meet('createIfAbsent');
        if (this.files.has(full(path))) return 'exists';
        this.files.set(full(path), Uint8Array.from(bytes));
        return 'created';
      },
      read: async (path) => {
        meet('read');
        return this.files.get(full(path));
      },
      list: async () => inside(),
      remove: async (paths) => paths.forEach((path) => this.files.delete(full(path))),
    };
  }

  inside(directory: string, name: string): SavepointFolder {
    return this.at(`${directory}/${name}`);
  }

  /** The same folders for a process that can die at any call. */
  mortal(port: <T extends object>(target: T) => T): SavepointFolders {
    return { at: (location) => port(this.at(location)), inside: (directory, name) => port(this.inside(directory, name)) };
  }
}
