import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import type { NeuronBinding, NeuronModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { decaySchema, signed } from '../../src/core/schema.ts';
import { resolveDecay } from '../../src/core/units.ts';
import { resolveValues, valuesOf } from '../../src/core/values.ts';

const params = z.strictObject({
  kind: z.literal('rate'),
  leak: decaySchema.default({ decay: 0 }).describe('memory of the rate; decay 0 is the plain tanh network'),
  initial: valuesOf(signed).default(0).describe('rate before the first step'),
});

const layout = {
  u: { shape: ['stream', 'self'], home: 'post', unit: 'weight', doc: 'pre-activation, the somatic voltage' },
} as const satisfies Layout;

/**
 * Leaky tanh neuron.
 *
 *     u_j(t) = I_j(t)
 *     r_j(t) = decay r_j(t-1) + (1 - decay) tanh(u_j(t))
 *     psi_j(t) = 1 - tanh(u_j(t))^2
 *
 * Marschall, Cho, Savin 2020 (JMLR 21:135) with alpha = 1 - decay; Murray 2019 (eLife 8:e43299) with 1/tau = 1 - decay.
 * The rate stands where a spiking neuron has its spike (`z`); it acts on other neurons one step later.
 */
export const rate: NeuronModel<z.infer<typeof params>> = {
  kind: 'rate',
  source: 'Marschall, Cho, Savin 2020, JMLR 21:135; Murray 2019, eLife 8:e43299',
  spiking: false,
  params,
  derive(p, { dtMs, size, path, rng }) {
    const decay = resolveDecay(p.leak, dtMs, `${path}.leak`);
    return {
      layout,
      eligibility: { form: 'post-then-filter', decay, gain: 1 - decay, adaptation: null, resetGain: 0 },
      initialActivity: resolveValues(
        p.initial,
        size,
        rng.split('initial'),
        `${path}.initial`,
        Number.isFinite,
        'a number',
      ),
      membrane: 'u',
      nRef: 0,
      kernel: { name: 'rate', decay, gain: 1 - decay },
      threshold: null,
      bind({ sizes, state, z, psi, current }: NeuronBinding) {
        const { self: n } = sizes;
        const { u } = state;
        return (b, t) => {
          const to = rowAt(z, b, t);
          const before = rowAt(z, b, t - 1);
          leakyTanh(z.data, psi.data, u, current, to, before, rowAt(psi, b, t), b * n, decay, n);
        };
      },
    };
  },
};

/**
 * r[t] = decay r[t-1] + (1 - decay) tanh(u[t]);  psi[t] = 1 - tanh(u[t])^2.
 * r: row t at `to`, row t-1 at `prev`; psi: row t at `row`; u: [stream][self] at `at`; current: [self]
 */
function leakyTanh(
  r: Real,
  psi: Real,
  u: Real,
  current: Real,
  to: number,
  prev: number,
  row: number,
  at: number,
  decay: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const drive = current[j];
    const phi = Math.tanh(drive);
    u[at + j] = drive;
    r[to + j] = decay * r[prev + j] + (1 - decay) * phi;
    psi[row + j] = 1 - phi * phi;
  }
}
