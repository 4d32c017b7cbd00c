import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { ConfigError, FileError } from '../../src/core/errors.ts';
import { decodeNpy, encodeNpy, type NpyArray } from '../../src/data/npy.ts';

/** A file as NumPy lays it out: the header is padded with spaces to a length, in bytes, that it states before. */
function file(header: string, headerBytes: number, numbersHex: string, version = 1): Uint8Array {
  const text = Buffer.from(`${header.padEnd(headerBytes - 1)}\n`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUInt16LE(headerBytes);
  const magic = Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]);
  return new Uint8Array(Buffer.concat([magic, length, text, Buffer.from(numbersHex, 'hex')]));
}

const dictionary = (descr: string, shape: string, order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** Files that numpy 2.4 wrote: np.save(file, np.array(values, dtype)). */
const NUMPY: readonly { name: string; bytes: Uint8Array; shape: number[]; data: NpyArray }[] = [
  {
    name: 'f8 of two axes',
    bytes: file(
      dictionary("'<f8'", '(2, 3)'),
      118,
      '000000000000f83f00000000000002c09c7500883ce4377e9a9999999999b93f000000000000f07f0100000000000000',
    ),
    shape: [2, 3],
    data: Float64Array.of(1.5, -2.25, 1e300, 0.1, Number.POSITIVE_INFINITY, 5e-324),
  },
  {
    name: 'f4 of one axis',
    bytes: file(dictionary("'<f4'", '(2,)'), 118, 'cdcccc3d000040c0'),
    shape: [2],
    data: Float32Array.of(0.1, -3),
  },
  {
    name: 'i4 of three axes',
    bytes: file(dictionary("'<i4'", '(2, 1, 1)'), 118, 'fbffffffffffff7f'),
    shape: [2, 1, 1],
    data: Int32Array.of(-5, 2 ** 31 - 1),
  },
  {
    name: 'u1 without axes',
    bytes: file(dictionary("'|u1'", '()'), 118, 'c8'),
    shape: [],
    data: Uint8Array.of(200),
  },
  {
    name: 'a header of more than 128 bytes',
    bytes: file(dictionary("'|u1'", `(3, ${Array(19).fill(1).join(', ')})`), 182, '010203'),
    shape: [3, ...Array<number>(19).fill(1)],
    data: Uint8Array.of(1, 2, 3),
  },
];

describe('the bytes of NumPy', () => {
  it.each(NUMPY)('$name: the same are written', ({ bytes, shape, data }) => {
    expect(encodeNpy(data, shape)).toEqual(bytes);
  });

  it.each(NUMPY)('$name: read', ({ bytes, shape, data }) => {
    expect(decodeNpy(bytes, 'a.npy')).toEqual({ shape, data });
  });

  it('reads version 2.0', () => {
    const bytes = file(dictionary("'<f8'", '(2,)'), 116, '000000000000f03f0000000000000040', 2);
    expect(decodeNpy(bytes, 'a.npy')).toEqual({ shape: [2], data: Float64Array.of(1, 2) });
  });

  it('reads from the middle of a buffer, at any alignment', () => {
    const { bytes, shape, data } = NUMPY[0] ?? expect.unreachable();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeNpy(shifted.subarray(3), 'a.npy')).toEqual({ shape, data });
    expect(decodeNpy(Buffer.from(bytes), 'a.npy')).toEqual({ shape, data });
  });
});

it('turns Fortran order into C order', () => {
  const numbers = Float64Array.from({ length: 24 }, (_, s) => s);
  const bytes = Buffer.from(numbers.buffer).toString('hex');
  const { shape, data } = decodeNpy(file(dictionary("'<f8'", '(2, 3, 4)', 'True'), 118, bytes), 'a.npy');
  expect(shape).toEqual([2, 3, 4]);
  // numpy: np.arange(24.).reshape(2, 3, 4, order='F').ravel()
  expect(Array.from(data)).toEqual([
    0, 6, 12, 18, 2, 8, 14, 20, 4, 10, 16, 22, 1, 7, 13, 19, 3, 9, 15, 21, 5, 11, 17, 23,
  ]);
});

it.each([
  ["'>f8'", '3ff8000000000000c002000000000000', [1.5, -2.25]],
  ["'<f2'", '0100ff7b', [2 ** -24, 65504]],
  ["'>f2'", 'b8007c00', [-0.5, Number.POSITIVE_INFINITY]],
  ["'>i2'", 'fffe0003', [-2, 3]],
  ["'<i8'", 'feffffffffffffff0300000000000000', [-2, 3]],
  ["'<u8'", '00000000000020000300000000000000', [2 ** 53, 3]],
  ["'<u4'", 'ffffffff03000000', [2 ** 32 - 1, 3]],
  ["'<i2'", 'feff0300', [-2, 3]],
  ["'<u2'", 'feff0300', [65534, 3]],
  ["'|i1'", 'fe03', [-2, 3]],
  ["'|b1'", '0001', [0, 1]],
])('reads numbers of type %s', (type, hex, values) => {
  const read = () => Array.from(decodeNpy(file(dictionary(type, '(2,)'), 118, hex), 'f').data);
  if (values[0] > Number.MAX_SAFE_INTEGER) expect(read).toThrow('at place 0');
  else expect(read()).toEqual(values);
});

describe('refusals', () => {
  const refusals: readonly [string, Uint8Array, string][] = [
    ['another format', Uint8Array.of(1, 2, 3), 'is not a .npy file'],
    ['an empty file', new Uint8Array(0), 'is not a .npy file'],
    ['version 4.0', file(dictionary("'<f8'", '(0,)'), 116, '', 4), 'got .npy version 4.0, expected 1.0, 2.0 or 3.0'],
    [
      'integers that no double is',
      file(dictionary("'<i8'", '(2,)'), 118, `${'00'.repeat(8)}0100000000002000`),
      'got 9007199254740993 at place 1, expected whole numbers up to 2^53',
    ],
    [
      'complex numbers',
      file(dictionary("'<c8'", '(1,)'), 118, '00'.repeat(8)),
      'got numbers of type <c8, expected one of',
    ],
    ['Python objects', file(dictionary("'|O'", '(1,)'), 118, '00'.repeat(8)), 'lie in a pickle and are never loaded'],
    ['records', file(dictionary("[('a', '<f8')]", '(1,)'), 118, '00'.repeat(8)), 'got numbers of type record'],
    ['no shape', file("{'descr': '<f8', 'fortran_order': False, }", 118, ''), 'its header states no shape'],
    ['no order', file("{'descr': '<f8', 'shape': (1,), }", 118, ''), 'its header states no order'],
    [
      'a huge shape',
      file(dictionary("'<f8'", '(99999999, 99999999, 9)'), 118, ''),
      'is not one of whole numbers that fit',
    ],
    [
      'missing numbers',
      file(dictionary("'<f8'", '(2,)'), 118, '00'.repeat(15)),
      'got 15 bytes of numbers, expected 16',
    ],
    ['a missing header', file(dictionary("'<f8'", '(2,)'), 118, '').subarray(0, 50), 'expected a header of 128'],
  ];

  it.each(refusals)('%s', (_, bytes, problem) => {
    const decode = () => decodeNpy(bytes, 'runs/a.npy');
    expect(decode).toThrow(FileError);
    expect(decode).toThrow('runs/a.npy: ');
    expect(decode).toThrow(problem);
  });

  it('a shape that the array does not have', () => {
    expect(() => encodeNpy(new Float64Array(5), [2, 3])).toThrow(ConfigError);
  });
});
