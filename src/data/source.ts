import { FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';

/** Bytes of a file that are looked at together where all of them are: 256 KiB. */
export const blockBytes = 1 << 18;

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

/** @throws FileError for bytes that a source of `size` does not have */
export function assertWithin(path: string, size: number, from: number, count: number): void {
  if (from >= 0 && count >= 0 && from + count <= size) return;
  throw new FileError(path, `truncated: got ${size} bytes, expected ${from + count}`);
}

/** All bytes of a source, block after block. */
export function* blocksOf(source: ByteSource, from = 0): Generator<Uint8Array, void> {
  for (let at = from; at < source.size; at += blockBytes) yield source.read(at, Math.min(blockBytes, source.size - at));
}
