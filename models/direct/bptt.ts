import { z } from 'zod';
import { spikes } from '../../src/core/dynamics.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { count } from '../../src/core/schema.ts';
import { type BackwardNeurons, filterBack } from '../traces/backward.ts';
import { bindAllFeedback, drawAllFeedback, feedbackLayout, feedbackParams, feedbackReads } from './feedback.ts';
import { isAttached, resetParam } from './reset.ts';
import { bindWayBack, longestDelay } from './wayBack.ts';

/** Parameter of the rule and of its direct part. */
export const incompleteParam = z
  .enum(['flush', 'drop'])
  .default('flush')
  .describe('errors of a segment that an update or the end of the trial cuts short: they go back too, or never');

const params = z.strictObject({
  kind: z.literal('bptt'),
  ...feedbackParams,
  reset: resetParam,
  window: count
    .nullable()
    .default(null)
    .describe('steps back that an error reaches, its own included; null for the whole trial'),
  segment: count
    .nullable()
    .default(null)
    .describe('steps whose errors go back together, at most the window; null for as many as there are'),
  incomplete: incompleteParam,
});
type Params = z.infer<typeof params>;

/**
 * Backpropagation through time with pseudo-derivatives.
 *
 *     errors of [s0, s1);  t = s1-1 .. max(0, s1 - window), everything after s1-1 is 0:
 *
 *     F_k(t)  = zeta_out error_k(t) + kappa F_k(t+1)           the readout's filter, transposed; error 0 for t < s0
 *     dz_j(t) = sum_k B_jk F_k(t) + sum_l zeta_l W_jl D_l(t+d) - vTh D_j(t+1)      the last only with the reset attached
 *     D_j(t)  = psi_j(t) (dz_j(t) - adaptBeta_j lambda_j(t+1)) + alpha D_j(t+1)    lambda: what the adaptation owes
 *     dE/dW_ij += zeta p_i(t-d) D_j(t)        p: input or activity of the presynaptic side; d: delay of the projection in steps
 *
 * Populations in reverse order, so that D of a later one is known where a delay is 0. Rate neurons: c_j(t) = dz_j(t) + decay c_j(t+1), D_j(t) = psi_j(t) c_j(t). Errors of at most `segment` steps go back
 * together. `segment` = `window` = T: every T steps for the T steps (epochwise; the reference code of Marschall et al. 2020
 * makes no gradient of the steps that are left over at the end: `incomplete: drop`); `segment` 1: at each step through the
 * last `window` steps (truncated, past-facing); both null: exact, over a whole trial or, with updates within it, over
 * the steps since the last update and back to the beginning of the trial.
 *
 * Werbos 1990 (Proc IEEE 78:1550); with pseudo-derivatives Bellec et al. 2018 (arXiv 1803.09574). Errors reach neither
 * past step 0 of a trial or chunk, also where state carries over, nor into steps that are not yet done. After an update
 * within the trial the present weights meet the past activity. A reset to zero is treated as the eligibility trace
 * treats it: the leak goes on. The firing-rate term is not part of it.
 *
 * Row t of `signal` is the sum of all dz(t) [rec] that have come back so far: the total derivative dE/dz but for the
 * path through the neuron's own memory (leak, adaptation), which its eligibility trace holds; the product of both is
 * this gradient.
 */
export const bptt: DirectModel<Params> = {
  kind: 'bptt',
  source: 'Werbos 1990, Proc IEEE 78:1550; Bellec et al. 2018, arXiv 1803.09574',
  params,
  derive(p, context) {
    if (p.window !== null && p.segment !== null && p.segment > p.window) {
      throw new ConfigError('rule.segment', p.segment, `at most the window of ${p.window} steps`);
    }
    if (p.incomplete === 'drop' && p.window === null && p.segment === null) {
      throw new ConfigError(
        'rule.incomplete',
        p.incomplete,
        '"flush" without a window or a segment: nothing is cut short',
      );
    }
    const attached = isAttached(p.reset, context.neurons);
    return {
      layout: feedbackLayout(p, context.network),
      past: pastOf(p, context),
      work: workOf(context),
      jacobianProducts: p.window !== null ? p.window / (p.segment ?? p.window) : 1,
      footprint: {
        reads: ['pre', 'psi', 'error', 'weights', 'signal', ...feedbackReads(p)],
        phases: ['soma'],
      },
      grain: 'update',
      kernel: kernelOf(p, context, attached),
      init: (state, rng) => drawAllFeedback(p, state, context.network, rng),
      bind: (binding) => bindBptt(binding, p, context, attached),
    } satisfies DirectInstance;
  },
};

