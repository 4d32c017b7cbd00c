import { z } from 'zod';
import type { OptimizerModel } from '../../src/core/plugins.ts';

const params = z.strictObject({ kind: z.literal('sgd') });

/** step = rate g. */
export const gradientDescent: OptimizerModel<z.infer<typeof params>> = {
  kind: 'sgd',
  source: 'stochastic gradient descent',
  params,
  derive: () => ({
    kind: 'sgd',
    kernel: { name: 'sgd' },
    linear: true,
    slots: [],
    step(gradient, _slots, rate) {
      for (let s = 0; s < gradient.length; s++) gradient[s] *= rate;
    },
  }),
};
