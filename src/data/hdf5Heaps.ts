import { FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';

/** Bytes that are looked at together. */
const piece = 4 * 2 ** 20;
/** Of a collection: signature, version, three zeros, its size. */
const head = 16;
/** Of an object in it: index, count of references, four zeros, its size. */
const objectHead = 16;
const signature = [...'GCOL'].map((letter) => letter.charCodeAt(0));
const version = 1;

/**
 * Walks the collections in which HDF5 keeps lists and strings of variable length. The library goes from object to object without an end where the size
 * of one is damaged, and cannot be stopped. HDF5 File Format Specification 3.0, III.E (Global Heap).
 * @throws FileError for a collection in which an object has no size, or ends beyond it
 */
export function checkHeaps(file: ByteSource): void {
  let from = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  /** `count` bytes at `at`, which goes forward for the most part. */
  const view = (at: number, count: number): DataView => {
    if (at < from || at + count > from + bytes.length) {
      from = at;
      bytes = file.read(at, Math.min(file.size - at, Math.max(count, piece)));
    }
    return new DataView(bytes.buffer, bytes.byteOffset + at - from, count);
  };
  for (let at = 0; at + head <= file.size; ) {
    const found = findIn(view(at, Math.min(piece, file.size - at)));
    if (found < 0) {
      // A collection may begin at the end of one piece and go on in the next.
      at += piece - head;
      continue;
    }
    at += found;
    if (at + head > file.size) return;
    const size = collectionSize(view(at, head));
    if (size !== null && at + size <= file.size) {
      walk(file.path, view, at, size);
      at += size;
    } else at += signature.length;
  }
}

function findIn({ buffer, byteOffset, byteLength }: DataView): number {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  for (let at = bytes.indexOf(signature[0]); at >= 0; at = bytes.indexOf(signature[0], at + 1)) {
    if (signature.every((letter, n) => bytes[at + n] === letter)) return at;
  }
  return -1;
}

/** @returns null for bytes that only look like the beginning of a collection */
function collectionSize(view: DataView): number | null {
  const zeros = view.getUint8(5) + view.getUint8(6) + view.getUint8(7);
  const size = Number(view.getBigUint64(8, true));
  return view.getUint8(4) === version && zeros === 0 && size >= head ? size : null;
}

function walk(path: string, view: (at: number, count: number) => DataView, at: number, size: number): void {
  for (let p = head; p + objectHead <= size; ) {
    const object = view(at + p, objectHead);
    const bytes = Number(object.getBigUint64(8, true));
    // Index 0 is what is free, its head counted.
    const step = object.getUint16(0, true) === 0 ? bytes : objectHead + 8 * Math.ceil(bytes / 8);
    if (step === 0 || p + step > size) {
      throw new FileError(
        path,
        `its lists of variable length are damaged: an object of ${bytes} bytes at byte ${at + p}`,
      );
    }
    p += step;
  }
}
