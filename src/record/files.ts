import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FileError } from '../core/errors.ts';
import { assertWithin, type ByteSource } from '../core/files.ts';
import { bytesAt } from '../data/index.ts';

/** Suffix of the file that a new version is written to before it takes its name. */
export const ASIDE = '.tmp';

/** Two processes may try a folder at once. */
const PROBE = `.write-test-${process.pid}`;

const PROBLEMS: Readonly<Record<string, string>> = {
  EISDIR: 'is a folder, expected a file',
  ERR_FS_EISDIR: 'is a folder, expected a file',
  EEXIST: 'is a file, expected a folder',
  ENOTDIR: 'a part of this path is a file, expected a folder',
  ENAMETOOLONG: 'this name is too long for the disk',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many files are open',
  ERR_FS_FILE_TOO_LARGE: 'is larger than 2 GiB, which cannot be read at once',
};

/** Codes with which systems that cannot sync a folder answer. */
const NO_FOLDER_SYNC: readonly unknown[] = ['EISDIR', 'EINVAL', 'EPERM', 'EACCES', 'ENOTSUP'];

/** The code of an error of the file system. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function problemOf(code: string, access: 'read' | 'write'): string {
  if (code === 'ENOENT') return access === 'read' ? 'does not exist' : 'cannot be written, its folder does not exist';
  if (code === 'EACCES' || code === 'EPERM') return `no permission to ${access} it`;
  return PROBLEMS[code] ?? `cannot be ${access === 'read' ? 'read' : 'written'} (${code})`;
}

/** Runs `action`; an error of the file system becomes a FileError that names `path` and says the problem in words. */
export function attempt<T>(path: string, access: 'read' | 'write', action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = codeOf(error);
    if (typeof code !== 'string') throw error;
    throw new FileError(path, problemOf(code, access));
  }
}

/** Clearing up after a failure: a second failure must not hide the first. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {}
}

/** All bytes of a file. Throws FileError where it is missing, a folder, or not readable. */
export function readBytes(path: string): Uint8Array {
  const buffer = attempt(path, 'read', () => readFileSync(path));
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Hands an open file to `use`: what it reads is of one file, even if another takes its name meanwhile. Throws FileError as `readBytes`. */
export function withFile<T>(path: string, use: (file: ByteSource) => T): T {
  const file = attempt(path, 'read', () => openSync(path, 'r'));
  try {
    const stat = attempt(path, 'read', () => fstatSync(file));
    if (!stat.isFile()) throw new FileError(path, 'is a folder, expected a file');
    return use({
      path,
      size: stat.size,
      read(from, count) {
        const bytes = attempt(path, 'read', () => bytesAt(file, from, count));
        assertWithin(path, from + bytes.length, from, count);
        return bytes;
      },
    });
  } finally {
    closeSync(file);
  }
}

function writeSynced(path: string, chunks: Iterable<Uint8Array>): void {
  const file = openSync(path, 'w');
  try {
    for (const chunk of chunks) writeFileSync(file, chunk);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    if (!NO_FOLDER_SYNC.includes(codeOf(error))) throw error;
  }
}

/**
 * Replaces a file at once: a process killed at any instant leaves the old bytes or the new ones, never a mixture.
 * What such a process left aside is overwritten by the next call. One process may write a path at a time.
 * Throws FileError, after which the old file is untouched and nothing is left aside.
 */
export function writeAtomic(path: string, bytes: Uint8Array | Iterable<Uint8Array>): void {
  const aside = path + ASIDE;
  try {
    attempt(path, 'write', () => {
      rmSync(aside, { force: true });
      writeSynced(aside, bytes instanceof Uint8Array ? [bytes] : bytes);
      renameSync(aside, path);
    });
  } catch (error) {
    quietly(() => rmSync(aside, { force: true }));
    throw error;
  }
  attempt(path, 'write', () => syncFolder(dirname(path)));
}

/** Not with `recursive`: where a folder refuses children, as those of /proc do, Node 20 tries for ever. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

/** Folders of this path that do not exist yet, deepest first. */
function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder) && folder !== dirname(folder); folder = dirname(folder)) {
    missing.push(folder);
  }
  return missing;
}

/**
 * Makes a folder with its parents and proves that a file can be written there, so that a long run does not find out
 * at its first checkpoint. Throws FileError, after which no folder and no file is left behind.
 */
export function ensureWritableFolder(path: string): void {
  const missing = missingFolders(path);
  const probe = join(path, PROBE);
  try {
    attempt(path, 'write', () => {
      for (const folder of missing.toReversed()) makeFolder(folder);
      makeFolder(path);
      writeFileSync(probe, 'x');
      rmSync(probe, { force: true });
    });
  } catch (error) {
    quietly(() => rmSync(probe, { force: true }));
    for (const folder of missing) quietly(() => rmdirSync(folder));
    throw error;
  }
}

/** The same proof for a folder that is needed much later: what had to be made for it is taken away again. Throws FileError. */
export function assertWritableFolder(path: string): void {
  const missing = missingFolders(path);
  ensureWritableFolder(path);
  for (const folder of missing) quietly(() => rmdirSync(folder));
}
