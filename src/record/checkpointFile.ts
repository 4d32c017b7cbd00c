import { createHash } from 'node:crypto';
import { FileError } from '../core/errors.ts';
import { readBytes, writeAtomic } from './files.ts';

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
/** What Node can read at once. */
const FILE_LIMIT = 2 ** 31 - 1;

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function encodeHeader(payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(VERSION_AT, CHECKPOINT_VERSION, true);
  view.setBigUint64(LENGTH_AT, BigInt(payload.length), true);
  header.set(sha256(payload), HASH_AT);
  return header;
}

/** Replaces the checkpoint at `path` at once: there is a whole one at every instant. Throws FileError. */
export function writeCheckpoint(path: string, payload: Uint8Array): void {
  const bytes = HEADER_BYTES + payload.length;
  if (bytes > FILE_LIMIT)
    throw new FileError(path, `got a checkpoint of ${bytes} bytes, expected at most ${FILE_LIMIT}`);
  writeAtomic(path, [encodeHeader(payload), payload]);
}

function checkFormat(path: string, bytes: Uint8Array, view: DataView): void {
  const start = bytes.subarray(0, MAGIC.length);
  if (!same(start, MAGIC.subarray(0, start.length))) throw new FileError(path, 'is not a checkpoint of spiketrace');
  if (bytes.length < HEADER_BYTES) {
    throw new FileError(path, `truncated checkpoint: got ${bytes.length} bytes, expected at least ${HEADER_BYTES}`);
  }
  const version = view.getUint32(VERSION_AT, true);
  if (version !== CHECKPOINT_VERSION) {
    throw new FileError(path, `got checkpoint version ${version}, expected ${CHECKPOINT_VERSION}`);
  }
}

/**
 * The payload of a checkpoint, in a buffer of its own from offset 0, so that views of any type can be cut from it.
 * Throws FileError that tells apart: missing, not a checkpoint, of another version, truncated, damaged.
 */
export function readCheckpoint(path: string): Uint8Array {
  const bytes = readBytes(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkFormat(path, bytes, view);
  const expected = BigInt(HEADER_BYTES) + view.getBigUint64(LENGTH_AT, true);
  if (bytes.length < expected) {
    throw new FileError(path, `truncated checkpoint: got ${bytes.length} bytes, expected ${expected}`);
  }
  if (bytes.length > expected) {
    throw new FileError(path, `damaged checkpoint: got ${bytes.length} bytes, expected ${expected}`);
  }
  const payload = bytes.slice(HEADER_BYTES);
  if (!same(sha256(payload), bytes.subarray(HASH_AT, HEADER_BYTES))) {
    throw new FileError(path, 'damaged checkpoint: its bytes do not match their checksum');
  }
  return payload;
}
