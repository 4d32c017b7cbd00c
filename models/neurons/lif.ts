import { z } from 'zod';
import type { NeuronModel } from '../../src/core/plugins.ts';
import { deriveSpiking, spikingParams } from './spiking.ts';

const params = z.strictObject({ kind: z.literal('lif'), ...spikingParams });

/**
 * Leaky integrate-and-fire neuron.
 *
 *     v_j(t) = alpha_j v_j(t-1) + (1 - alpha_j) rest_j + zeta_j I_j(t) - vTh_j z_j(t-1)        (or reset to zero)
 *     z_j(t) = [v_j(t) > vTh_j and not refractory]
 *     psi_j(t) = (gamma_j / vTh_j) max(0, 1 - |v_j(t) - vTh_j| / vTh_j)
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), methods, without synaptic delay other than the one step of recurrence.
 * v, weights and vTh share one arbitrary unit.
 */
export const lif: NeuronModel<z.infer<typeof params>> = {
  kind: 'lif',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  spiking: true,
  params,
  derive: (p, context) => deriveSpiking(p, context, { adaptation: null, synapse: null }),
};
