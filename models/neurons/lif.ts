import { z } from 'zod';
import { scratchOf } from '../../src/core/loops.ts';
import type { NeuronBinding, NeuronModel } from '../../src/core/plugins.ts';
import { resolveDecay } from '../../src/core/units.ts';
import { fire, fireConstants, membraneLayout, spikingLoops, spikingParams, thresholdKernel } from './spiking.ts';

const params = z.strictObject({ kind: z.literal('lif'), ...spikingParams });

/**
 * Leaky integrate-and-fire neuron.
 *
 *     v_j(t) = alpha v_j(t-1) + zeta I_j(t) - vTh z_j(t-1)        (or reset to zero)
 *     z_j(t) = [v_j(t) > vTh and not refractory]
 *     psi_j(t) = (gamma / vTh) max(0, 1 - |v_j(t) - vTh| / vTh)
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), methods, without synaptic delay other than the one step of recurrence.
 * v, weights and vTh share one arbitrary unit.
 */
export const lif: NeuronModel<z.infer<typeof params>> = {
  kind: 'lif',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  spiking: true,
  params,
  derive(p, { dtMs, nRec }) {
    const decay = resolveDecay(p.membrane, dtMs, 'network.neuron.membrane');
    const gain = p.inputScale === '1' ? 1 : 1 - decay;
    const constants = fireConstants(p);
    const threshold = new Float64Array(nRec).fill(p.vTh);
    const subtracts = p.reset === 'subtract';
    return {
      layout: membraneLayout(decay),
      eligibility: {
        form: 'filter-then-post',
        decay,
        gain,
        adaptation: null,
        resetGain: subtracts ? p.vTh : 0,
      },
      membrane: 'v',
      nRef: p.nRef,
      kernel: thresholdKernel(p, decay, gain, constants, null),
      threshold: (_state, _stream, out) => out.set(threshold),
      bind({ sizes, state, trial, current, loops: given }: NeuronBinding) {
        const { rec: n, step: steps, history } = sizes;
        const { v, refractory } = state;
        const { z: spikes, psi } = trial;
        const loops = { ...spikingLoops, ...given };
        const level = scratchOf(given)(n);
        level.set(threshold);
        const { integrateSubtract, integrateToZero } = loops;
        return (b, t) => {
          const at = b * n;
          const to = (b * (history + steps) + history + t) * n;
          if (subtracts) integrateSubtract(v, spikes, current, at, to - n, decay, gain, p.vTh, n);
          else integrateToZero(v, spikes, current, at, to - n, decay, gain, n);
          fire(spikes, psi, refractory, v, level, to, (b * steps + t) * n, at, constants, loops, n);
        };
      },
    };
  },
};
