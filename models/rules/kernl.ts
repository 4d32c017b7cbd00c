import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { magnitude } from '../../src/core/schema.ts';
import { kernlParams } from '../direct/kernl.ts';

const params = z.strictObject({
  name: z.literal('kernl'),
  feedback: z.enum(['symmetric', 'random']).default('symmetric'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
  ...kernlParams,
});

/**
 * Kernel RNN learning, of rate networks: RFLO with a learned memory of each synapse and a learned influence of each neuron on all others.
 *
 * Roth, Kanitscheider, Fiete 2019 (ICLR).
 */
export const kernl: Rule<z.infer<typeof params>> = {
  name: 'kernl',
  source: 'Roth, Kanitscheider, Fiete 2019, ICLR',
  summary: 'learned influence of neurons, learned memory of synapses',
  params,
  parts: ({ name, feedbackScale, ...rest }) => ({ direct: { kind: name, scale: feedbackScale, ...rest } }),
};
