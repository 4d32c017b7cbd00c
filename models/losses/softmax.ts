import { z } from 'zod';
import type { LossModel } from '../../src/core/plugins.ts';
import { logSumExp } from './logSumExp.ts';

const params = z.strictObject({ kind: z.literal('softmax') });

/** E = - sum_k y*_k ln softmax(y)_k in nats;  dE/dy = softmax(y) - y*, for targets that sum to 1. */
export const softmax: LossModel<z.infer<typeof params>> = {
  kind: 'softmax',
  source: 'cross-entropy of a softmax',
  params,
  derive: () => ({
    classification: true,
    kernel: { name: 'softmax' },
    error(error, y, target, row, nOut) {
      const shift = logSumExp(y, row, nOut);
      for (let k = 0; k < nOut; k++) error[row + k] = Math.exp(y[row + k] - shift) - target[row + k];
    },
    value(y, target, row, nOut) {
      const shift = logSumExp(y, row, nOut);
      let sum = 0;
      for (let k = 0; k < nOut; k++) sum += target[row + k] * (shift - y[row + k]);
      return sum;
    },
  }),
};
