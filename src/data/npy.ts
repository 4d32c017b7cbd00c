import { ConfigError, FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';
import {
  countOf,
  decodeNumbers,
  inOrder,
  isReadable,
  littleEndian,
  type NumberArray,
  type NumberType,
} from './numbers.ts';

/**
 * NumPy's .npy format (NEP 1): magic, version, length of a text header, the header (a Python dictionary), the numbers.
 * Written are version 1.0, C order and the byte order of this machine ('<' nearly everywhere); read also versions 2.0 and 3.0, both orders of
 * axes and of bytes, and numbers of any size. Python objects, which lie in a pickle, are refused: to load one runs what it says.
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

/** How the header names a type that is written: that of one byte has no byte order. */
function descriptor(type: NpyType): string {
  if (type === 'u1') return '|u1';
  return (littleEndian ? '<' : '>') + type;
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
  if (!['1.0', '2.0', '3.0'].includes(version))
    throw new FileError(path, `got .npy version ${version}, expected 1.0, 2.0 or 3.0`);
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

/** Reads a header from the first bytes of a file. Throws FileError for other types than are written. */
export function decodeNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  const { descr, ...header } = headerOf(bytes, path);
  const type = writtenType(descr);
  if (!type) {
    throw new FileError(path, `got numbers of type ${descr}, expected one of ${TYPES.map(descriptor).join(' ')}`);
  }
  return { ...header, type };
}

function writtenType(descr: string): NpyType | undefined {
  return TYPES.find((candidate) => descriptor(candidate) === descr);
}

type ReadHeader = Omit<NpyHeader, 'type'> & { readonly descr: string; readonly numbers: NumberType };

function headerOf(bytes: Uint8Array, path: string): ReadHeader {
  const { start, end } = headerSpan(bytes, path);
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1] ?? 'record';
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const numbers = numberType(descr, path);
  if (fortran === undefined) throw new FileError(path, 'its header states no order');
  return { descr, numbers, shape: shapeOf(text, path), fortran: fortran === 'True', offset: end };
}

const KINDS = { f: 'float', i: 'signed', u: 'unsigned', b: 'unsigned' } as const;

function numberType(descr: string, path: string): NumberType {
  if (descr.endsWith('O')) {
    throw new FileError(
      path,
      `holds Python objects (${descr}), which lie in a pickle and are never loaded; save flat events: ` +
        'np.savez(file, times=..., units=..., trial=..., labels=...)',
    );
  }
  const [, order, kind, size] = /^([<>|])([fiub])([1248])$/.exec(descr) ?? [];
  const type = kind && {
    kind: KINDS[kind as keyof typeof KINDS],
    bytes: Number(size),
    littleEndian: order === '|' ? littleEndian : order === '<',
  };
  if (type && isReadable(type) && (type.bytes === 1 || (order !== '|' && kind !== 'b'))) return type;
  throw new FileError(
    path,
    `got numbers of type ${descr}, expected one of b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 in either byte order`,
  );
}

/** More than the header of any array that is read. */
const HEADER_LIMIT = 1 << 16;

/** An array of numbers in a .npy file, read as it is asked for; one in Fortran order is read whole. Throws FileError. */
export function openNpy(source: ByteSource): NumberArray {
  const { path, size } = source;
  const { numbers, shape, fortran, offset } = headerOf(source.read(0, Math.min(size, HEADER_LIMIT)), path);
  const total = countOf(shape);
  assertHolds(path, size - offset, total * numbers.bytes);
  const stored = (from: number, count: number) =>
    decodeNumbers(source.read(offset + from * numbers.bytes, count * numbers.bytes), numbers, path, from);
  if (!fortran || shape.length < 2) return { path, shape, read: stored };
  let whole: Float64Array | null = null;
  return {
    path,
    shape,
    read(from, count) {
      whole ??= inOrder(stored(0, total), shape);
      return whole.slice(from, from + count);
    },
  };
}

function assertHolds(path: string, got: number, expected: number): void {
  if (got < expected) throw new FileError(path, `truncated: got ${got} bytes of numbers, expected ${expected}`);
}

/**
 * A copy of the numbers of a .npy file, in C order; of types that are not written, as float64. Bytes after the last stated row are ignored, as NumPy
 * does: a killed writer leaves rows that its header does not count yet. Throws FileError naming `path`.
 */
export function decodeNpy(bytes: Uint8Array, path: string): { shape: readonly number[]; data: NpyArray } {
  const { descr, numbers, shape, fortran, offset } = headerOf(bytes, path);
  const expected = countOf(shape) * numbers.bytes;
  assertHolds(path, bytes.length - offset, expected);
  const part = bytes.subarray(offset, offset + expected);
  const type = writtenType(descr);
  const data = type ? npyArray(type, Uint8Array.from(part).buffer) : decodeNumbers(part, numbers, path);
  return { shape, data: fortran && shape.length > 1 ? inOrder(data, shape) : data };
}
