import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { magnitude } from '../../src/core/schema.ts';

const params = z.strictObject({
  name: z.literal('rtrl'),
  feedback: z.enum(['symmetric', 'random']).default('symmetric'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
  reset: z.enum(['attached', 'detached']).default('detached').describe("credit through the neuron's own reset"),
});

/**
 * Real-time recurrent learning: the exact gradient, online, for networks so small that the influence of every weight on
 * every neuron can be kept.
 *
 * Williams and Zipser 1989 (Neural Computation 1:270).
 */
export const rtrl: Rule<z.infer<typeof params>> = {
  name: 'rtrl',
  source: 'Williams and Zipser 1989, Neural Computation 1:270',
  summary: 'exact online gradient of small networks',
  params,
  exact: { params: { feedback: 'symmetric' }, recurrent: true },
  parts: ({ feedback, feedbackScale, reset }) => ({
    direct: { kind: 'rtrl', feedback, scale: feedbackScale, reset },
  }),
};
