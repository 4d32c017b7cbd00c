import { FileError } from '../core/errors.ts';
import { nodeModule } from '../core/nodeModule.ts';

/** Bytes that are read in pieces: a file, a part of one, or what was unpacked from it. */
export interface ByteSource {
  /** What errors name. */
  readonly path: string;
  /** Bytes in all. */
  readonly size: number;
  /** A copy of the bytes [from, from + count). @throws FileError where there are fewer */
  read(from: number, count: number): Uint8Array;
}

/** Bytes of a file that are looked at together where all of them are: 256 KiB. */
export const blockBytes = 1 << 18;

const what = 'a data file';

/** Runs `action`; an error of the file system becomes a FileError that names `path`. */
function reading<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string') throw error;
    throw new FileError(path, code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`);
  }
}

/** A file on the disk, of which nothing is kept. @throws FileError for one that is not there, or is a folder */
export function fileSource(path: string): ByteSource {
  const fs = nodeModule('node:fs', what);
  const stat = reading(path, () => fs.statSync(path));
  if (!stat.isFile()) throw new FileError(path, 'is a folder, expected a file');
  return {
    path,
    size: stat.size,
    read(from, count) {
      assertWithin(path, stat.size, from, count);
      return reading(path, () => {
        const file = fs.openSync(path, 'r');
        try {
          const bytes = new Uint8Array(count);
          let done = 0;
          for (let n = 1; n > 0 && done < count; done += n) {
            n = fs.readSync(file, bytes, done, count - done, from + done);
          }
          if (done < count) throw new FileError(path, `truncated: it had ${stat.size} bytes, now ${from + done}`);
          return bytes;
        } finally {
          fs.closeSync(file);
        }
      });
    },
  };
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

/** The bytes [start, start + size) of another source. @throws FileError where there are fewer */
export function partOf(source: ByteSource, path: string, start: number, size: number): ByteSource {
  assertWithin(path, source.size, start, size);
  return {
    path,
    size,
    read(from, count) {
      assertWithin(path, size, from, count);
      return source.read(start + from, count);
    },
  };
}

function assertWithin(path: string, size: number, from: number, count: number): void {
  if (from >= 0 && count >= 0 && from + count <= size) return;
  throw new FileError(path, `truncated: got ${size} bytes, expected ${from + count}`);
}

/** All bytes of a source, block after block. */
export function* blocksOf(source: ByteSource, from = 0): Generator<Uint8Array, void> {
  for (let at = from; at < source.size; at += blockBytes) yield source.read(at, Math.min(blockBytes, source.size - at));
}

/** Whether there is a folder at a path. @throws FileError where there is nothing */
export function isFolder(path: string): boolean {
  const fs = nodeModule('node:fs', what);
  return reading(path, () => fs.statSync(path)).isDirectory();
}

/** The files below a folder, as paths from it with "/" between names, in the order of names and of the numbers in them. */
export function filesBelow(folder: string): string[] {
  const fs = nodeModule('node:fs', what);
  const { join } = nodeModule('node:path', what);
  const below = (at: string): string[] =>
    reading(join(folder, at), () => fs.readdirSync(join(folder, at), { withFileTypes: true }))
      .filter(({ name }) => !name.startsWith('.'))
      .flatMap((entry) => {
        const path = at === '' ? entry.name : `${at}/${entry.name}`;
        if (entry.isDirectory()) return below(path);
        return entry.isFile() ? [path] : [];
      });
  return below('').sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Hashes of files as they were when last asked for: a file is hashed again when its size or time has changed. */
const hashes = new Map<string, { readonly state: string; readonly hash: string }>();

/** SHA-256 of a file in hexadecimal digits, or that of the names and hashes of all files below a folder. @throws FileError */
export function hashOf(path: string): string {
  const { createHash } = nodeModule('node:crypto', what);
  if (isFolder(path)) {
    const { join } = nodeModule('node:path', what);
    const lines = filesBelow(path).map((name) => `${hashOf(join(path, name))}  ${name}\n`);
    return createHash('sha256').update(lines.join('')).digest('hex');
  }
  const { mtimeNs, size, ino } = nodeModule('node:fs', what).statSync(path, { bigint: true });
  const state = `${ino} ${size} ${mtimeNs}`;
  const known = hashes.get(path);
  if (known?.state === state) return known.hash;
  const hash = createHash('sha256');
  for (const block of blocksOf(fileSource(path))) hash.update(block);
  const hex = hash.digest('hex');
  hashes.set(path, { state, hash: hex });
  return hex;
}
