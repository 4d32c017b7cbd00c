import { z } from 'zod';
import type { OptimizerModel } from '../../src/core/plugins.ts';
import { positive } from '../../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('adam'),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: positive.default(1e-8).describe('outside the bias correction, as in TensorFlow'),
});

/**
 * m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g^2;  step = rate sqrt(1-b2^n) / (1-b1^n) m / (sqrt(v) + epsilon).
 * Epsilon is outside the bias correction, where TensorFlow and NEST have it; Kingma and Ba 2015 have it inside.
 */
export const adam: OptimizerModel<z.infer<typeof params>> = {
  kind: 'adam',
  source: 'Kingma and Ba 2015, arXiv:1412.6980',
  params,
  derive: ({ beta1, beta2, epsilon }) => ({
    kind: 'adam',
    kernel: { name: 'adam', beta1, beta2, epsilon },
    linear: false,
    slots: ['mean', 'square'],
    step(gradient, [mean, square], rate, count) {
      const corrected = (rate * Math.sqrt(1 - beta2 ** count)) / (1 - beta1 ** count);
      for (let s = 0; s < gradient.length; s++) {
        const g = gradient[s];
        mean[s] = beta1 * mean[s] + (1 - beta1) * g;
        square[s] = beta2 * square[s] + (1 - beta2) * g * g;
        gradient[s] = (corrected * mean[s]) / (Math.sqrt(square[s]) + epsilon);
      }
    },
  }),
};
