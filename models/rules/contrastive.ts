import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { contrastiveParams } from '../passes/contrastive.ts';

const params = z.strictObject({ name: z.literal('contrastive'), ...contrastiveParams });

/**
 * Two phases over the same data, one with a teacher: Hebbian in this one, anti-Hebbian in the other. It asks for no error that is sent
 * to each neuron while the network runs freely, but for symmetric weights where it is to follow a gradient.
 */
export const contrastive: Rule<z.infer<typeof params>> = {
  name: 'contrastive',
  source: 'Baldi and Pineda 1991, Neural Comput 3:526; Scellier and Bengio 2017, Front Comput Neurosci 11:24',
  summary: 'Hebbian with a teacher, anti-Hebbian without',
  params,
  parts: ({ name: kind, ...own }) => ({ passes: { kind, ...own } }),
};
