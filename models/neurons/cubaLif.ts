import { z } from 'zod';
import type { NeuronModel } from '../../src/core/plugins.ts';
import { decayValues, resolveDecays } from '../../src/core/values.ts';
import { deriveSpiking, spikingParams } from './spiking.ts';

const params = z.strictObject({
  kind: z.literal('cuba-lif'),
  ...spikingParams,
  synapse: decayValues.default({ tauMs: 5 }).describe('time constant of the synaptic current'),
});

/**
 * Current-based leaky integrate-and-fire neuron: input charges a synaptic current, which the membrane filters.
 *
 *     i_j(t) = sigma_j i_j(t-1) + I_j(t)
 *     v_j(t) = alpha_j v_j(t-1) + (1 - alpha_j) rest_j + zeta_j i_j(t) - vTh_j z_j(t-1)        (or reset to zero)
 *
 * with threshold and pseudo-derivative of the LIF neuron. Its eligibility has two stages, one behind the other. The model of
 * Loihi (Davies et al. 2018, IEEE Micro 38:82) and of snnTorch's `Synaptic`.
 */
export const cubaLif: NeuronModel<z.infer<typeof params>> = {
  kind: 'cuba-lif',
  source: 'Davies et al. 2018, IEEE Micro 38:82',
  spiking: true,
  params,
  derive(p, context) {
    const { dtMs, size, path, rng } = context;
    const synapse = resolveDecays(p.synapse, size, dtMs, rng.split('synapse'), `${path}.synapse`);
    return deriveSpiking(p, context, { adaptation: null, synapse });
  },
};
