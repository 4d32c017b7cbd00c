import { describe, expect, it } from 'vitest';
import { arraysOf } from '../../src/backends/wasm/arrays.ts';
import { instantiate, type Kernels, kernelModule } from '../../src/backends/wasm/module.ts';
import { createNoise, type NoiseKind, plainArrays } from '../../src/core/noise.ts';
import { createRng } from '../../src/core/rng.ts';

const n = 1_000_000;
const draws = (label: string, kind: NoiseKind, sd = 1): Float64Array => {
  const values = new Float64Array(n);
  plainArrays.draw(createNoise(createRng(7).split(label), kind), 0, values, 0, n, sd);
  return values;
};
const mean = (values: Float64Array, of: (x: number) => number) => values.reduce((sum, x) => sum + of(x), 0) / n;

/** P(X < x) by the series of the error function. */
function below(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}

describe('normal numbers', () => {
  const values = draws('a', 'normal');

  it('have the moments of a normal distribution', () => {
    const within = 4 / Math.sqrt(n);
    expect(Math.abs(mean(values, (x) => x))).toBeLessThan(within);
    expect(Math.abs(mean(values, (x) => x ** 2) - 1)).toBeLessThan(within * Math.sqrt(2));
    expect(Math.abs(mean(values, (x) => x ** 3))).toBeLessThan(within * Math.sqrt(15));
    expect(Math.abs(mean(values, (x) => x ** 4) - 3)).toBeLessThan(within * Math.sqrt(96));
  });

  it('lie where they should, the tail as well', () => {
    const edges = [-3.6, -3.442619855899, -3, -2, -1.5, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 1.5, 2, 3, 3.442619855899, 3.6];
    for (const edge of edges) {
      const p = below(edge);
      const share = values.filter((x) => x < edge).length / n;
      expect(Math.abs(share - p), String(edge)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / n));
    }
  });

  it('do not depend on each other, and follow from the generator alone', () => {
    for (const lag of [1, 2, 3, 4, 100, 1000]) {
      const product = values.reduce((sum, x, k) => sum + (k >= lag ? x * values[k - lag] : 0), 0) / n;
      expect(Math.abs(product), String(lag)).toBeLessThan(4 / Math.sqrt(n));
    }
    const other = draws('b', 'normal');
    const product = values.reduce((sum, x, k) => sum + x * other[k], 0) / n;
    expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(n));
    expect(draws('a', 'normal')).toEqual(values);
  });
});

describe('signs', () => {
  const values = draws('a', 'sign', 0.5);

  it('are plus or minus, as often, and do not depend on each other', () => {
    expect(values.every((x) => Math.abs(x) === 0.5)).toBe(true);
    const within = 4 / Math.sqrt(n);
    expect(Math.abs(mean(values, (x) => 2 * x))).toBeLessThan(within);
    for (const lag of [1, 2, 31, 32, 33, 100]) {
      const product = values.reduce((sum, x, k) => sum + (k >= lag ? 4 * x * values[k - lag] : 0), 0) / n;
      expect(Math.abs(product), String(lag)).toBeLessThan(within);
    }
  });
});

describe.each(['normal', 'sign'] as const)('the kernel of %s numbers', (kind) => {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const arrays = arraysOf(instantiate<Kernels>(kernelModule('own'), memory), memory);
  const noise = createNoise(createRng(3).split(kind), kind);
  const ours = (length: number) => new Float32Array(memory.buffer, 65536, length);

  it('draws what the plain loop draws, to the precision of float32', () => {
    const length = 200_000;
    const [fast, plain] = [ours(length), new Float64Array(length)];
    arrays.draw(noise, 0, fast, 0, length, 0.3);
    plainArrays.draw(noise, 0, plain, 0, length, 0.3);
    expect(plain.every((x) => x !== 0)).toBe(true);
    expect(fast.findIndex((x, s) => Math.abs(x / plain[s] - 1) > 3e-6)).toBe(-1);
  });

  it('goes on at any place, writes nothing beside it, and leaves arrays of others to the plain loop', () => {
    const [whole, parts] = [new Float32Array(64), ours(66)];
    arrays.draw(noise, 5, whole, 0, 64, 2);
    parts.fill(9);
    for (let at = 0, size = 1; at < 64; at += size, size = Math.min(size + 1, 64 - at))
      arrays.draw(noise, 5 + at, parts, 1 + at, size, 2);
    const relative = Array.from(whole, (x, s) => Math.abs(parts[1 + s] / x - 1));
    expect(Math.max(...relative)).toBeLessThan(3e-6);
    expect([parts[0], parts[65]]).toEqual([9, 9]);
  });

  it('scales numbers in place and no others', () => {
    const values = ours(9);
    values.fill(3);
    arrays.scale(values, 1, 7, -0.5);
    expect(Array.from(values)).toEqual([3, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5, 3]);
    const others = Float64Array.of(1, 2);
    arrays.scale(others, 1, 1, 4);
    expect(Array.from(others)).toEqual([1, 8]);
  });
});
