import { describe, expect, it } from 'vitest';
import { createChance } from '../../src/backends/fixed/chance.ts';

describe('random numbers of stochastic rounding by hash', () => {
  const sweepOf = (seed: number, field: number, sweeps: number) => {
    const chance = createChance('hash', new Float64Array(field + 1), field, seed);
    for (let k = 0; k < sweeps; k++) chance.sweep();
    return Array.from({ length: 4096 }, (_, s) => chance.at(s));
  };
  const correlation = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, s) => sum + (x - 0.5) * (b[s] - 0.5), 0) / a.length / (1 / 12);

  it('are uniform: every sixteenth of the interval as often as the others', () => {
    for (const sweeps of [1, 2, 1000]) {
      const counts = new Array<number>(16).fill(0);
      for (const x of sweepOf(3, 0, sweeps)) counts[Math.floor(16 * x)] += 1;
      // Chi square of 15 degrees of freedom: 45 is passed once in ten thousand.
      expect(counts.reduce((sum, n) => sum + (n - 256) ** 2 / 256, 0)).toBeLessThan(45);
    }
  });

  it('are unrelated in other sweeps, fields, seeds and at the next entry', () => {
    const one = sweepOf(3, 0, 5);
    const others = [sweepOf(3, 0, 6), sweepOf(3, 1, 5), sweepOf(4, 0, 5), [...one.slice(1), one[0]]];
    for (const other of others) expect(Math.abs(correlation(one, other))).toBeLessThan(4 / Math.sqrt(4096));
    expect(correlation(one, sweepOf(3, 0, 5))).toBeGreaterThan(0.9);
  });

  it('go on from the count of sweeps alone', () => {
    const state = new Float64Array(1);
    const first = createChance('hash', state, 0, 9);
    first.sweep();
    first.sweep();
    const later = createChance('hash', Float64Array.from([1]), 0, 9);
    later.sweep();
    expect(later.at(17)).toBe(first.at(17));
    expect(state[0]).toBe(2);
  });

  it('differ from sweep to sweep where a float32 counts no further', () => {
    const state = Float32Array.of(2 ** 24 - 2);
    const chance = createChance('hash', state, 0, 9);
    const drawn = Array.from({ length: 4 }, () => {
      chance.sweep();
      return chance.at(17);
    });
    expect(new Set(drawn).size).toBe(4);
    expect(state[0]).toBe(3);
  });
});

describe('random numbers of a shift register', () => {
  it('take every word but 0 once, then begin anew, and are shared by all fields', () => {
    const state = new Float64Array(3);
    const chances = [0, 1].map((field) => createChance('lfsr', state, field, 5));
    for (const chance of chances) chance.sweep();
    expect(state[0]).toBe(5);
    const seen = new Set<number>();
    for (let n = 0; n < 65535; n++) seen.add(chances[n % 2].at(n) * 65536);
    expect(seen.size).toBe(65535);
    expect(seen.has(0)).toBe(false);
    expect(state[0]).toBe(5);
  });
});
