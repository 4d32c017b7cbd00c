import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import { scratchOf } from '../../src/core/loops.ts';
import type { NeuronBinding, NeuronModel } from '../../src/core/plugins.ts';
import { decaySchema, magnitude } from '../../src/core/schema.ts';
import { resolveDecay } from '../../src/core/units.ts';
import { fire, fireConstants, membraneLayout, spikingLoops, spikingParams, thresholdKernel } from './spiking.ts';

const params = z.strictObject({
  kind: z.literal('alif'),
  ...spikingParams,
  adaptation: decaySchema.default({ tauMs: 200 }).describe('time constant of the threshold adaptation'),
  adaptBeta: z
    .union([magnitude, z.array(magnitude)])
    .default(0.0174)
    .describe('threshold rise per unit of adaptation: one value, or one per neuron (0 makes a LIF neuron)'),
  adaptiveShare: z.number().min(0).max(1).default(1).describe('share of neurons that adapt, counted from the last one'),
});

function layoutOf(decay: number, rho: number) {
  return {
    ...membraneLayout(decay),
    a: { shape: ['stream', 'rec'], home: 'post', unit: 'spikes', doc: 'adaptation', decay: rho },
  } as const satisfies Layout;
}

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
  derive(p, { dtMs, nRec }) {
    const decay = resolveDecay(p.membrane, dtMs, 'network.neuron.membrane');
    const rho = resolveDecay(p.adaptation, dtMs, 'network.neuron.adaptation');
    const gain = p.inputScale === '1' ? 1 : 1 - decay;
    const constants = fireConstants(p);
    const strength = adaptStrength(p.adaptBeta, p.adaptiveShare, nRec);
    const subtracts = p.reset === 'subtract';
    return {
      layout: layoutOf(decay, rho),
      eligibility: {
        form: 'filter-then-post',
        decay,
        gain,
        adaptation: { decay: rho, strength },
        resetGain: subtracts ? p.vTh : 0,
      },
      membrane: 'v',
      nRef: p.nRef,
      kernel: thresholdKernel(p, decay, gain, constants, { decay: rho, strength }),
      threshold: (state, b, out) => raise(out, state.a, strength, b * nRec, p.vTh, nRec),
      bind({ sizes, state, trial, current, loops: given }: NeuronBinding) {
        const { rec: n, step: steps, history } = sizes;
        const { v, refractory, a } = state;
        const { z: spikes, psi } = trial;
        const loops = { ...spikingLoops, ...given };
        const threshold = scratchOf(given)(n);
        const { integrateSubtract, integrateToZero } = loops;
        return (b, t) => {
          const at = b * n;
          const to = (b * (history + steps) + history + t) * n;
          adapt(a, spikes, at, to - n, rho, n);
          if (subtracts) integrateSubtract(v, spikes, current, at, to - n, decay, gain, p.vTh, n);
          else integrateToZero(v, spikes, current, at, to - n, decay, gain, n);
          raise(threshold, a, strength, at, p.vTh, n);
          fire(spikes, psi, refractory, v, threshold, to, (b * steps + t) * n, at, constants, loops, n);
        };
      },
    };
  },
};

function adaptStrength(adaptBeta: number | readonly number[], share: number, nRec: number): Float64Array {
  if (typeof adaptBeta === 'number') {
    const first = nRec - Math.round(share * nRec);
    return Float64Array.from({ length: nRec }, (_, j) => (j >= first ? adaptBeta : 0));
  }
  if (adaptBeta.length !== nRec) {
    throw new ConfigError('network.neuron.adaptBeta', `${adaptBeta.length} values`, `${nRec}, one per neuron`);
  }
  return Float64Array.from(adaptBeta);
}

/** a[t] = rho a[t-1] + z[t-1].   a: [stream][rec] at `at`, z: row t-1 at `prev` */
function adapt(a: Real, z: Real, at: number, prev: number, rho: number, n: number): void {
  for (let j = 0; j < n; j++) a[at + j] = rho * a[at + j] + z[prev + j];
}

/** A[t] = vTh + adaptBeta a[t].   threshold: [rec], a: [stream][rec] at `at` */
function raise(threshold: Real, a: Real, strength: Real, at: number, vTh: number, n: number): void {
  for (let j = 0; j < n; j++) threshold[j] = vTh + strength[j] * a[at + j];
}
