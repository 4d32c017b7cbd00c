import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { magnitude } from '../../src/core/schema.ts';

const params = z.strictObject({
  name: z.literal('uoro'),
  feedback: z.enum(['symmetric', 'random']).default('symmetric'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
  reset: z.enum(['attached', 'detached']).default('detached').describe("credit through the neuron's own reset"),
});

/**
 * Unbiased online recurrent optimisation: the gradient of real-time recurrent learning on average, from one number per
 * synapse and one vector of states; noisy.
 *
 * Tallec and Ollivier 2018 (ICLR; arXiv 1702.05043).
 */
export const uoro: Rule<z.infer<typeof params>> = {
  name: 'uoro',
  source: 'Tallec and Ollivier 2018, ICLR, arXiv 1702.05043',
  summary: 'unbiased rank-one estimate of the online gradient',
  params,
  parts: ({ feedback, feedbackScale, reset }) => ({
    direct: { kind: 'uoro', feedback, scale: feedbackScale, reset },
  }),
};
