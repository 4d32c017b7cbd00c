import { z } from 'zod';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { Field, Layout, Real } from '../../src/core/layout.ts';
import { addOuter, predict, pullBack } from '../../src/core/linearMaps.ts';
import type {
  ClosedDynamics,
  DirectBinding,
  DirectContext,
  DirectInstance,
  DirectModel,
} from '../../src/core/plugins.ts';
import type { Rng } from '../../src/core/rng.ts';
import { count, decaySchema, magnitude } from '../../src/core/schema.ts';
import { nearestPowerOfTwo, resolveDecay } from '../../src/core/units.ts';
import { drawAllFeedback, feedbackLayout, feedbackParams, feedbackReads, neuronsOf, startsOf } from './feedback.ts';
import { bindKernels, kernelsLayout } from './kernels.ts';
import { bindTold, toldLayout } from './tangent.ts';
import { bindTwin, twinLayout } from './twin.ts';

/** Parameters of the rule and of its direct part. */
export const kernlParams = {
  kernel: decaySchema.nullable().default(null).describe("first memory of the kernels; null: the neurons' own leak"),
  noise: magnitude
    .default(0.05)
    .describe('standard deviation of what the twin is given at every step, in units of the rate'),
  rateA: magnitude.default(0.2).describe('learning rate of A'),
  rateLeak: magnitude.default(0.02).describe('learning rate of the leaks of the kernels'),
  leakRange: z
    .tuple([magnitude, magnitude])
    .refine(([low, high]) => low <= high, 'expected the lower limit first')
    .nullable()
    .default([0.01, 1])
    .describe('limits of the leaks, per step; null: none'),
  resetEvery: count
    .nullable()
    .default(30)
    .describe('steps after which the twin starts again from the network; null: with the state of the network alone'),
  order: z
    .enum(['aligned', 'code'])
    .default('aligned')
    .describe("the noise of a step is that of the twin and of omega; as in Marschall's code they are one draw apart"),
};

const params = z.strictObject({ kind: z.literal('kernl'), ...feedbackParams, ...kernlParams });
type Params = z.output<typeof params>;

/** Writes the noise of all neurons for stream b, number `count` of the run. out: [neurons] */
export type TwinNoise = (out: Real, count: number, b: number) => void;

/** Independent normal numbers of a place in the run, so that nothing but a count has to be kept. */
function normalNoise(rng: Rng, deviation: number): TwinNoise {
  return (out, step, b) => {
    const drawn = rng.split(step).split(b);
    for (let j = 0; j < out.length; j++) out[j] = deviation * drawn.normal();
  };
}

/**
 * Kernel RNN learning: the influence of a synapse on the whole network is that on its own neuron, kept for a learned time, times the
 * learned influence A of this neuron on all others. A twin of the network, which is given noise, teaches both.
 *
 *     k_i        = max(0, 1 - leak_i)
 *     twin       : the network's own step on its own rates, then twin_i(t) += zeta_i(t)
 *     gamma_i(t) = k_i gamma_i(t-1) - omega_i(t-1)                       d omega / d leak
 *     omega_i(t) = k_i omega_i(t-1) + zeta_i(t)                          the kernels' guess at what became of the noise
 *     K_s(t)     = k_j K_s(t-1) + (1 - decay) psi_j(t) p_i(t)            s: synapse i -> j
 *     e_n(t)     = sum_i A_in omega_i(t) - (twin_n(t) - z_n(t))
 *     A_in      -= rateA e_n(t) omega_i(t),      leak_i -= rateLeak gamma_i(t) sum_n A_in e_n(t)       both from the old A
 *     dE/dW_s   += K_s(t) sum_n A_jn L_n(t),     L_n(t) = sum_k B_nk error_k(t)                         with the new A
 *
 * With A = 1 and leaks of the neurons that do not learn it is RFLO. A readout that filters sees K through the same filter. A and leaks are
 * those of all streams and follow the mean over them. `order: code` is that of vanilla-rtrl: the twin gets its noise before its step, and omega
 * already has that of the step after. Rate neurons only: elsewhere noise on what a neuron puts out is not noise on what it
 * keeps. State: A [neurons][neurons], leak [neurons], omega, gamma, twin [stream][neurons], K [stream][syn].
 *
 * Roth, Kanitscheider, Fiete 2019 (ICLR); orders of operations: Marschall, Cho, Savin 2020 (JMLR 21:135) and their code.
 *
 * @param noise what the twin is given
 */
export function kernlWith(noise: (rng: Rng, deviation: number) => TwinNoise): DirectModel<Params> {
  return {
    kind: 'kernl',
    source: 'Roth, Kanitscheider, Fiete 2019, ICLR',
    params,
    derive(p, context) {
      const { network, dtMs, rng } = context;
      const n = neuronsOf(network);
      const neurons = ratesOf(context);
      const decay = p.kernel && resolveDecay(p.kernel, dtMs, 'rule.kernel');
      return {
        layout: {
          ...feedbackLayout(p, network),
          ...layoutOf(n),
          ...twinLayout(network),
          ...kernelsLayout(network),
        },
        past: {},
        work: toldLayout(context),
        // The twin's step, and four products with A.
        jacobianProducts: 1 + (4 * n * n) / recurrentSynapses(context),
        footprint: { reads: ['pre', 'z', 'psi', 'error', 'weights', ...feedbackReads(p)], phases: ['soma'] },
        grain: 'step',
        kernel: null,
        init(state, draws) {
          drawAllFeedback(p, state, network, draws);
          const starts = startsOf(network);
          for (let j = 0; j < n; j++) state.A[j * n + j] = 1;
          neurons.forEach((neuron, q) => {
            state.leak.fill(1 - (decay ?? neuron.decay), starts[q], starts[q + 1]);
          });
        },
        bind: (binding) => bindKernl(binding, p, context, neurons, noise(rng.split('twin'), p.noise)),
      } satisfies DirectInstance;
    },
  };
}

