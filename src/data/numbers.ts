import { FileError } from '../core/errors.ts';

/** How a number lies in a file. */
export interface NumberType {
  readonly kind: 'float' | 'signed' | 'unsigned';
  /** 1, 2, 4 or 8. */
  readonly bytes: number;
  readonly littleEndian: boolean;
}

/** Numbers of a file, of any type, read as float64. */
export interface NumberArray {
  /** File and name of the array, for errors. */
  readonly path: string;
  /** Lengths of the axes, the last one fastest. */
  readonly shape: readonly number[];
  /** The numbers [from, from + count) in C order. @throws FileError */
  read(from: number, count: number): Float64Array;
}

/** Whether this machine puts the lowest byte first. */
export const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type Open = (buffer: ArrayBuffer) => ArrayLike<number | bigint>;

const opened: Readonly<Record<string, Open>> = {
  float2: (buffer) => Float64Array.from(new Uint16Array(buffer), halfOf),
  float4: (buffer) => new Float32Array(buffer),
  float8: (buffer) => new Float64Array(buffer),
  signed1: (buffer) => new Int8Array(buffer),
  signed2: (buffer) => new Int16Array(buffer),
  signed4: (buffer) => new Int32Array(buffer),
  signed8: (buffer) => new BigInt64Array(buffer),
  unsigned1: (buffer) => new Uint8Array(buffer),
  unsigned2: (buffer) => new Uint16Array(buffer),
  unsigned4: (buffer) => new Uint32Array(buffer),
  unsigned8: (buffer) => new BigUint64Array(buffer),
};

export function isReadable({ kind, bytes }: NumberType): boolean {
  return `${kind}${bytes}` in opened;
}

/**
 * All numbers in `bytes`.
 * @param first place of the first one in its array, for errors
 * @throws FileError for a whole number beyond 2^53, which no float64 is
 */
export function decodeNumbers(bytes: Uint8Array, type: NumberType, path: string, first = 0): Float64Array {
  const open = opened[`${type.kind}${type.bytes}`];
  if (!open) throw new FileError(path, `got ${type.kind} numbers of ${type.bytes} bytes, which are not read`);
  const copy = Uint8Array.from(bytes);
  if (type.littleEndian !== littleEndian) reverseEach(copy, type.bytes);
  const values = open(copy.buffer);
  if (values instanceof Float64Array) return values;
  const numbers = Float64Array.from(values as ArrayLike<number>, Number);
  if (type.bytes === 8) {
    const odd = numbers.findIndex((value) => !Number.isSafeInteger(value));
    if (odd >= 0)
      throw new FileError(path, `got ${values[odd]} at place ${first + odd}, expected whole numbers up to 2^53`);
  }
  return numbers;
}

function reverseEach(bytes: Uint8Array, length: number): void {
  for (let at = 0; at < bytes.length; at += length) bytes.subarray(at, at + length).reverse();
}

/** IEEE 754 binary16 from its bits: (-1)^s 2^(e-15) (1 + m/1024), or 2^-14 m/1024 where e = 0. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? (sign * mantissa) / 2 ** 24 : sign * 2 ** (exponent - 25) * (1024 + mantissa);
}

/** The whole of an array. */
export function allOf(array: NumberArray): Float64Array {
  return array.read(0, countOf(array.shape));
}

/** Numbers in an array of this shape; 1 for the empty shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Numbers that are looked at together where an array is gone through. */
const blockNumbers = 1 << 16;

/** An array of one axis, block after block with the place where each begins. */
export function* numberBlocks(array: NumberArray): Generator<{ readonly from: number; readonly values: Float64Array }> {
  const total = countOf(array.shape);
  for (let from = 0; from < total; from += blockNumbers) {
    yield { from, values: array.read(from, Math.min(blockNumbers, total - from)) };
  }
}

/** Numbers in Fortran order, the first axis fastest, as a copy in C order, the last axis fastest. */
export function inOrder<T extends { readonly length: number; slice(): T; [at: number]: number }>(
  data: T,
  shape: readonly number[],
): T {
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
