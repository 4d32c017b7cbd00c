import { FileError } from '../core/errors.ts';
import { assertWithin, type ByteSource, type FileStore } from '../core/files.ts';
import { nodeModule } from '../core/nodeModule.ts';
import { blocksOf } from './source.ts';

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

/** The bytes [from, from + count) of an open file, or those of them that it has. */
export function bytesAt(file: number, from: number, count: number): Uint8Array {
  const fs = nodeModule('node:fs', what);
  const bytes = new Uint8Array(count);
  let done = 0;
  for (let n = 1; n > 0 && done < count; done += n) n = fs.readSync(file, bytes, done, count - done, from + done);
  return bytes.subarray(0, done);
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
          const bytes = bytesAt(file, from, count);
          if (bytes.length < count)
            throw new FileError(path, `truncated: it had ${stat.size} bytes, now ${from + bytes.length}`);
          return bytes;
        } finally {
          fs.closeSync(file);
        }
      });
    },
  };
}

/** Whether there is a folder at a path. @throws FileError where there is nothing */
function isFolder(path: string): boolean {
  const fs = nodeModule('node:fs', what);
  return reading(path, () => fs.statSync(path)).isDirectory();
}

/** The files below a folder, as paths from it with "/" between names, in the order of names and of the numbers in them. */
function filesBelow(folder: string): string[] {
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

/** The files of this machine, by paths from the working directory. */
export const disk: FileStore = {
  onDisk: true,
  resolve: (path) => nodeModule('node:path', what).resolve(path),
  open: fileSource,
  isFolder,
  filesBelow,
  hashOf,
};
