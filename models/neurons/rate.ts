import { z } from 'zod';
import type { Real } from '../../src/core/layout.ts';
import type { NeuronBinding, NeuronInstance, NeuronModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { decaySchema, signed } from '../../src/core/schema.ts';
import { resolveDecay } from '../../src/core/units.ts';
import { mapValues, resolveValues, valuesOf } from '../../src/core/values.ts';

const params = z.strictObject({
  kind: z.literal('rate'),
  leak: decaySchema.default({ decay: 0 }).describe('memory; decay 0 is the plain tanh network'),
  leaks: z
    .enum(['rate', 'potential'])
    .default('rate')
    .describe('what has the memory: r behind the tanh, or u before it'),
  initial: valuesOf(signed).default(0).describe('what has the memory, before the first step'),
});

const u = {
  shape: ['stream', 'self'],
  home: 'post',
  unit: 'weight',
  doc: 'pre-activation, the somatic voltage',
} as const;

/**
 * Leaky tanh neuron.
 *
 *     u_j(t) = I_j(t)
 *     r_j(t) = decay r_j(t-1) + (1 - decay) tanh(u_j(t))
 *     psi_j(t) = 1 - tanh(u_j(t))^2
 *
 * or with the leak before the tanh, as in a continuous Hopfield network:
 *
 *     u_j(t) = decay u_j(t-1) + (1 - decay) I_j(t)
 *     r_j(t) = tanh(u_j(t)),      psi_j(t) = 1 - r_j(t)^2
 *
 * Marschall, Cho, Savin 2020 (JMLR 21:135) with alpha = 1 - decay; Murray 2019 (eLife 8:e43299) with 1/tau = 1 - decay;
 * Hopfield 1984 (PNAS 81:3088), in steps of 1 - decay of its time constant.
 * The rate stands where a spiking neuron has its spike (`z`); it acts on other neurons one step later.
 */
export const rate: NeuronModel<z.infer<typeof params>> = {
  kind: 'rate',
  source: 'Marschall, Cho, Savin 2020, JMLR 21:135; Murray 2019, eLife 8:e43299',
  spiking: false,
  params,
  derive(p, { dtMs, size, path, rng }) {
    const decay = resolveDecay(p.leak, dtMs, `${path}.leak`);
    const initial = resolveValues(
      p.initial,
      size,
      rng.split('initial'),
      `${path}.initial`,
      Number.isFinite,
      'a number',
    );
    return p.leaks === 'rate' ? leakyRate(decay, initial) : leakyPotential(decay, initial);
  },
};

function leakyRate(decay: number, initial: number | Float64Array): NeuronInstance {
  return {
    layout: { u },
    eligibility: { form: 'post-then-filter', decay, gain: 1 - decay, adaptation: null, resetGain: 0 },
    initialActivity: initial,
    membrane: 'u',
    nRef: 0,
    kernel: { name: 'rate', leaks: 'rate', decay, gain: 1 - decay },
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
}

function leakyPotential(decay: number, initial: number | Float64Array): NeuronInstance {
  return {
    layout: { u: { ...u, decay, initial } },
    eligibility: { form: 'filter-then-post', decay, gain: 1 - decay, adaptation: null, resetGain: 0 },
    initialActivity: mapValues(initial, Math.tanh),
    membrane: 'u',
    nRef: 0,
    kernel: { name: 'rate', leaks: 'potential', decay, gain: 1 - decay },
    threshold: null,
    bind({ sizes, state, z, psi, current }: NeuronBinding) {
      const { self: n } = sizes;
      return (b, t) =>
        tanhOfLeaky(z.data, psi.data, state.u, current, rowAt(z, b, t), rowAt(psi, b, t), b * n, decay, n);
    },
  };
}

/** u = decay u + (1 - decay) I;  r[t] = tanh(u);  psi[t] = 1 - r[t]^2.   r: at `to`; psi: at `row`; u: [stream][self] at `at` */
function tanhOfLeaky(
  r: Real,
  psi: Real,
  u: Real,
  current: Real,
  to: number,
  row: number,
  at: number,
  decay: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    u[at + j] = decay * u[at + j] + (1 - decay) * current[j];
    const rate = Math.tanh(u[at + j]);
    r[to + j] = rate;
    psi[row + j] = 1 - rate * rate;
  }
}

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
