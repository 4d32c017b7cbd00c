import { z } from 'zod';
import type { Real } from '../src/core/layout.ts';
import type { Rng } from '../src/core/rng.ts';

/** A chance in every step. */
export const probability = z.number().min(0).max(1);

/** One row of groups of inputs: each cell of group g spikes with the probability rates[g]. x: from `row` on, [groups][cells]. */
export function spikesOf(x: Real, row: number, rates: readonly number[], cells: number, rng: Rng): void {
  for (let g = 0; g < rates.length; g++) {
    for (let i = 0; i < cells; i++) x[row + g * cells + i] = rng.bernoulli(rates[g]);
  }
}
