import { createHash } from 'node:crypto';
import { FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';
import { blocksOf, partOf } from '../data/index.ts';
import { withFile, writeAtomic } from './files.ts';

/**
 * A checkpoint on disk, little-endian:
 *
 *     0   8 bytes   magic 'SPKTRACE'
 *     8   u32       version of this container
 *     12  u64       bytes of the payload
 *     20  32 bytes  SHA-256 of the payload
 *     52            payload, whose meaning is the engine's
 */
export const CHECKPOINT_VERSION = 1;

const MAGIC = new TextEncoder().encode('SPKTRACE');
const VERSION_AT = 8;
const LENGTH_AT = 12;
const HASH_AT = 20;
const HEADER_BYTES = 52;

function sha256(pieces: Iterable<Uint8Array>): Uint8Array {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function encodeHeader(pieces: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(VERSION_AT, CHECKPOINT_VERSION, true);
  view.setBigUint64(LENGTH_AT, BigInt(pieces.reduce((sum, { length }) => sum + length, 0)), true);
  header.set(sha256(pieces), HASH_AT);
  return header;
}

/** Replaces the checkpoint at `path` at once: there is a whole one at every instant. The payload comes in pieces, of any number. Throws FileError. */
export function writeCheckpoint(path: string, pieces: readonly Uint8Array[]): void {
  writeAtomic(path, [encodeHeader(pieces), ...pieces]);
}

/** @returns bytes of the payload, as the header has it */
function checkedHeader(path: string, head: Uint8Array, size: number): bigint {
  const start = head.subarray(0, MAGIC.length);
  if (!same(start, MAGIC.subarray(0, start.length))) throw new FileError(path, 'is not a checkpoint of spiketrace');
  if (size < HEADER_BYTES) {
    throw new FileError(path, `truncated checkpoint: got ${size} bytes, expected at least ${HEADER_BYTES}`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(VERSION_AT, true);
  if (version !== CHECKPOINT_VERSION) {
    throw new FileError(path, `got checkpoint version ${version}, expected ${CHECKPOINT_VERSION}`);
  }
  return view.getBigUint64(LENGTH_AT, true);
}

/**
 * Hands the payload of a checkpoint to `use`, which reads of it what it wants: a file may be larger than what can be read at once, and stays the one
 * that it was, whoever replaces it meanwhile. Its checksum is looked at before.
 * Throws FileError that tells apart: missing, not a checkpoint, of another version, truncated, damaged.
 */
export function readCheckpoint<T>(path: string, use: (payload: ByteSource) => T): T {
  return withFile(path, (file) => {
    const head = file.read(0, Math.min(HEADER_BYTES, file.size));
    const expected = BigInt(HEADER_BYTES) + checkedHeader(path, head, file.size);
    if (file.size < expected) {
      throw new FileError(path, `truncated checkpoint: got ${file.size} bytes, expected ${expected}`);
    }
    if (file.size > expected) {
      throw new FileError(path, `damaged checkpoint: got ${file.size} bytes, expected ${expected}`);
    }
    const payload = partOf(file, path, HEADER_BYTES, file.size - HEADER_BYTES);
    if (!same(sha256(blocksOf(payload)), head.subarray(HASH_AT))) {
      throw new FileError(path, 'damaged checkpoint: its bytes do not match their checksum');
    }
    return use(payload);
  });
}