export const kernl = kernlWith(normalNoise);

/** @throws UnsupportedError for neurons whose rate is not all that they keep */
function ratesOf({ neurons, network }: DirectContext): ClosedDynamics[] {
  return neurons.map((neuron, p) => {
    if (neuron.form === 'post-then-filter') return neuron;
    throw new UnsupportedError(
      `rule: kernels need leaky rate neurons, whose rate is all that they keep, in the population ${network.populations[p].name}`,
    );
  });
}

function recurrentSynapses({ network }: DirectContext): number {
  const own = network.projections.filter(({ pre }) => pre !== null);
  return Math.max(
    1,
    own.reduce((sum, { synapses }) => sum + synapses.nSyn, 0),
  );
}

function layoutOf(n: number): Layout {
  const perStream = (doc: string, rest: Partial<Field>): Field => ({
    shape: ['stream', n],
    home: 'post',
    unit: '1',
    doc,
    ...rest,
  });
  return {
    A: { shape: [n, n], home: 'pair', unit: '1', doc: 'influence of a neuron (row) on the rates of all' },
    leak: { shape: [n], home: 'post', unit: '1/step', doc: 'what a kernel loses in a step' },
    omega: perStream('noise of the twin, as the kernels keep it', { restarts: true }),
    gamma: perStream('derivative of omega by the leak', { restarts: true }),
    mismatch: perStream('A omega less the deviation of the twin', { transient: true }),
  };
}

function bindKernl(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  neurons: readonly ClosedDynamics[],
  noise: TwinNoise,
): (t0: number, t1: number) => void {
  const { network, state } = binding;
  const { stream: nStream } = network.sizes;
  const n = neuronsOf(network);
  const { leak, omega, gamma } = state;
  const twin = bindTwin(binding, context, p, noise);
  const told = bindTold(p, binding);
  const kernels = bindKernels(binding, context, neurons);
  const learn = bindLearning(binding, p, context);
  const kept = new Float64Array(n);
  const credit = new Float64Array(told.rows.length);
  return (t0, t1) => {
    for (let t = t0; t < t1; t++) {
      for (let j = 0; j < n; j++) kept[j] = Math.max(0, 1 - leak[j]);
      const fresh = twin.begin(t);
      if (fresh) for (const field of [omega, gamma]) field.fill(0);
      for (let b = 0; b < nStream; b++) {
        const zeta = twin.step(b, t);
        keepNoise(omega, gamma, kept, zeta, b * n, n);
        kernels.step(b, t, kept);
        twin.deviation(state.mismatch, b, t);
      }
      twin.end();
      learn();
      for (let b = 0; b < nStream; b++) {
        told.listen(b, t);
        pullBack(credit, state.A, told.rows, n, told.rows.length / n);
        kernels.meet(b, credit);
      }
    }
  };
}

/** e from A, omega and the deviations in `mismatch`, then a step of A and leaks, the mean over streams. */
function bindLearning(
  { network, state }: DirectBinding,
  { rateA, rateLeak, leakRange }: Params,
  { powersOfTwo }: DirectContext,
): () => void {
  const { stream: nStream } = network.sizes;
  const n = neuronsOf(network);
  const { A, leak, omega, gamma, mismatch } = state;
  const owed = new Float64Array(nStream * n);
  const [stepA, stepLeak] = [rateA, rateLeak].map((rate) => (powersOfTwo ? nearestPowerOfTwo(rate) : rate) / nStream);
  const [low, high] = leakRange ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return () => {
    for (let s = 0; s < mismatch.length; s++) mismatch[s] = -mismatch[s];
    for (let b = 0; b < nStream; b++) predict(mismatch, b * n, A, omega, b * n, n, n);
    pullBack(owed, A, mismatch, n, nStream);
    addOuter(A, omega, 0, n, mismatch, -stepA, n, n, nStream);
    for (let b = 0; b < nStream; b++) descendLeak(leak, gamma, owed, b * n, stepLeak, n);
    for (let j = 0; j < n; j++) leak[j] = Math.min(high, Math.max(low, leak[j]));
  };
}

/** gamma_i = k_i gamma_i - omega_i;  omega_i = k_i omega_i + zeta_i.   omega, gamma: at `at`, [n]; k, zeta: [n] */
function keepNoise(omega: Real, gamma: Real, k: Real, zeta: Real, at: number, n: number): void {
  for (let j = 0; j < n; j++) {
    gamma[at + j] = k[j] * gamma[at + j] - omega[at + j];
    omega[at + j] = k[j] * omega[at + j] + zeta[j];
  }
}

/** leak_i -= rate gamma_i owed_i.   leak: [n]; gamma, owed: at `at`, [n] */
function descendLeak(leak: Real, gamma: Real, owed: Real, at: number, rate: number, n: number): void {
  for (let j = 0; j < n; j++) leak[j] -= rate * gamma[at + j] * owed[at + j];
}
