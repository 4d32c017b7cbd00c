import { z } from 'zod';
import type { Layout, Real, Sizes, Views } from '../../src/core/layout.ts';
import type { Quantity, Weights } from '../../src/core/plugins.ts';
import type { Rng } from '../../src/core/rng.ts';
import { magnitude } from '../../src/core/schema.ts';

/** How the readout's error comes to the neurons in the direct rules. */

export const feedbackParams = {
  feedback: z
    .enum(['symmetric', 'random'])
    .default('symmetric')
    .describe('the readout weights themselves, or a fixed random matrix in their place'),
  scale: magnitude.default(1).describe('random feedback: standard deviation of B in units of 1 / sqrt(nRec)'),
};

interface Feedback {
  readonly feedback: 'symmetric' | 'random';
  readonly scale: number;
}

const ownMatrix = {
  B: { shape: ['rec', 'out'], home: 'post', unit: '1', doc: 'feedback weights from the errors to the neurons' },
} as const satisfies Layout;

export function feedbackLayout({ feedback }: Feedback): Layout {
  return feedback === 'random' ? ownMatrix : {};
}

/** The readout's weights, where a rule reads them. */
export function feedbackReads({ feedback }: Feedback): Quantity[] {
  return feedback === 'random' ? [] : ['wOut'];
}

/** B ~ N(0, scale^2 / nRec). */
export function drawFeedback({ feedback, scale }: Feedback, state: Views, { rec }: Sizes, rng: Rng): void {
  if (feedback === 'symmetric') return;
  const deviation = scale / Math.sqrt(rec);
  for (let s = 0; s < state.B.length; s++) state.B[s] = deviation * rng.normal();
}

export function feedbackMatrix({ feedback }: Feedback, state: Views, weights: Weights): Real {
  return feedback === 'random' ? state.B : weights.wOut;
}

/** L_j = sum_k B_jk e_k.   L: [rec]; B: [rec][out]; e: row at `row`, [out] */
export function bringBack(credit: Real, B: Real, error: Real, row: number, n: number, nOut: number): void {
  for (let j = 0; j < n; j++) {
    const at = j * nOut;
    let sum = 0;
    for (let k = 0; k < nOut; k++) sum += B[at + k] * error[row + k];
    credit[j] = sum;
  }
}
