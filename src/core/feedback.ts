import type { Real } from './layout.ts';
import { type FastLoops, type Loops, scratchOf } from './loops.ts';
import type { ReadoutShape, ReadoutView } from './plugins.ts';
import type { Rng } from './rng.ts';

/**
 * How errors come back from the outputs to the neurons of a population: through a matrix of their own, or through the weights of
 * the readouts that read the population (weight transport).
 *
 *     L_j = sum_k B_jk error_k
 */
export type Feedback = readonly ReadoutView[];

/** B [self][out], a row for every neuron and a column for every output. */
export function ownFeedback(B: Real, size: number): Feedback {
  return [{ weights: B, size, column: 0 }];
}

/** B ~ N(0, scale^2 / nPost), drawn in storage order; `nPost` neurons hear it. */
export function drawFeedback(B: Real, scale: number, nPost: number, rng: Rng): void {
  const deviation = scale / Math.sqrt(nPost);
  for (let s = 0; s < B.length; s++) B[s] = deviation * rng.normal();
}

/** Writes L of n neurons at `to`; the errors begin at `from`. */
export type BringBack = (signal: Real, to: number, error: Real, from: number) => void;

/** The product with all parts of a feedback, for n neurons. */
export function bindFeedback(feedback: Feedback, n: number, loops?: FastLoops): BringBack {
  const projectNow = loops?.project ?? project;
  const [first, ...others] = feedback;
  if (!first) return (signal, to) => signal.fill(0, to, to + n);
  if (others.length === 0) {
    const { weights, size, column } = first;
    return (signal, to, error, from) => projectNow(signal, weights, error, to, from + column, n, size);
  }
  const part = scratchOf(loops)(n);
  return (signal, to, error, from) => {
    projectNow(signal, first.weights, error, to, from + first.column, n, first.size);
    for (const { weights, size, column } of others) {
      projectNow(part, weights, error, 0, from + column, n, size);
      for (let j = 0; j < n; j++) signal[to + j] += part[j];
    }
  };
}

/** L_j = sum_k B_jk error_k.   signal: row at `to`; B: [self][out]; error: row at `from` */
const project: Loops['project'] = (signal, B, error, to, from, n, nOut) => {
  for (let j = 0; j < n; j++) {
    const row = j * nOut;
    let sum = 0;
    for (let k = 0; k < nOut; k++) sum += B[row + k] * error[from + k];
    signal[to + j] = sum;
  }
};

/**
 * The readouts of a list that read a population, as it sees them; columns are counted from `first`.
 * @param sizes of all populations
 */
export function viewsOf(
  readouts: readonly ReadoutShape[],
  weights: readonly Real[],
  population: number,
  sizes: readonly number[],
  first = 0,
): ReadoutView[] {
  return readouts.flatMap(({ reads, size, column }, r) => {
    const place = reads.indexOf(population);
    if (place < 0) return [];
    const before = reads.slice(0, place).reduce((sum, p) => sum + sizes[p], 0);
    return [{ weights: weights[r].subarray(before * size), size, column: column - first }];
  });
}
