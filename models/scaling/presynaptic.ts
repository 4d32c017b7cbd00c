import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { magnitude, positive } from '../../src/core/schema.ts';
import type { ScalingBinding, ScalingModel } from '../../src/core/upkeep.ts';
import { perNeuron, resolveValues, valuesOf } from '../../src/core/values.ts';

const params = z.strictObject({
  kind: z.literal('presynaptic-scaling'),
  goal: valuesOf(magnitude).default(1).describe('activity of a postsynaptic neuron, spikes per trial'),
  averageRate: z.number().gt(0).max(1).default(0.05).describe('rate of the mean activity, per trial'),
  rate: magnitude
    .default(0.01)
    .describe('learning rate, per trial, in 1 / spikes, or 1 / spikes^2 with the presynaptic factor'),
  largest: positive.default(1).describe('largest weight that it leaves'),
  presynaptic: z
    .boolean()
    .default(true)
    .describe('whether the mean activity of the presynaptic neuron is a factor; false: plain synaptic scaling'),
});

type Params = z.output<typeof params>;

const layout = {
  pre: { shape: ['pre'], home: 'pre', unit: 'spikes/trial', doc: 'mean activity of the presynaptic neurons' },
  post: { shape: ['post'], home: 'post', unit: 'spikes/trial', doc: 'mean activity of the postsynaptic neurons' },
} as const satisfies Layout;

/**
 * Presynaptic-dependent scaling (Buonomano 2005, J. Neurophysiol. 94:2275; Liu and Buonomano 2009, J. Neurosci. 29:13172), after a
 * trial n in which neurons had S spikes, mean over the streams:
 *
 *     A_i(n) = A_i(n-1) + averageRate (S_i(n) - A_i(n-1))                                          i presynaptic, j likewise
 *     w_ij  += rate A_i(n) (goal_j - A_j(n)) w_ij,  then to [0, largest],  of excitatory synapses (w_ij > 0)
 *
 * Without `presynaptic` the factor A_i is left out: synaptic scaling as of Turrigiano 1998, which does not converge in recurrent networks
 * (Buonomano 2005). Known from abstracts; rates are chosen. State: pre [pre], post [post], both 0 at first; a population that has several
 * scaled projections has a mean in each.
 */
export const presynaptic: ScalingModel<Params> = {
  kind: 'presynaptic-scaling',
  source: 'Buonomano 2005, J. Neurophysiol. 94:2275; Liu and Buonomano 2009, J. Neurosci. 29:13172',
  params,
  derive(given, { synapses: { nPost }, rng, path }) {
    const within = (value: number) => value >= 0;
    const values = resolveValues(given.goal, nPost, rng.split('goal'), `${path}.goal`, within, 'a number >= 0');
    const goal = perNeuron(values, nPost);
    return { layout, bind: (binding) => bindScaling(binding, given, goal) };
  },
};

function bindScaling(
  { state, weights, synapses, sources, sizes, pre, post }: ScalingBinding,
  { averageRate, rate, largest, presynaptic: factored }: Params,
  goal: Float64Array,
): (steps: number) => void {
  const { rowStart, post: targets } = synapses;
  const spikes = { pre: new Float64Array(sizes.pre), post: new Float64Array(sizes.post) };
  const factor = factored ? state.pre : new Float64Array(sizes.pre).fill(1);
  return (steps) => {
    countActivity(spikes.pre, pre, sizes.stream, steps);
    countActivity(spikes.post, post, sizes.stream, steps);
    follow(state.pre, spikes.pre, averageRate);
    follow(state.post, spikes.post, averageRate);
    scale(weights, factor, goal, state.post, rowStart, targets, rate, largest, sources);
  };
}

/** S_i = mean over streams of sum_t z_i(t).   S: [self]; z: [stream][history + step][self] */
function countActivity(S: Float64Array, z: Rows, streams: number, steps: number): void {
  const { data, size } = z;
  S.fill(0);
  for (let b = 0; b < streams; b++) {
    for (let t = 0; t < steps; t++) {
      const row = rowAt(z, b, t);
      for (let i = 0; i < size; i++) S[i] += data[row + i];
    }
  }
  for (let i = 0; i < size; i++) S[i] /= streams;
}

/** A(n) = A(n-1) + rate (S(n) - A(n-1)).   A, S: [self] */
function follow(A: Real, S: Float64Array, rate: number): void {
  for (let i = 0; i < A.length; i++) A[i] += rate * (S[i] - A[i]);
}

/** w_ij += rate factor_i (goal_j - A_j) w_ij where w_ij > 0, then to [0, largest].   w: [syn]; factor: [pre]; goal, A: [post] */
function scale(
  w: Real,
  factor: Real,
  goal: Float64Array,
  A: Real,
  rowStart: Int32Array,
  targets: Int32Array,
  rate: number,
  largest: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const gain = rate * factor[i];
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
      if (!(w[s] > 0)) continue;
      const j = targets[s];
      w[s] = Math.min(Math.max(w[s] + gain * (goal[j] - A[j]) * w[s], 0), largest);
    }
  }
}
