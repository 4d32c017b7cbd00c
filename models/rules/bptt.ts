import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { count, magnitude } from '../../src/core/schema.ts';
import { incompleteParam } from '../direct/bptt.ts';

const params = z.strictObject({
  name: z.literal('bptt'),
  feedback: z.enum(['symmetric', 'random']).default('symmetric'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
  reset: z.enum(['attached', 'detached']).default('detached').describe("credit through the neuron's own reset"),
  window: count.nullable().default(null).describe('steps back that an error reaches; null: all'),
  segment: count
    .nullable()
    .default(null)
    .describe('steps whose errors go back together, at most the window; null: as many as there are'),
  incomplete: incompleteParam,
});

/**
 * Backpropagation through time with pseudo-derivatives, whole or cut off: the measure of what a local rule gives away.
 * It needs the past of all neurons, the transposed recurrent weights and time that runs backwards.
 *
 * Werbos 1990 (Proc IEEE 78:1550); for spiking networks Bellec et al. 2018 (arXiv 1803.09574).
 */
export const bptt: Rule<z.infer<typeof params>> = {
  name: 'bptt',
  source: 'Werbos 1990, Proc IEEE 78:1550; Bellec et al. 2018, arXiv 1803.09574',
  summary: 'backpropagation through time with pseudo-derivatives',
  params,
  exact: { params: { feedback: 'symmetric' }, recurrent: true },
  parts: ({ feedback, feedbackScale, reset, window, segment, incomplete }) => ({
    direct: { kind: 'bptt', feedback, scale: feedbackScale, reset, window, segment, incomplete },
  }),
};
