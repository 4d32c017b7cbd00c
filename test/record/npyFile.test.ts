import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, FileError } from '../../src/core/errors.ts';
import { decodeNpy, encodeNpy } from '../../src/data/npy.ts';
import { readBytes, writeAtomic } from '../../src/record/files.ts';
import { NpyWriter, readNpyRows } from '../../src/record/npyFile.ts';
import { scratchFolder } from './scratch.ts';

const f8 = (rowShape: number[], bufferBytes = 0) => ({ type: 'f8', rowShape, bufferBytes }) as const;

describe('NpyWriter', () => {
  it('ends with the bytes of the whole array, for any lengths of appends and buffer', () => {
    const path = join(scratchFolder(), 'a.npy');
    fc.assert(
      fc.property(fc.array(fc.nat(40)), fc.integer({ min: 1, max: 4 }), fc.nat(500), (lengths, width, bufferBytes) => {
        const total = lengths.reduce((sum, n) => sum + n, 0);
        const all = Float64Array.from({ length: total * width }, (_, i) => Math.sin(i));
        const writer = new NpyWriter(path, f8([width], bufferBytes));
        let done = 0;
        for (const n of lengths) {
          writer.append(all.subarray(done, done + n * width));
          done += n * width;
        }
        expect(writer.rows).toBe(total);
        writer.close();
        expect(readBytes(path)).toEqual(encodeNpy(all, [total, width]));
      }),
      { numRuns: 50 },
    );
  });

  it('leaves a readable file at every flush, and a length that grows by digits moves nothing', () => {
    const path = join(scratchFolder(), 'a.npy');
    const writer = new NpyWriter(path, f8([2, 1], 1e6));
    expect(decodeNpy(readBytes(path), path).shape).toEqual([0, 2, 1]);
    for (let row = 0; row < 1100; row++) writer.append(Float64Array.of(row, -row));
    expect(decodeNpy(readBytes(path), path).shape).toEqual([0, 2, 1]);
    writer.flush();
    const { shape, data } = decodeNpy(readBytes(path), path);
    expect([shape, data[2198]]).toEqual([[1100, 2, 1], 1099]);
    writer.close();
    writer.close();
  });

  it('converts to the type of the file', () => {
    const path = join(scratchFolder(), 'a.npy');
    const writer = new NpyWriter(path, { type: 'f4', rowShape: [1], bufferBytes: 0 });
    writer.append(Float64Array.of(0.1));
    writer.close();
    expect(decodeNpy(readBytes(path), path)).toEqual({ shape: [1, 1], data: Float32Array.of(0.1) });
  });

  it('a reader ignores rows that the header does not count yet', () => {
    const path = join(scratchFolder(), 'a.npy');
    writeAtomic(path, [encodeNpy(Float64Array.of(1, 2), [1, 2]), new Uint8Array(11)]);
    expect(decodeNpy(readBytes(path), path)).toEqual({ shape: [1, 2], data: Float64Array.of(1, 2) });
    expect([...readNpyRows(path)]).toEqual([Float64Array.of(1, 2)]);
  });

  it('refuses part of a row, a row of nothing, and a path that cannot be written', () => {
    const folder = scratchFolder();
    const writer = new NpyWriter(join(folder, 'a.npy'), f8([2]));
    expect(() => writer.append(new Float64Array(3))).toThrow(ConfigError);
    writer.close();
    expect(() => new NpyWriter(join(folder, 'b.npy'), f8([0]))).toThrow(ConfigError);
    expect(() => new NpyWriter(folder, f8([1]))).toThrow(FileError);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', () => {
    expect(() => new NpyWriter('/dev/full', f8([1]))).toThrow('/dev/full: the disk is full');
  });
});

describe('readNpyRows', () => {
  it('gives the rows of a file larger than its block', () => {
    const path = join(scratchFolder(), 'a.npy');
    const all = Float32Array.from({ length: 3 * 50_000 }, (_, i) => i);
    writeAtomic(path, encodeNpy(all, [50_000, 3]));
    let row = 0;
    let wrong = 0;
    for (const [a, b, c] of readNpyRows(path)) {
      if (a !== 3 * row || b !== 3 * row + 1 || c !== 3 * row + 2) wrong++;
      row++;
    }
    expect([row, wrong]).toEqual([50_000, 0]);
  });

  it('reads a row wider than its block, and none', () => {
    const path = join(scratchFolder(), 'a.npy');
    writeAtomic(path, encodeNpy(new Float64Array(80_000).fill(1), [2, 40_000]));
    expect([...readNpyRows(path)].map((row) => row.length)).toEqual([40_000, 40_000]);
    writeAtomic(path, encodeNpy(new Float64Array(0), [0, 3]));
    expect([...readNpyRows(path)]).toEqual([]);
  });

  it('refuses what is truncated or missing', () => {
    const path = join(scratchFolder(), 'a.npy');
    expect(() => [...readNpyRows(path)]).toThrow(new FileError(path, 'does not exist'));
    writeAtomic(path, encodeNpy(new Float64Array(6), [2, 3]).subarray(0, 170));
    expect(() => [...readNpyRows(path)]).toThrow('truncated: got 42 bytes of numbers, expected 48');
  });
});
