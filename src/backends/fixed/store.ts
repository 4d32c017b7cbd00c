import { type FieldFormat, type FieldStatistics, limitsOf } from '../../core/format.ts';
import type { Real } from '../../core/layout.ts';

/** Numbers in [0, 1) for stochastic rounding; their state is one number that lies in the network's own. */
export type Chance = () => number;

/**
 * A 32-bit xorshift generator whose word is kept as a number. @param word [1]; 0 before the first draw
 */
export function xorshift(word: Real, seed: number): Chance {
  return () => {
    let x = word[0] === 0 ? seed | 1 : word[0] | 0;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    word[0] = x;
    return (x >>> 0) / 2 ** 32;
  };
}

/** Puts the numbers of one field on its grid. */
export interface Store {
  readonly statistics: FieldStatistics;
  /** Entries [from, from + n) of the field; those that have not changed since the last time cost a comparison. */
  settle(from: number, n: number): void;
}

/**
 * @param values the field
 * @param kept the numbers as they were stored last, of the same length: what a change is measured against
 */
export function createStore({ field, format }: FieldFormat, values: Real, kept: Float64Array, chance: Chance): Store {
  const statistics: FieldStatistics = {
    field,
    format,
    tried: 0,
    fired: 0,
    lost: 0,
    saturated: 0,
    wrapped: 0,
    flushed: 0,
    smallest: 0,
    largest: 0,
  };
  const scale = 2 ** format.fraction;
  const [low, high] = limitsOf(format);
  const count = high - low + 1;
  const round = roundings[format.rounding];
  const wraps = format.overflow === 'wrap';
  return {
    statistics,
    settle(from, n) {
      for (let s = from; s < from + n; s++) {
        const value = values[s];
        if (value === kept[s]) continue;
        statistics.tried += 1;
        if (value < statistics.smallest) statistics.smallest = value;
        if (value > statistics.largest) statistics.largest = value;
        let integer = round(value * scale, chance);
        if (integer < low || integer > high) {
          if (wraps) {
            statistics.wrapped += 1;
            integer = low + ((((integer - low) % count) + count) % count);
          } else {
            statistics.saturated += 1;
            integer = integer < low ? low : high;
          }
        }
        const stored = integer / scale;
        if (stored === kept[s]) statistics.lost += Math.abs(value - stored) * scale < 1 ? 1 : 0;
        else statistics.fired += 1;
        if (stored === 0 && value !== 0) statistics.flushed += 1;
        // Never -0: what is stored is an integer.
        values[s] = stored + 0;
        kept[s] = stored + 0;
      }
    },
  };
}

const roundings: Readonly<Record<string, (value: number, chance: Chance) => number>> = {
  floor: (value) => Math.floor(value),
  nearest: (value) => Math.floor(value + 0.5),
  'toward-zero': (value) => Math.trunc(value),
  stochastic: (value, chance) => {
    const below = Math.floor(value);
    return value === below ? below : below + (chance() < value - below ? 1 : 0);
  },
};
