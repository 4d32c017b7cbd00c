import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import type { LinearDynamics, NeuronModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { keptValues, mapValues, perNeuron, resolveDecays } from '../../src/core/values.ts';

const params = z.strictObject({
  kind: z.literal('integrator'),
  leak: keptValues.default({ tauMs: 20 }).describe('time constant of the integrator'),
  inputScale: z.enum(['1', '1-decay']).default('1-decay').describe('factor on the input current'),
});

function layoutOf(decay: number | Float64Array) {
  return {
    v: { shape: ['stream', 'self'], home: 'post', unit: 'weight', doc: 'value', decay },
  } as const satisfies Layout;
}

/**
 * Leaky integrator without spikes: its value stands where a spiking neuron has its spike.
 *
 *     v_j(t) = decay_j v_j(t-1) + gain_j I_j(t),      z_j(t) = v_j(t),      psi_j(t) = 1
 *
 * The linear unit of Murray 2019 (eLife 8:e43299) without its nonlinearity; with weights from spikes a low-pass filter of them.
 */
export const integrator: NeuronModel<z.infer<typeof params>> = {
  kind: 'integrator',
  source: 'Murray 2019, eLife 8:e43299, without nonlinearity',
  spiking: false,
  params,
  derive(p, { dtMs, size, path, rng }) {
    const decay = resolveDecays(p.leak, size, dtMs, rng.split('leak'), `${path}.leak`);
    const gain = p.inputScale === '1' ? 1 : mapValues(decay, (value) => 1 - value);
    const [kept, added] = [decay, gain].map((value) => perNeuron(value, size));
    const zeros = () => new Float64Array(size);
    const eligibility: LinearDynamics = {
      form: 'linear',
      states: 1,
      gate: 'input',
      transition: kept,
      input: added,
      own: zeros(),
      reset: zeros(),
      read: zeros().fill(1),
    };
    return {
      layout: layoutOf(decay),
      eligibility,
      membrane: 'v',
      nRef: 0,
      kernel: { name: 'integrator', decay: kept, gain: added },
      threshold: null,
      bind({ sizes: { self: n }, state, z, psi, current }) {
        return (b, t) => {
          const to = rowAt(z, b, t);
          psi.data.fill(1, rowAt(psi, b, t), rowAt(psi, b, t) + n);
          integrate(state.v, z.data, current, b * n, to, kept, added, n);
        };
      },
    };
  },
};

/** v[t] = decay v[t-1] + gain I[t];  z[t] = v[t].   v: [stream][self] at `at`; z: row t at `to` */
function integrate(v: Real, z: Real, current: Real, at: number, to: number, decay: Real, gain: Real, n: number): void {
  for (let j = 0; j < n; j++) {
    v[at + j] = decay[j] * v[at + j] + gain[j] * current[j];
    z[to + j] = v[at + j];
  }
}
