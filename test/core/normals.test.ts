import { describe, expect, it } from 'vitest';
import { normalsOf } from '../../src/core/normals.ts';
import { createRng } from '../../src/core/rng.ts';

const n = 1_000_000;
const draws = (label: string): Float64Array => {
  const values = new Float64Array(n);
  const fill = normalsOf(createRng(7).split(label));
  // In pieces: they go on where the last one ended.
  for (let at = 0; at < n; at += 1000) fill(values, at, 1000, 1);
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
  const values = draws('a');

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
    const product = values.reduce((sum, x, k) => sum + (k > 0 ? x * values[k - 1] : 0), 0) / n;
    expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(n));
    expect(draws('a')).toEqual(values);
    expect(draws('b').slice(0, 10)).not.toEqual(values.slice(0, 10));
  });
});
