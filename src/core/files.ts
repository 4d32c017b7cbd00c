import { FileError } from './errors.ts';

/** Bytes that are read in pieces: a file, a part of one, or what was unpacked from it. */
export interface ByteSource {
  /** What errors name. */
  readonly path: string;
  /** Bytes in all. */
  readonly size: number;
  /** A copy of the bytes [from, from + count). @throws FileError where there are fewer */
  read(from: number, count: number): Uint8Array;
}

/** Bytes in memory. */
export function memorySource(path: string, bytes: Uint8Array): ByteSource {
  return {
    path,
    size: bytes.length,
    read(from, count) {
      assertWithin(path, bytes.length, from, count);
      return bytes.slice(from, from + count);
    },
  };
}

/** @throws FileError for bytes that a source of `size` does not have */
export function assertWithin(path: string, size: number, from: number, count: number): void {
  if (from >= 0 && count >= 0 && from + count <= size) return;
  throw new FileError(path, `truncated: got ${size} bytes, expected ${from + count}`);
}

/**
 * Where the bytes of named files come from: the disk, or files that were handed over. Whoever runs the engine says which; the models of tasks have it
 * (`TaskFiles.store`), and nobody who reads a format knows it.
 */
export interface FileStore {
  /** Whether its paths are those of a disk, at which a library can open files on its own. */
  readonly onDisk: boolean;
  /** The name that a resolved configuration keeps for a file. */
  resolve(path: string): string;
  /** A file, of which nothing need be kept. @throws FileError for one that is not there, or is a folder */
  open(path: string): ByteSource;
  /** Whether there is a folder at a path. @throws FileError where there is nothing */
  isFolder(path: string): boolean;
  /** The files below a folder, as paths from it with "/" between names, in the order of names and of the numbers in them. @throws FileError */
  filesBelow(folder: string): readonly string[];
  /** SHA-256 of a file in hexadecimal digits, or that of the names and hashes of all files below a folder. @throws FileError */
  hashOf(path: string): string;
}
