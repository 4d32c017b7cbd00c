import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { perturbationParams } from '../passes/perturbation.ts';

const weightParams = z.strictObject({ name: z.literal('weight-perturbation'), ...perturbationParams });
const nodeParams = z.strictObject({ name: z.literal('node-perturbation'), ...perturbationParams });

/**
 * Noise on every weight for a whole trial, which stays in part where the trial went better: no trace, no signal, no derivative, one
 * number for the whole network. Its variance grows with the number of weights that act in the trial.
 */
export const weightPerturbation: Rule<z.infer<typeof weightParams>> = {
  name: 'weight-perturbation',
  source: 'Cauwenberghs 1993, NIPS 5; Zuege, Klos, Memmesheimer 2023, Phys Rev X 13:021006',
  summary: 'noise on weights, kept in part where the loss fell',
  params: weightParams,
  parts: ({ name: kind, ...own }) => ({ passes: { kind, ...own } }),
};

/** The same with noise on the input of every neuron at every step. Its variance grows with neurons times steps. */
export const nodePerturbation: Rule<z.infer<typeof nodeParams>> = {
  name: 'node-perturbation',
  source: 'Fiete, Seung 2006, Phys Rev Lett 97:048104; Zuege, Klos, Memmesheimer 2023, Phys Rev X 13:021006',
  summary: 'noise on neurons, correlated with what arrives',
  params: nodeParams,
  parts: ({ name: kind, ...own }) => ({ passes: { kind, ...own } }),
};
