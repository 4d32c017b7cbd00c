import { z } from 'zod';
import type { LossModel } from '../../src/core/plugins.ts';

const params = z.strictObject({ kind: z.literal('square') });

/** E = 1/2 sum_k (y_k - y*_k)^2;  dE/dy = y - y*. */
export const square: LossModel<z.infer<typeof params>> = {
  kind: 'square',
  source: 'least squares',
  params,
  derive: () => ({
    classification: false,
    kernel: { name: 'square' },
    error(error, y, target, row, nOut) {
      for (let k = 0; k < nOut; k++) error[row + k] = y[row + k] - target[row + k];
    },
    value(y, target, row, nOut) {
      let sum = 0;
      for (let k = 0; k < nOut; k++) sum += (y[row + k] - target[row + k]) ** 2;
      return 0.5 * sum;
    },
  }),
};
