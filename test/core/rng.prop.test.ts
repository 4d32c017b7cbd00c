import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng, type Rng, restoreRng } from '../../src/core/rng.ts';

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const labels = fc.oneof(fc.string(), fc.integer());
const draws = (rng: Rng, n: number) => Array.from({ length: n }, () => rng.uniform());
const check = { numRuns: 60, seed: 1 };

describe('a generator', () => {
  it('is a function of its seed, and another seed is another stream', () => {
    fc.assert(
      fc.property(seeds, seeds, (one, other) => {
        expect(draws(createRng(one), 4)).toBeBitEqual(draws(createRng(one), 4));
        if (one !== other) expect(draws(createRng(one), 4)).not.toBeBitEqual(draws(createRng(other), 4));
      }),
      check,
    );
  });

  it('splits by label alone, never by how many numbers were drawn before', () => {
    fc.assert(
      fc.property(seeds, labels, fc.integer({ min: 0, max: 20 }), (seed, label, drawn) => {
        const rng = createRng(seed);
        const early = draws(rng.split(label), 3);
        draws(rng, drawn);
        rng.normal();
        expect(draws(rng.split(label), 3)).toBeBitEqual(early);
      }),
      check,
    );
  });

  it('is not moved by a split', () => {
    const [plain, split] = [createRng(3), createRng(3)];
    split.split('a').uniform();
    expect(draws(split, 3)).toBeBitEqual(draws(plain, 3));
  });

  it('has distinct streams for distinct labels, a number and its text included', () => {
    fc.assert(
      fc.property(seeds, labels, labels, (seed, a, b) => {
        const rng = createRng(seed);
        if (a !== b) expect(draws(rng.split(a), 3)).not.toBeBitEqual(draws(rng.split(b), 3));
      }),
      check,
    );
    expect(draws(createRng(1).split(1), 3)).not.toBeBitEqual(draws(createRng(1).split('1'), 3));
  });

  it('tells the path of its splits', () => {
    const rng = createRng(1);
    expect(draws(rng.split('a').split('b'), 3)).not.toBeBitEqual(draws(rng.split('b').split('a'), 3));
    expect(draws(rng.split('a').split('b'), 3)).not.toBeBitEqual(draws(rng.split('ab'), 3));
  });

  it('has no two equal first numbers among many labels', () => {
    const rng = createRng(1).split('spikes');
    const first = Array.from({ length: 20_000 }, (_, label) => rng.split(label).uniform());
    expect(new Set(first).size).toBe(first.length);
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / first.length));
  });

  it('goes on from its state, through JSON, with the kept normal value', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 9 }), (seed, before) => {
        const rng = createRng(seed).split('x');
        for (let n = 0; n < before; n++) rng.normal();
        const restored = restoreRng(JSON.parse(JSON.stringify(rng.state())));
        const numbers = (of: Rng) => [of.normal(), of.normal(), of.uniform(), of.normal(), of.split('y').uniform()];
        expect(numbers(restored)).toBeBitEqual(numbers(rng));
      }),
      check,
    );
  });
});

describe('numbers', () => {
  const n = 200_000;
  const rng = createRng(5);
  const moments = (values: Float64Array) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const central = (power: number) => values.reduce((sum, value) => sum + (value - mean) ** power, 0) / values.length;
    return { mean, variance: central(2), third: central(3), fourth: central(4) };
  };

  it('are uniform in [0, 1), with all 53 bits', () => {
    const values = Float64Array.from({ length: n }, () => rng.uniform());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(values.some((value) => (value * 2 ** 53) % 2 === 1)).toBe(true);
    expect(values.every((value) => Number.isInteger(value * 2 ** 53))).toBe(true);
    const { mean, variance } = moments(values);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / n));
    const counts = new Float64Array(16);
    for (const value of values) counts[Math.floor(16 * value)] += 1;
    for (const count of counts) expect(Math.abs(count - n / 16)).toBeLessThan(5 * Math.sqrt(n / 16));
  });

  it('are standard normal, and one does not know the next', () => {
    const values = Float64Array.from({ length: n }, () => rng.normal());
    const { mean, variance, third, fourth } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(third)).toBeLessThan(4 * Math.sqrt(15 / n));
    expect(Math.abs(fourth - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    const lagged = values.slice(1).reduce((sum, value, s) => sum + value * values[s], 0) / n;
    expect(Math.abs(lagged)).toBeLessThan(4 / Math.sqrt(n));
  });

  it('are 1 with the given probability, and integers below n', () => {
    const ones = Array.from({ length: n }, () => rng.bernoulli(0.3)).reduce<number>((sum, value) => sum + value, 0);
    expect(Math.abs(ones / n - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / n));
    expect(new Set(Array.from({ length: 500 }, () => rng.integer(5)))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(Array.from({ length: 100 }, () => rng.bernoulli(0)).every((value) => value === 0)).toBe(true);
    expect(Array.from({ length: 100 }, () => rng.bernoulli(1)).every((value) => value === 1)).toBe(true);
  });
});
