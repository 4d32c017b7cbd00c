import { z } from 'zod';
import type { NeuronContext, NeuronModel } from '../../src/core/plugins.ts';
import { magnitude } from '../../src/core/schema.ts';
import { decayValues, perNeuron, resolveDecays, resolveValues, type Values, valuesOf } from '../../src/core/values.ts';
import { deriveSpiking, spikingParams } from './spiking.ts';

const params = z.strictObject({
  kind: z.literal('alif'),
  ...spikingParams,
  adaptation: decayValues.default({ tauMs: 200 }).describe('time constant of the threshold adaptation'),
  adaptBeta: valuesOf(magnitude)
    .default(0.0174)
    .describe('threshold rise per unit of adaptation: one value, one per neuron, or drawn (0 makes a LIF neuron)'),
  adaptiveShare: z.number().min(0).max(1).default(1).describe('share of neurons that adapt, counted from the last one'),
});

/**
 * Adaptive leaky integrate-and-fire neuron.
 *
 *     a_j(t) = rho a_j(t-1) + z_j(t-1)
 *     v_j(t) = alpha v_j(t-1) + zeta I_j(t) - vTh z_j(t-1)        the baseline is subtracted, not the raised threshold
 *     z_j(t) = [v_j(t) > vTh + adaptBeta_j a_j(t) and not refractory]
 *     psi_j(t) = (gamma / vTh) max(0, 1 - |v_j(t) - vTh - adaptBeta_j a_j(t)| / vTh)
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), methods. Codes that scale the increment by 1 - rho use
 * adaptBeta' = adaptBeta (1 - rho) / (1 - alpha).
 */
export const alif: NeuronModel<z.infer<typeof params>> = {
  kind: 'alif',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  spiking: true,
  params,
  derive: (p, context) => deriveSpiking(p, context, { adaptation: adaptationOf(p, context), synapse: null }),
};

function adaptationOf(
  p: Pick<z.infer<typeof params>, 'adaptation' | 'adaptBeta' | 'adaptiveShare'>,
  { dtMs, size, path, rng }: NeuronContext,
) {
  const decay = resolveDecays(p.adaptation, size, dtMs, rng.split('adaptation'), `${path}.adaptation`);
  return { decay, strength: strengthOf(p.adaptBeta, p.adaptiveShare, { size, path, rng }) };
}

function strengthOf(
  adaptBeta: Values,
  share: number,
  { size, path, rng }: Pick<NeuronContext, 'size' | 'path' | 'rng'>,
): Float64Array {
  const valid = (value: number) => value >= 0;
  const values = resolveValues(adaptBeta, size, rng.split('adaptBeta'), `${path}.adaptBeta`, valid, 'a number >= 0');
  const first = size - Math.round(share * size);
  return perNeuron(values, size).map((value, j) => (j >= first ? value : 0));
}
