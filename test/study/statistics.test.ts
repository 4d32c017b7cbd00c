import { describe, expect, it } from 'vitest';
import { deviationOf } from '../../src/core/statistics.ts';
import { sobol, sobolDimensions } from '../../src/study/sobol.ts';
import { bootstrapInterval, holm, pairedTest, summarise } from '../../src/study/statistics.ts';

describe('Sobol points', () => {
  it('are those that Joe and Kuo print for three dimensions', () => {
    expect(sobol(10, 3)).toEqual([
      [0, 0, 0],
      [0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25],
      [0.25, 0.75, 0.75],
      [0.375, 0.375, 0.625],
      [0.875, 0.875, 0.125],
      [0.625, 0.125, 0.875],
      [0.125, 0.625, 0.375],
      [0.1875, 0.3125, 0.9375],
      [0.6875, 0.8125, 0.4375],
    ]);
  });

  it('put one of 2^k in each of 2^k parts, in every dimension and with every shift', () => {
    const shift = Array.from({ length: sobolDimensions }, (_, d) => (d * 0x9e3779b1) >>> 0);
    for (const points of [sobol(256, sobolDimensions), sobol(256, sobolDimensions, shift)]) {
      for (let d = 0; d < sobolDimensions; d++) {
        expect(new Set(points.map((point) => Math.floor(point[d] * 256))).size).toBe(256);
      }
    }
  });

  it('differ between all dimensions, and begin with those of fewer', () => {
    const points = sobol(64, sobolDimensions);
    const columns = points[0].map((_, d) => points.map((point) => point[d]).join());
    expect(new Set(columns).size).toBe(sobolDimensions);
    expect(sobol(64, 4).slice(0, 9)).toEqual(sobol(9, 4));
  });
});

/** Heights of crossed less self-fertilised maize, eighths of an inch: Darwin 1876, as in Fisher 1935. */
const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

describe('the paired test', () => {
  it('finds what Fisher counted in the maize of Darwin: 1726 of 32,768 patterns', () => {
    const { p, difference, n } = pairedTest(darwin);
    expect(p).toBe(1726 / 32768);
    expect(difference).toBeCloseTo(314 / 15, 12);
    expect(n).toBe(15);
  });

  it('has the smallest p that n pairs can have, and 1 where all is in balance', () => {
    expect(pairedTest([0.1, 0.2, 0.3]).p).toBe(2 / 8);
    expect(pairedTest([1, -1]).p).toBe(1);
    expect(pairedTest([3]).p).toBeNaN();
  });

  it('draws patterns where there are too many, close to the exact share', () => {
    const many = [...darwin, 0, 0];
    expect(pairedTest(many).p).toBeCloseTo(1726 / 32768, 2);
    expect(pairedTest(many).p).toBe(pairedTest(many).p);
  });
});

it('the bootstrap interval is that of the normal approximation where there are many values, and the same every time', () => {
  const values = Array.from({ length: 400 }, (_, n) => Math.sin(n * 12.9898) * 3 + 5);
  const [low, high] = bootstrapInterval(values);
  const half = (1.96 * deviationOf(values)) / Math.sqrt(400);
  expect((high - low) / 2).toBeCloseTo(half, 1);
  expect((high - low) / 2 / half).toBeGreaterThan(0.95);
  expect(bootstrapInterval(values)).toEqual([low, high]);
  expect(summarise([2])).toEqual({ n: 1, mean: 2, sd: Number.NaN, low: Number.NaN, high: Number.NaN });
});

it('Holm makes the smallest p as large as Bonferroni does, and keeps the order', () => {
  [0.03, 0.06, 0.06].forEach((p, at) => {
    expect(holm([0.01, 0.04, 0.03])[[0, 2, 1][at]]).toBeCloseTo(p, 12);
  });
  expect(holm([Number.NaN, 0.9, 0.8])).toEqual([Number.NaN, 1, 1]);
});
