import type { Real } from '../../core/layout.ts';

/** Random numbers in [0, 1) for stochastic rounding; the state is one number that lies in the network's own. */
export interface Chance {
  /** Called before a field is swept. */
  sweep(): void;
  /** For entry s of the field in this sweep. */
  at(s: number): number;
  /** The two keys of the sweep where a number is a hash of its entry; null where numbers come one after the other. */
  readonly keys: Int32Array | null;
}

const chances: Readonly<Record<string, (state: Real, field: number, seed: number) => Chance>> = { hash, lfsr };

/** Random numbers of one of several fields. @param state [fields]; 0 before the first draw */
export function createChance(generator: 'hash' | 'lfsr', state: Real, field: number, seed: number): Chance {
  return chances[generator](state, field, seed);
}

/**
 * A hash of seed, field, sweep of the field and entry: each rounding has a number of its own, whatever the order in which they
 * are made. 31 bits, as `wordsOf` in `kernels/double/` has them.
 */
function hash(state: Real, field: number, seed: number): Chance {
  const keys = new Int32Array(2);
  // Whole numbers that the state tells apart from the next one; 0 is left to what was never drawn.
  const most = state instanceof Float32Array ? 2 ** 24 - 1 : Number.MAX_SAFE_INTEGER;
  const own = mix(mix(seed, 0) + field, 0x2545f491);
  return {
    keys,
    sweep() {
      state[field] = state[field] < most ? state[field] + 1 : 1;
      const low = state[field] | 0;
      const high = Math.floor(state[field] / 2 ** 32) | 0;
      keys[0] = mix(low ^ mix(own + high, 0), 0x51ed270b);
      keys[1] = mix(keys[0] + 0x9e3779b9, low);
    },
    at: (s) => (mix(s ^ keys[0], keys[1]) >>> 1) / 2 ** 31,
  };
}

function mix(word: number, second: number): number {
  let x = word;
  x ^= x >>> 16;
  x = (Math.imul(x, 0x7feb352d) + second) | 0;
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

/**
 * A linear feedback shift register of 16 bits, taps 16, 15, 13, 4, sixteen shifts a draw: what chips have, shared by all roundings
 * in the order in which they are made.
 */
function lfsr(state: Real, _field: number, seed: number): Chance {
  return {
    keys: null,
    sweep() {
      if (state[0] === 0) state[0] = ((seed - 1) % 0xffff) + 1;
    },
    at() {
      let word = state[0];
      for (let shift = 0; shift < 16; shift++) {
        const bit = (word ^ (word >> 1) ^ (word >> 3) ^ (word >> 12)) & 1;
        word = (word >> 1) | (bit << 15);
      }
      state[0] = word;
      return word / 2 ** 16;
    },
  };
}
