import { z } from 'zod';

/**
 * Ranges of numbers in an experiment. Whatever is of another order is a slip of the keyboard: products of a few such
 * numbers are still far inside float32, whose largest number is 3.4e38 and whose smallest normal one is 1.2e-38.
 */
const largest = 1e6;
const smallest = 1e-12;

/** A weight, an amplitude: of either sign. */
export const signed = z.number().min(-largest).max(largest);
/** A learning rate, a gain, a standard deviation: 0 switches it off. */
export const magnitude = z.number().min(0).max(largest);
/** A threshold, a width, whatever is divided by. */
export const positive = z.number().positive().min(smallest).max(largest);
/** How many there are of something, or how many steps something takes. */
export const countTo = (most: number) => z.number().int().positive().max(most);
export const count = countTo(2 ** 31 - 1);
/** The same, of what a list in memory is made for before the memory of a network can be added up. */
export const listed = countTo(10_000_000);

/** A time constant in ms, or the decay per step itself. */
export const decaySchema = z.union([
  z.strictObject({ tauMs: positive.describe('time constant, ms') }),
  z.strictObject({ decay: z.number().min(0).lt(1).describe('decay per step; 0 is no memory') }),
]);
