import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import { decodeNpy, encodeNpy } from '../../src/data/npy.ts';

const arrays = fc.oneof(fc.float64Array(), fc.float32Array(), fc.int32Array(), fc.uint8Array());

function decodeOrRefuse(bytes: Uint8Array): unknown {
  try {
    return decodeNpy(bytes, 'a.npy').data.constructor;
  } catch (error) {
    return error instanceof Error ? error.constructor : error;
  }
}

describe('npy', () => {
  it('round trips every array, with NaN and -0', () => {
    fc.assert(
      fc.property(arrays, fc.boolean(), (array, tall) => {
        const shape = tall ? [array.length, 1] : [1, array.length];
        expect(decodeNpy(encodeNpy(array, shape), 'a.npy')).toEqual({ shape, data: array });
      }),
    );
  });

  it('refuses every truncation', () => {
    fc.assert(
      fc.property(arrays, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (array, share) => {
        const bytes = encodeNpy(array, [array.length]);
        const cut = bytes.subarray(0, Math.floor(share * bytes.length));
        expect(() => decodeNpy(cut, 'a.npy')).toThrow(FileError);
      }),
    );
  });

  it('answers a damaged header with an array or a FileError, nothing else', () => {
    const known: unknown[] = [Float64Array, Float32Array, Int32Array, Uint8Array, FileError];
    fc.assert(
      fc.property(arrays, fc.nat(127), fc.integer({ min: 1, max: 255 }), (array, at, flip) => {
        const bytes = encodeNpy(array, [array.length]);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        expect(known).toContain(decodeOrRefuse(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
