import { z } from 'zod';
import type { Real } from '../../src/core/layout.ts';
import type { LossModel } from '../../src/core/plugins.ts';
import { magnitude } from '../../src/core/schema.ts';
import { logSumExp } from './logSumExp.ts';

const params = z.strictObject({
  kind: z.literal('policy'),
  entropy: magnitude.default(0).describe('factor on the entropy of the choice, which keeps it from settling too soon'),
});

/**
 * An actor: its outputs choose the action, a ~ pi = softmax(y).
 *
 *     E = - ln pi_a,      dE/dy_k = pi_k - 1[k = a]          where the network acts, else 0
 *
 * A modulator scales it by what the action was worth. Not scaled, in the direction of a higher entropy H = - sum pi ln pi:
 * entropy pi_k (ln pi_k + H).
 */
export const policy: LossModel<z.infer<typeof params>> = {
  kind: 'policy',
  source: 'Sutton and Barto 2018, Reinforcement Learning, ch 13; entropy: Mnih et al. 2016, arXiv 1602.01783',
  params,
  derive: ({ entropy }) => ({
    classification: false,
    acts: true,
    kernel: null,
    error(error, y, target, row, nOut) {
      const acts = acted(target, row, nOut);
      const shift = logSumExp(y, row, nOut);
      for (let k = 0; k < nOut; k++) error[row + k] = acts ? Math.exp(y[row + k] - shift) - target[row + k] : 0;
    },
    aside(error, y, target, row, nOut, factor) {
      if (entropy === 0 || !acted(target, row, nOut)) return;
      const shift = logSumExp(y, row, nOut);
      const H = entropyOf(y, row, nOut, shift);
      for (let k = 0; k < nOut; k++) {
        const log = y[row + k] - shift;
        error[row + k] += factor * entropy * Math.exp(log) * (log + H);
      }
    },
    value(y, target, row, nOut) {
      if (!acted(target, row, nOut)) return 0;
      const shift = logSumExp(y, row, nOut);
      let sum = -entropy * entropyOf(y, row, nOut, shift);
      for (let k = 0; k < nOut; k++) sum += target[row + k] * (shift - y[row + k]);
      return sum;
    },
  }),
};

/** A step without an action has a target of zeros. */
function acted(target: Real, row: number, nOut: number): boolean {
  for (let k = 0; k < nOut; k++) if (target[row + k] !== 0) return true;
  return false;
}

function entropyOf(y: Real, row: number, nOut: number, shift: number): number {
  let sum = 0;
  for (let k = 0; k < nOut; k++) sum -= Math.exp(y[row + k] - shift) * (y[row + k] - shift);
  return sum;
}
