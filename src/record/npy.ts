import { endianness } from 'node:os';
import { ConfigError, FileError } from '../core/errors.ts';

/**
 * NumPy's .npy format (NEP 1): magic, version, length of a text header, the header (a Python dictionary), the numbers.
 * Written are version 1.0, C order and the byte order of this machine ('<' nearly everywhere); read also version 2.0 and whole
 * numbers of any size.
 */
export type NpyType = 'f8' | 'f4' | 'i4' | 'u1';
export type NpyArray = Float64Array | Float32Array | Int32Array | Uint8Array;

export interface NpyHeader {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Whether the first axis runs fastest (Fortran order). */
  readonly fortran: boolean;
  /** Bytes before the first number. */
  readonly offset: number;
}

export const NPY_BYTES: Readonly<Record<NpyType, number>> = { f8: 8, f4: 4, i4: 4, u1: 1 };

const TYPES: readonly NpyType[] = ['f8', 'f4', 'i4', 'u1'];
const MAGIC = '\x93NUMPY';
const PREFIX_BYTES = 10;
const ALIGN_BYTES = 64;
/** Digits that the first axis may grow to without moving the numbers; NumPy leaves the same room. */
const GROWTH_DIGITS = 21;

/** Further types that are read, as numbers of 8 bytes: NumPy's own integers have 8, its indices and masks fewer. */
type WholeType = 'i8' | 'u8' | 'u4' | 'i2' | 'u2' | 'i1' | 'b1';
type WholeArray = BigInt64Array | BigUint64Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

const WHOLE: Readonly<Record<WholeType, { readonly bytes: number; open(buffer: ArrayBuffer): WholeArray }>> = {
  i8: { bytes: 8, open: (buffer) => new BigInt64Array(buffer) },
  u8: { bytes: 8, open: (buffer) => new BigUint64Array(buffer) },
  u4: { bytes: 4, open: (buffer) => new Uint32Array(buffer) },
  i2: { bytes: 2, open: (buffer) => new Int16Array(buffer) },
  u2: { bytes: 2, open: (buffer) => new Uint16Array(buffer) },
  i1: { bytes: 1, open: (buffer) => new Int8Array(buffer) },
  b1: { bytes: 1, open: (buffer) => new Uint8Array(buffer) },
};
const WHOLE_TYPES = Object.keys(WHOLE) as WholeType[];

function isWritten(type: NpyType | WholeType): type is NpyType {
  return (TYPES as readonly string[]).includes(type);
}

/** @throws FileError for a whole number that no number of 8 bytes is */
function wholeNumbers(values: WholeArray, path: string): Float64Array {
  const numbers = Float64Array.from(values as ArrayLike<number | bigint>, Number);
  const odd = numbers.findIndex((value) => !Number.isSafeInteger(value));
  if (odd >= 0) throw new FileError(path, `got ${values[odd]} at place ${odd}, expected whole numbers up to 2^53`);
  return numbers;
}

/** How the header names a type: those of one byte have no byte order. */
function descriptor(type: NpyType | WholeType): string {
  if (type.endsWith('1')) return `|${type}`;
  return (endianness() === 'LE' ? '<' : '>') + type;
}

/** Numbers in an array of this shape; 1 for the empty shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function npyArray(type: NpyType, buffer: ArrayBufferLike): NpyArray {
  switch (type) {
    case 'f8':
      return new Float64Array(buffer);
    case 'f4':
      return new Float32Array(buffer);
    case 'i4':
      return new Int32Array(buffer);
    case 'u1':
      return new Uint8Array(buffer);
    default:
      return type satisfies never;
  }
}

function typeOf(array: NpyArray): NpyType {
  if (array instanceof Float64Array) return 'f8';
  if (array instanceof Float32Array) return 'f4';
  return array instanceof Int32Array ? 'i4' : 'u1';
}

/** The bytes before the numbers, as NumPy itself writes them. Their count is the same for every length of the first axis. */
export function encodeNpyHeader(type: NpyType, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descriptor(type)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const growth = shape.length > 0 ? GROWTH_DIGITS - String(shape[0]).length : 0;
  const least = PREFIX_BYTES + text.length + growth + 1;
  const bytes = new Uint8Array((Math.floor(least / ALIGN_BYTES) + 1) * ALIGN_BYTES).fill(0x20);
  for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  view.setUint16(6, 0x0100);
  view.setUint16(8, bytes.length - PREFIX_BYTES, true);
  new TextEncoder().encodeInto(text, bytes.subarray(PREFIX_BYTES));
  bytes[bytes.length - 1] = 0x0a;
  return bytes;
}

