import { inflateSync } from 'fflate';
import { FileError } from '../core/errors.ts';
import { type ByteSource, memorySource } from '../core/files.ts';
import { partOf } from './source.ts';

/**
 * ZIP archives (PKWARE APPNOTE 6.3.10), as NumPy writes .npz: entries that are stored or deflated, sizes beyond 4 GiB in zip64 fields.
 * The directory lies at the end; what an entry's own header says of sizes is not read, since writers may leave it open.
 */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly header: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
const ZIP64_FIELD = 1;
/** Bytes of the end record without its comment, and its longest comment. */
const END_BYTES = 22;
const MOST_COMMENT = 0xffff;
const OPEN = 0xffffffff;

/**
 * The entries of an archive by name. Stored ones are read in pieces, once their checksum has been found right; deflated ones are unpacked whole when
 * they are asked for. @throws FileError
 */
export function openZip(source: ByteSource): ReadonlyMap<string, () => ByteSource> {
  return new Map(directoryOf(source).map((entry) => [entry.name, () => openEntry(source, entry)]));
}

function openEntry(source: ByteSource, { name, method, crc, packed, size, header }: Entry): ByteSource {
  const path = `${source.path}: ${name}`;
  const local = view(source.read(header, 30));
  if (local.getUint32(0, true) !== LOCAL) throw new FileError(path, 'damaged: its header is not where it should be');
  if (local.getUint16(6, true) & 1) throw new FileError(path, 'is encrypted, which is not read');
  const start = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const bytes = partOf(source, path, start, packed);
  switch (method) {
    case 0:
      if (packed !== size) throw new FileError(path, `damaged: ${packed} bytes stored, ${size} stated`);
      assertSum(path, crc, bytes);
      return bytes;
    case 8: {
      const whole = memorySource(path, inflated(path, bytes.read(0, packed), size));
      assertSum(path, crc, whole);
      return whole;
    }
    default:
      throw new FileError(path, `is packed by method ${method}, expected 0 (stored) or 8 (deflated)`);
  }
}

/** More than deflate can make of one byte. */
const MOST_RATIO = 1040;

function inflated(path: string, packed: Uint8Array, size: number): Uint8Array {
  if (size > packed.length * MOST_RATIO)
    throw new FileError(path, `damaged: ${packed.length} bytes cannot hold ${size}`);
  let whole: Uint8Array;
  try {
    whole = inflateSync(packed, { out: new Uint8Array(size) });
  } catch (error) {
    throw new FileError(path, `damaged: cannot be unpacked (${(error as Error).message})`);
  }
  if (whole.length !== size) throw new FileError(path, `damaged: ${whole.length} bytes unpacked, ${size} stated`);
  return whole;
}

function directoryOf(source: ByteSource): Entry[] {
  const { path } = source;
  const { at, size, count } = endOf(source);
  if (at + size > source.size) throw new FileError(path, 'damaged: its directory lies behind its end');
  const bytes = source.read(at, size);
  const entries: Entry[] = [];
  for (let from = 0; entries.length < count; ) {
    if (from + 46 > size || view(bytes).getUint32(from, true) !== DIRECTORY) {
      throw new FileError(path, `damaged: its directory lists ${entries.length} entries, expected ${count}`);
    }
    const end = from + 46 + [28, 30, 32].reduce((sum, at) => sum + view(bytes).getUint16(from + at, true), 0);
    if (end > size) throw new FileError(path, 'damaged: an entry of its directory has no end');
    entries.push(entryOf(bytes.subarray(from, end), path));
    from = end;
  }
  return entries;
}

/** Where the directory begins, its bytes and its entries. */
function endOf(source: ByteSource): { readonly at: number; readonly size: number; readonly count: number } {
  const { path } = source;
  const tailBytes = Math.min(source.size, END_BYTES + MOST_COMMENT);
  const tail = source.read(source.size - tailBytes, tailBytes);
  for (let from = tailBytes - END_BYTES; from >= 0; from--) {
    const found = view(tail);
    if (found.getUint32(from, true) !== END) continue;
    const end = source.size - tailBytes + from;
    const far = end >= 20 ? view(source.read(end - 20, 20)) : null;
    if (far?.getUint32(0, true) === LOCATOR64) return endOf64(source, long(far, 8, path));
    return {
      count: found.getUint16(from + 10, true),
      size: found.getUint32(from + 12, true),
      at: found.getUint32(from + 16, true),
    };
  }
  throw new FileError(path, 'is not a whole zip archive: it has no directory at its end');
}

function endOf64(source: ByteSource, from: number) {
  const { path } = source;
  const end = view(source.read(from, 56));
  if (end.getUint32(0, true) !== END64) throw new FileError(path, 'damaged: its zip64 end is not where it should be');
  return { count: long(end, 32, path), size: long(end, 40, path), at: long(end, 48, path) };
}

function entryOf(bytes: Uint8Array, path: string): Entry {
  const fields = view(bytes);
  const nameBytes = fields.getUint16(28, true);
  const name = new TextDecoder().decode(bytes.subarray(46, 46 + nameBytes));
  const extra = bytes.subarray(46 + nameBytes, 46 + nameBytes + fields.getUint16(30, true));
  const far = zip64Of(extra);
  let used = 0;
  // Of the zip64 field only those numbers are there that the entry itself leaves open, in this order.
  const number = (at: number) => {
    const near = fields.getUint32(at, true);
    if (near !== OPEN) return near;
    if (!far || used + 8 > far.byteLength) throw new FileError(`${path}: ${name}`, 'damaged: a size is missing');
    used += 8;
    return long(far, used - 8, path);
  };
  const size = number(24);
  const packed = number(20);
  return {
    name,
    method: fields.getUint16(10, true),
    crc: fields.getUint32(16, true),
    size,
    packed,
    header: number(42),
  };
}

function zip64Of(extra: Uint8Array): DataView | null {
  const fields = view(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + fields.getUint16(at + 2, true)) {
    if (fields.getUint16(at, true) !== ZIP64_FIELD) continue;
    return view(extra.subarray(at + 4, at + 4 + fields.getUint16(at + 2, true)));
  }
  return null;
}

function long(fields: DataView, at: number, path: string): number {
  const value = Number(fields.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new FileError(path, `damaged: it states ${value} bytes`);
  return value;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** CRC-32 of ISO 3309, by byte. */
const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function assertSum(path: string, want: number, source: ByteSource): void {
  let crc = 0xffffffff;
  for (let at = 0; at < source.size; at += 1 << 20) {
    const block = source.read(at, Math.min(1 << 20, source.size - at));
    for (let b = 0; b < block.length; b++) crc = crcTable[(crc ^ block[b]) & 0xff] ^ (crc >>> 8);
  }
  if ((crc ^ 0xffffffff) >>> 0 !== want)
    throw new FileError(path, 'damaged: its bytes do not have the stated checksum');
}