/** The kernel has closed forms, and matrices of at most two states. */
function kernelOf(p: Params, { neurons }: DirectContext, attached: boolean): DirectInstance['kernel'] {
  if (neurons.some((neuron) => neuron.form === 'linear' && neuron.states > 2)) return null;
  return {
    name: 'bptt',
    matrix: p.feedback === 'symmetric' ? 'readout' : 'B',
    window: p.window,
    segment: p.segment,
    drops: p.incomplete === 'drop',
    attached,
  };
}

/** Rows that the errors still have to pass. */
function pastOf(p: Params, { network, neurons }: DirectContext): Layout {
  const { sizes, populations } = network;
  const steps = Math.min(p.window ?? sizes.step, sizes.step);
  const rows = (home: 'pre' | 'post', width: number, doc: string) =>
    ({ shape: [steps, width], home, unit: '1', doc }) as const;
  const own = populations.map(({ name, size }, of): Layout => {
    const binary = spikes(neurons[of]);
    return {
      [`${name}.z`]: { ...rows('pre', size, 'activity of past steps'), binary },
      [`${name}.psi`]: rows('post', size, 'pseudo-derivatives of past steps'),
    };
  });
  return {
    x: rows('pre', sizes.in, 'input of past steps'),
    ...Object.assign({}, ...own),
    error: rows('post', sizes.out, 'errors of past steps'),
  };
}

/** What goes back from step to step, and the gradient that is complete only when all of it has. */
function workOf({ network, neurons }: DirectContext): Layout {
  const own = network.populations.map(({ name, size }, p): Layout => {
    const field = (doc: string, ...shape: number[]) => ({ shape, home: 'post', unit: '1', doc }) as const;
    const dynamics = neurons[p];
    const states = dynamics.form === 'linear' ? dynamics.states : 1;
    const owes = dynamics.form !== 'filter-then-post' || dynamics.adaptation !== null;
    const owed = field('what the adaptation, the leak or the states owe', size, ...(states > 1 ? [states] : []));
    return {
      [`${name}.credit`]: field('what the activity of this step owes', size),
      [`${name}.drive`]: field('what one unit of input of the next steps owes', longestDelay(network, p), size),
      ...(owes ? { [`${name}.owed`]: owed } : {}),
    };
  });
  const sums = network.projections.map(
    ({ name, synapses }): Layout => ({
      [`${name}.sum`]: {
        shape: [synapses.nSyn],
        home: 'synapse',
        unit: 'gradient',
        doc: 'gradient summed on the way back',
      },
    }),
  );
  return {
    filtered: {
      shape: [network.sizes.out],
      home: 'post',
      unit: '1',
      doc: 'error filtered backwards as the readout does',
    },
    ...Object.assign({}, ...own, ...sums),
  };
}

function bindBptt(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  attached: boolean,
): (t0: number, t1: number) => void {
  const { network, populations, error } = binding;
  const { stream: nStream, out: nOut } = network.sizes;
  const longest = p.segment ?? p.window ?? Number.POSITIVE_INFINITY;
  const window = p.window ?? Number.POSITIVE_INFINITY;
  const filtered = new Float64Array(nOut);
  const feedback = bindAllFeedback(p, binding);
  const back = bindWayBack(binding, context, attached);
  const bring = (q: number) => feedback[q](back.neurons[q].credit, 0, filtered, 0);
  let keepFrom = 0;
  const told = (q: number, b: number, t: number) => {
    const { signal } = populations[q];
    writeTotal(signal.data, back.neurons[q], rowAt(signal, b, t), t < keepFrom ? 1 : 0, signal.size);
  };
  const goBack = (b: number, s0: number, s1: number) => {
    filtered.fill(0);
    keepFrom = s0;
    back.start();
    for (let t = s1 - 1; t >= Math.max(0, s1 - window); t--) {
      for (const { column, size, decay, gain } of network.readouts) {
        if (t >= s0) filterBack(filtered, error.data, column, rowAt(error, b, t) + column, decay, gain, size);
        else fade(filtered, column, decay, size);
      }
      back.step(b, t, bring, told);
    }
  };
  return (t0, t1) => {
    for (let s0 = t0; s0 < t1; s0 += longest) {
      if (p.incomplete === 'drop' && s0 + longest > t1) return;
      for (let b = 0; b < nStream; b++) goBack(b, s0, Math.min(s0 + longest, t1));
    }
  };
}

/** F[t] = kappa F[t+1].   F: columns from `at` */
function fade(filtered: Real, at: number, kappa: number, nOut: number): void {
  for (let k = 0; k < nOut; k++) filtered[at + k] *= kappa;
}

/** signal = keep signal + credit, less what the reset owes at t+1.   signal: row at `row` */
function writeTotal(signal: Real, back: BackwardNeurons, row: number, keep: 0 | 1, n: number): void {
  for (let j = 0; j < n; j++) {
    const before = keep === 1 ? signal[row + j] : 0;
    signal[row + j] = before + back.credit[j] - back.resetDebt(j);
  }
}
