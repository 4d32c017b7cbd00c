import { z } from 'zod';
import type { LossModel } from '../../src/core/plugins.ts';

const params = z.strictObject({ kind: z.literal('bernoulli') });

/** E = - sum_k [y*_k ln s(y_k) + (1 - y*_k) ln(1 - s(y_k))] in nats, s logistic;  dE/dy = s(y) - y*. */
export const bernoulli: LossModel<z.infer<typeof params>> = {
  kind: 'bernoulli',
  source: 'cross-entropy of independent classes',
  params,
  derive: () => ({
    classification: true,
    kernel: { name: 'bernoulli' },
    error(error, y, target, row, nOut) {
      for (let k = 0; k < nOut; k++) error[row + k] = 1 / (1 + Math.exp(-y[row + k])) - target[row + k];
    },
    value(y, target, row, nOut) {
      let sum = 0;
      for (let k = 0; k < nOut; k++) {
        const logit = y[row + k];
        sum += Math.max(logit, 0) - logit * target[row + k] + Math.log1p(Math.exp(-Math.abs(logit)));
      }
      return sum;
    },
  }),
};
