import { blockKey, chanceAt } from '../../src/core/chance.ts';
import type { Real } from '../../src/core/layout.ts';
import type { Projection } from '../../src/core/projection.ts';

/** What chance decides in a rewiring, by the number of the update. */
export interface RewiringChance {
  /** Standard normal numbers. noise: [pair] */
  noise(count: number, noise: Float64Array): void;
  /** Puts `wanted` of the first n entries to the front, in the order in which they become synapses. */
  order(count: number, absent: Int32Array, n: number, wanted: number): void;
  /** +1 or -1, for the k-th new synapse of an update. */
  sign(count: number, k: number): number;
}

/** Draws of a place and an update, so that a resumed run makes the same. @param key 32 bits, of one projection */
export function chanceOf(key: number): RewiringChance {
  const [noiseKey, orderKey, signKey] = [0, 1, 2].map((use) => blockKey(key, use));
  return {
    noise(count, noise) {
      for (let s = 0; s < noise.length; s++) {
        const radius = Math.sqrt(-2 * Math.log(chanceAt(noiseKey, count, 2 * s)));
        noise[s] = radius * Math.cos(2 * Math.PI * chanceAt(noiseKey, count, 2 * s + 1));
      }
    },
    order(count, absent, n, wanted) {
      for (let k = 0; k < wanted; k++) {
        const pick = k + Math.floor(chanceAt(orderKey, count, k) * (n - k));
        const entry = absent[pick];
        absent[pick] = absent[k];
        absent[k] = entry;
      }
    },
    sign: (count, k) => (chanceAt(signKey, count, k) < 0.5 ? 1 : -1),
  };
}

/** Of the first n pairs, all but those of a bias, which may have a synapse: not those that exist in the storage only. [pair] */
export function allowedPairs({ masked }: Projection, n: number): Uint8Array {
  const allowed = new Uint8Array(n).fill(1);
  for (const s of masked) allowed[s] = 0;
  return allowed;
}

/** w <- 0 where there is no synapse.   w, connected: [pair] */
export function clearAbsent(w: Real, connected: Real, n: number): void {
  for (let s = 0; s < n; s++) if (connected[s] === 0) w[s] = 0;
}

/** Pairs that may have a synapse and have none, in the order of storage.   absent, connected, allowed: [pair] @returns how many */
export function listAbsent(absent: Int32Array, connected: Real, allowed: Uint8Array, n: number): number {
  let count = 0;
  for (let s = 0; s < n; s++) if (allowed[s] === 1 && connected[s] === 0) absent[count++] = s;
  return count;
}
