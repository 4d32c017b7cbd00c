import { z } from 'zod';
import type { Real } from '../src/core/layout.ts';
import type { Rng } from '../src/core/rng.ts';

/** Of a spike in a step, of a symbol. */
export const probability = z.number().min(0).max(1);
/** Steps of a pause. */
export const stepsOrNone = z.number().int().min(0).max(100_000);
/** Cues of a trial. */
export const oddCues = z
  .number()
  .int()
  .min(1)
  .max(1000)
  .refine((n) => n % 2 === 1, 'an odd number, so that one side has more');

/** Row of an input in groups of cells that spike with a probability of their own. x: row at `row`, [group][cell] */
export function spikesOf(x: Real, row: number, rates: readonly number[], cells: number, rng: Rng): void {
  for (let g = 0; g < rates.length; g++) {
    for (let i = 0; i < cells; i++) x[row + g * cells + i] = rng.bernoulli(rates[g]);
  }
}

/** Of a trial of cues. */
interface Cues {
  readonly cues: number;
  /** Probability of a cue on the right in half of the trials; one minus it in the others. */
  readonly share: number;
}

/** The side of every cue, 0 left and 1 right, and the one that has more. */
export function sidesOf(
  rng: Rng,
  { cues, share }: Cues,
): { readonly sides: readonly (0 | 1)[]; readonly right: 0 | 1 } {
  const draws = rng.split('sides');
  const toRight = draws.bernoulli(0.5) === 1 ? 1 - share : share;
  const sides = Array.from({ length: cues }, () => draws.bernoulli(toRight));
  const count = sides.reduce<number>((sum, side) => sum + side, 0);
  return { sides, right: 2 * count > cues ? 1 : 0 };
}
