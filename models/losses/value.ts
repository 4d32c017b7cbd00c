import { z } from 'zod';
import type { LossModel } from '../../src/core/plugins.ts';

const params = z.strictObject({ kind: z.literal('value') });

/**
 * A critic: its output V predicts the discounted rewards to come. Alone it only says which way is up,
 *
 *     E = - V,      dE/dV = -1
 *
 * and a modulator says how far: times the difference to what came, this is the gradient of half its square.
 */
export const value: LossModel<z.infer<typeof params>> = {
  kind: 'value',
  source: 'Sutton and Barto 2018, Reinforcement Learning, ch 13',
  params,
  derive: () => ({
    classification: false,
    targetless: true,
    kernel: null,
    error(error, _y, _target, row, nOut) {
      for (let k = 0; k < nOut; k++) error[row + k] = -1;
    },
    value(y, _target, row, nOut) {
      let sum = 0;
      for (let k = 0; k < nOut; k++) sum -= y[row + k];
      return sum;
    },
  }),
};
