import { z } from 'zod';
import type { OptimizerModel } from '../../src/core/plugins.ts';

const params = z.strictObject({
  kind: z.literal('momentum'),
  momentum: z.number().min(0).lt(1).default(0.9),
});

/** u <- momentum u + g;  step = rate u. */
export const momentum: OptimizerModel<z.infer<typeof params>> = {
  kind: 'momentum',
  source: 'Polyak 1964, USSR Comput. Math. Math. Phys. 4(5)',
  params,
  derive: ({ momentum: keep }) => ({
    kind: 'momentum',
    kernel: { name: 'momentum', momentum: keep },
    linear: false,
    slots: ['velocity'],
    step(gradient, [velocity], rate) {
      for (let s = 0; s < gradient.length; s++) {
        velocity[s] = keep * velocity[s] + gradient[s];
        gradient[s] = rate * velocity[s];
      }
    },
  }),
};