/** A whole .npy file of an array in C order. Throws ConfigError where shape and length disagree. */
export function encodeNpy(array: NpyArray, shape: readonly number[]): Uint8Array {
  if (countOf(shape) !== array.length) throw new ConfigError('shape', shape, `a product of ${array.length}`);
  const header = encodeNpyHeader(typeOf(array), shape);
  const bytes = new Uint8Array(header.length + array.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), header.length);
  return bytes;
}

/** Where the text of the header starts and ends. */
function headerSpan(bytes: Uint8Array, path: string): { start: number; end: number } {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw new FileError(path, 'is not a .npy file');
  if (bytes.length < 12) throw new FileError(path, `truncated: got ${bytes.length} bytes, expected a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const version = `${bytes[6]}.${bytes[7]}`;
  if (version !== '1.0' && version !== '2.0')
    throw new FileError(path, `got .npy version ${version}, expected 1.0 or 2.0`);
  const start = version === '1.0' ? PREFIX_BYTES : 12;
  const end = start + (version === '1.0' ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length)
    throw new FileError(path, `truncated: got ${bytes.length} bytes, expected a header of ${end}`);
  return { start, end };
}

function shapeOf(text: string, path: string): number[] {
  const tuple = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (tuple === undefined) throw new FileError(path, 'its header states no shape');
  const shape = tuple.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(countOf(shape))) {
    throw new FileError(path, `shape (${tuple}) is not one of whole numbers that fit`);
  }
  return shape;
}

/** Reads a header from the first bytes of a file. Throws FileError for other formats, orders and types than are written. */
export function decodeNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  return headerOf(bytes, path, TYPES);
}

function headerOf<T extends NpyType | WholeType>(
  bytes: Uint8Array,
  path: string,
  types: readonly T[],
): Omit<NpyHeader, 'type'> & { readonly type: T } {
  const { start, end } = headerSpan(bytes, path);
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const type = types.find((candidate) => descriptor(candidate) === descr);
  if (!type) {
    throw new FileError(
      path,
      `got numbers of type ${descr ?? 'record'}, expected one of ${types.map(descriptor).join(' ')}`,
    );
  }
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  if (fortran === undefined) throw new FileError(path, 'its header states no order');
  return { type, shape: shapeOf(text, path), fortran: fortran === 'True', offset: end };
}

/**
 * A copy of the numbers of a .npy file, in C order. Bytes after the last stated row are ignored, as NumPy does: a killed
 * writer leaves rows that its header does not count yet. Throws FileError naming `path`.
 */
export function decodeNpy(bytes: Uint8Array, path: string): { shape: readonly number[]; data: NpyArray } {
  const { type, shape, fortran, offset } = headerOf(bytes, path, [...TYPES, ...WHOLE_TYPES]);
  const expected = countOf(shape) * (isWritten(type) ? NPY_BYTES[type] : WHOLE[type].bytes);
  const got = bytes.length - offset;
  if (got < expected) throw new FileError(path, `truncated: got ${got} bytes of numbers, expected ${expected}`);
  const copy = new Uint8Array(bytes.subarray(offset, offset + expected));
  const data = isWritten(type) ? npyArray(type, copy.buffer) : wholeNumbers(WHOLE[type].open(copy.buffer), path);
  return { shape, data: fortran && shape.length > 1 ? inOrder(data, shape) : data };
}

/** Numbers in Fortran order, the first axis fastest, as a copy in C order, the last axis fastest. */
function inOrder(data: NpyArray, shape: readonly number[]): NpyArray {
  const copy = data.slice();
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0; at < data.length; at++) {
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) from = from * shape[axis] + index[axis];
    copy[at] = data[from];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return copy;
}
