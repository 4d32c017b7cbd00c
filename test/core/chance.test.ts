import { describe, expect, it } from 'vitest';
import { instantiate, kernelModule } from '../../src/backends/wasm/module.ts';
import { blockKey, chanceAt } from '../../src/core/chance.ts';
import { createOptimizer } from '../support/optimizers.ts';

const n = 40_000;

describe('a random number of a place', () => {
  it.each([
    ['entries', (s: number) => chanceAt(5, 3, s)],
    ['rounds', (s: number) => chanceAt(5, s, 3)],
    ['keys', (s: number) => chanceAt(s, 5, 3)],
    ['blocks', (s: number) => chanceAt(blockKey(9, s), 5, 3)],
  ])('is uniform and independent from neighbour to neighbour over %s', (_label, draw) => {
    const numbers = Array.from({ length: n }, (_, s) => draw(s) - 0.5);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.max(...numbers)).toBeLessThan(0.5);
    expect(Math.min(...numbers)).toBeGreaterThan(-0.5);
    expect(Math.abs(mean(numbers))).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(mean(numbers.map((u) => u * u)) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / n));
    for (const lag of [1, 2, 16]) {
      const products = numbers.slice(lag).map((u, s) => u * numbers[s]);
      expect(Math.abs(mean(products))).toBeLessThan((4 / 12) * Math.sqrt(1 / n));
    }
  });

  it('is the same in the kernels: the same weights move', () => {
    const memory = new WebAssembly.Memory({ initial: 8 });
    const kernels = instantiate(kernelModule('own'), memory);
    const count = 3000;
    const inKernel = new Float32Array(memory.buffer, 65536, count);
    for (const key of [7, 0x9abcdef1]) {
      const gradient = Float32Array.from({ length: count }, (_, s) => Math.sin(s));
      inKernel.set(gradient);
      kernels.stepOnce(inKernel.byteOffset, count, 0.5, 0.25, blockKey(key, 2), 41);
      createOptimizer({ kind: 'one-step', delta: 0.25 }, key, ['in', 'rec', 'out']).step(gradient, [], 0.5, 41, 2);
      expect(Array.from(inKernel, Math.abs)).toEqual(Array.from(gradient, Math.abs));
      expect(Array.from(inKernel, Math.sign)).toEqual(Array.from(gradient, Math.sign));
      expect(gradient.filter((step) => step !== 0).length).toBeGreaterThan(count / 2);
    }
  });
});
