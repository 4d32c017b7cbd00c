import { type NeuronInstance, type NeuronModel, positive, rowAt } from 'spiketrace';
import { z } from 'zod';

/** What an experiment may set: every number has a range, a default and a line on what it is. */
const params = z.strictObject({
  kind: z.literal('soft-sign'),
  decay: z.number().min(0).lt(1).default(0.5).describe('memory of the rate, per step'),
  scale: positive.default(1).describe('input at which half of the largest rate is reached'),
});

/**
 * Leaky rate neuron with a soft sign.
 *
 *     u_j(t) = I_j(t) / scale
 *     r_j(t) = decay r_j(t-1) + (1 - decay) u_j / (1 + |u_j|)
 *     psi_j(t) = 1 / (scale (1 + |u_j|)^2)
 */
const softSign: NeuronModel<z.infer<typeof params>> = {
  kind: 'soft-sign',
  source: 'own',
  spiking: false,
  params,
  derive: ({ decay, scale }): NeuronInstance => ({
    // All that it keeps beside its activity z; checkpoints and number formats know of nothing else.
    layout: { u: { shape: ['stream', 'self'], home: 'post', unit: 'weight', doc: 'input over its scale' } },
    // Its dynamics, from which traces follow: the nonlinearity, then a filter.
    eligibility: { form: 'post-then-filter', decay, gain: 1 - decay, adaptation: null, resetGain: 0 },
    membrane: 'u',
    nRef: 0,
    kernel: null,
    threshold: null,
    bind({ sizes: { self: n }, state: { u }, z: rate, psi, current }) {
      return (b, t) => {
        const to = rowAt(rate, b, t);
        const before = rowAt(rate, b, t - 1);
        const slope = rowAt(psi, b, t);
        for (let j = 0; j < n; j++) {
          const drive = current[j] / scale;
          u[b * n + j] = drive;
          rate.data[to + j] = decay * rate.data[before + j] + ((1 - decay) * drive) / (1 + Math.abs(drive));
          psi.data[slope + j] = 1 / (scale * (1 + Math.abs(drive)) ** 2);
        }
      };
    },
  }),
};

/** What `--plugin` adds to the lists. */
export default { neurons: [softSign] };
