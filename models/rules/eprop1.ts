import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { broadcastOf, broadcastParams } from '../signals/broadcast.ts';

const params = z.strictObject({
  name: z.literal('e-prop-1'),
  ...broadcastParams,
  presynapticFilter: z
    .boolean()
    .default(true)
    .describe('filter presynaptic activity with the membrane decay; false: a spike counts in its own step alone'),
  readoutFilter: z.boolean().default(true).describe('filter the trace with the readout decay'),
  filterScale: z.enum(['readout', '1', '1-kappa']).default('readout').describe('factor on the filtered trace'),
  resetInTrace: z.boolean().default(false).describe("keep the neuron's own reset in the trace"),
});

/**
 * e-prop 1: the eligibility trace of each synapse times a broadcast of the present error.
 *
 *     dW_ij = - eta sum_t eBar_ij(t) L_j(t),     L_j(t) = sum_k B_jk (y_k(t) - y*_k(t))
 *
 * Bellec et al. 2019 (arXiv 1901.09049) as e-prop 1; 2020 (Nat Commun 11:3625) as symmetric, random and adaptive e-prop.
 * Dropped against BPTT: the influence of a spike on other neurons, on its own reset, and with random feedback W_out.
 */
export const eprop1: Rule<z.infer<typeof params>> = {
  name: 'e-prop-1',
  source: 'Bellec et al. 2019, arXiv 1901.09049; 2020, Nat Commun 11:3625',
  summary: 'eligibility trace times broadcast error',
  params,
  exact: { params: { feedback: 'symmetric' }, recurrent: false },
  parts: (p) => ({
    trace: {
      kind: 'eligibility',
      presynapticFilter: p.presynapticFilter,
      readoutFilter: p.readoutFilter,
      filterScale: p.filterScale,
      resetInTrace: p.resetInTrace,
    },
    signal: broadcastOf(p),
  }),
};
