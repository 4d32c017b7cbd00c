import { FileError } from '../core/errors.ts';
import { type FileStore, memorySource } from '../core/files.ts';

/** A file that was handed over. */
export interface GivenFile {
  /** Without folders. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of the bytes, hexadecimal digits. */
  readonly sha256: string;
}

/** The last part of a path, whichever way its separators lean. */
export const nameOfPath = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** Files that were handed over, as a page gets them: a path means the one that has its last part as name. There are no folders. */
export function givenFiles(files: readonly GivenFile[]): FileStore {
  const find = (path: string): GivenFile => {
    const found = files.find(({ name }) => name === nameOfPath(path));
    if (found) return found;
    throw new FileError(path, `was not given; there are ${files.map(({ name }) => name).join(', ') || 'no files'}`);
  };
  return {
    onDisk: false,
    resolve: nameOfPath,
    open(path) {
      const { name, bytes } = find(path);
      return memorySource(name, bytes);
    },
    isFolder(path) {
      find(path);
      return false;
    },
    filesBelow(folder) {
      throw new FileError(folder, 'is a folder, expected a file that was given');
    },
    hashOf: (path) => find(path).sha256,
  };
}
