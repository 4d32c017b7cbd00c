import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';

/**
 * Random numbers as a value: a stream of xoroshiro128+ with a key. `split(label)` depends on the key alone, never on
 * how many numbers were drawn, so adding a consumer does not move the numbers of another.
 */
export interface Rng {
  /** An independent generator for one consumer. */
  split(label: string | number): Rng;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal (Box-Muller, both values used). */
  normal(): number;
  /** 1 with the given probability, else 0. */
  bernoulli(probability: number): 0 | 1;
  /** Uniform integer in [0, n). */
  integer(n: number): number;
  /** Everything needed to go on from here: the generator's four words, the kept normal value and the key. */
  state(): RngState;
}

export interface RngState {
  readonly key: string;
  readonly words: readonly number[];
  readonly spare: number | null;
}

/** The root generator of a run. @param seed any safe integer. */
export function createRng(seed: number): Rng {
  return fromKey(`seed:${seed}`);
}

/** A generator that goes on where `state()` was taken. */
export function restoreRng(state: RngState): Rng {
  return build(state.key, xoroshiro128plusFromState(state.words), state.spare);
}

function fromKey(key: string): Rng {
  return build(key, xoroshiro128plusFromState(hashWords(key)), null);
}

function build(key: string, source: JumpableRandomGenerator, kept: number | null): Rng {
  let spare = kept;
  const word = () => source.next() >>> 0;
  const uniform = () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  return {
    split: (label) => fromKey(`${key}/${typeof label === 'number' ? `#${label}` : label}`),
    uniform,
    normal() {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    bernoulli: (probability) => (uniform() < probability ? 1 : 0),
    integer: (n) => Math.floor(uniform() * n),
    state: () => ({ key, words: source.getState(), spare }),
  };
}

/** Four 32-bit words from a key: four FNV-1a passes with different offsets, each finished by an avalanche. */
function hashWords(key: string): number[] {
  const words: number[] = [];
  for (let lane = 0; lane < 4; lane++) {
    let hash = 0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b1);
    for (let c = 0; c < key.length; c++) hash = Math.imul(hash ^ key.charCodeAt(c), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    words.push((hash ^ (hash >>> 16)) | 0);
  }
  return words.every((word) => word === 0) ? [1, 0, 0, 0] : words;
}
