import { assertWithin, type ByteSource } from '../core/files.ts';

/** Bytes of a file that are looked at together where all of them are: 256 KiB. */
export const blockBytes = 1 << 18;

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

/** All bytes of a source, block after block. */
export function* blocksOf(source: ByteSource, from = 0): Generator<Uint8Array, void> {
  for (let at = from; at < source.size; at += blockBytes) yield source.read(at, Math.min(blockBytes, source.size - at));
}
