import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import { count } from '../../src/core/schema.ts';
import { bindBackward, filterBack } from '../traces/backward.ts';
import { addRows } from '../traces/kernels.ts';
import { bringBack, drawFeedback, feedbackLayout, feedbackMatrix, feedbackParams, feedbackReads } from './feedback.ts';
import { resetGainOf, resetParam } from './reset.ts';

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
 *     dz_j(t) = sum_k B_jk F_k(t) + zeta sum_l W_jl D_l(t+d) - vTh D_j(t+1)        the last only with the reset attached
 *     D_j(t)  = psi_j(t) (dz_j(t) - adaptBeta_j lambda_j(t+1)) + alpha D_j(t+1)    lambda: what the adaptation owes
 *     dE/dW_ij += zeta p_i(t) D_j(t)          p_i: x_i(t), or z_i(t-d) of a recurrent synapse; d: its delay in steps
 *
 * Rate neurons: c_j(t) = dz_j(t) + decay c_j(t+1), D_j(t) = psi_j(t) c_j(t). Errors of at most `segment` steps go back
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
    const resetGain = resetGainOf(p.reset, context.neuron);
    return {
      layout: feedbackLayout(p),
      past: pastOf(p, context),
      work: workOf(context),
      jacobianProducts: p.window !== null ? p.window / (p.segment ?? p.window) : 1,
      footprint: {
        reads: ['x', 'zPrev', 'psi', 'error', 'wRec', 'signal', ...feedbackReads(p)],
        phases: ['soma'],
      },
      grain: 'update',
      kernel: {
        name: 'bptt',
        matrix: p.feedback === 'symmetric' ? 'wOut' : 'B',
        window: p.window,
        segment: p.segment,
        drops: p.incomplete === 'drop',
        resetGain,
      },
      init: (state, sizes, rng) => drawFeedback(p, state, sizes, rng),
      bind: (binding) => bindBptt(binding, p, context, resetGain),
    } satisfies DirectInstance;
  },
};

/** Rows that the errors still have to pass. */
function pastOf(p: Params, { sizes, neuron }: DirectContext): Layout {
  const steps = Math.min(p.window ?? sizes.step, sizes.step);
  const rows = (home: 'pre' | 'post', width: 'in' | 'rec' | 'out', unit: string, doc: string) =>
    ({ shape: [steps, width], home, unit, doc }) as const;
  return {
    x: rows('pre', 'in', '1', 'input of past steps'),
    z: { ...rows('pre', 'rec', '1', 'activity of past steps'), binary: neuron.form === 'filter-then-post' },
    psi: rows('post', 'rec', '1', 'pseudo-derivatives of past steps'),
    error: rows('post', 'out', '1', 'errors of past steps'),
  };
}

/** What goes back from step to step, and the gradient that is complete only when all of it has. */
function workOf({ neuron }: DirectContext): Layout {
  const sum = (syn: 'synIn' | 'synRec') =>
    ({ shape: [syn], home: 'synapse', unit: 'gradient', doc: 'gradient summed on the way back' }) as const;
  const perNeuron = (doc: string) => ({ shape: ['rec'], home: 'post', unit: '1', doc }) as const;
  const owes = neuron.form === 'post-then-filter' || neuron.adaptation !== null;
  return {
    filtered: { shape: ['out'], home: 'post', unit: '1', doc: 'error filtered backwards as the readout does' },
    credit: perNeuron('what the activity of this step owes'),
    drive: { shape: ['history', 'rec'], home: 'post', unit: '1', doc: 'what one unit of input of the next steps owes' },
    ...(owes ? { owed: perNeuron('what the adaptation or the leak owes') } : {}),
    sumIn: sum('synIn'),
    sumRec: sum('synRec'),
  };
}

function bindBptt(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  resetGain: number,
): (t0: number, t1: number) => void {
  const { sizes, trial } = binding;
  const { stream: nStream, step: stride, rec: n, out: nOut, history: delay } = sizes;
  const longest = p.segment ?? p.window ?? Number.POSITIVE_INFINITY;
  const window = p.window ?? Number.POSITIVE_INFINITY;
  const { decay: kappa, gain: outGain } = context.readout;
  const B = feedbackMatrix(p, binding.state, binding.weights);
  const filtered = new Float64Array(nOut);
  // D of the next steps, as many as the recurrent delay. [delay][rec]
  const later = new Float64Array(delay * n);
  const back = bindBackward(context.neuron, trial.psi, n, resetGain);
  const addStep = bindAddStep(binding, context, back.drive);
  const { rec: recurrent } = binding.projections;
  const { gain } = context.neuron;
  const goBack = (b: number, s0: number, s1: number) => {
    filtered.fill(0);
    back.start();
    later.fill(0);
    for (let t = s1 - 1; t >= Math.max(0, s1 - window); t--) {
      const row = (b * stride + t) * n;
      if (t >= s0) filterBack(filtered, trial.error, (b * stride + t) * nOut, kappa, outGain, nOut);
      else fade(filtered, kappa, nOut);
      bringBack(back.credit, B, filtered, 0, n, nOut);
      const slot = (t % delay) * n;
      backRecurrent(back.credit, binding.weights.wRec, later, slot, recurrent.rowStart, recurrent.post, gain, n);
      writeTotal(trial.signal, back.credit, back.drive, row, resetGain, t < s0 ? 1 : 0, n);
      back.step(row);
      later.set(back.drive, slot);
      addStep(b, t);
    }
  };
  return (t0, t1) => {
    for (let s0 = t0; s0 < t1; s0 += longest) {
      if (p.incomplete === 'drop' && s0 + longest > t1) return;
      for (let b = 0; b < nStream; b++) goBack(b, s0, Math.min(s0 + longest, t1));
    }
  };
}

/** What the presynaptic activity that arrives at step t adds to the gradient. */
function bindAddStep(
  { sizes, trial, projections, gradient }: DirectBinding,
  { neuron, borderSpikes }: DirectContext,
  drive: Real,
): (b: number, t: number) => void {
  const { step: stride, rec: n, in: nIn, history } = sizes;
  const { in: fromInput, rec: recurrent } = projections;
  const { gain } = neuron;
  return (b, t) => {
    if (t === 0 && borderSpikes === 'drop') return;
    addRows(gradient.wIn, trial.x, drive, fromInput.rowStart, fromInput.post, (b * stride + t) * nIn, gain, nIn);
    const arriving = (b * (history + stride) + t) * n;
    addRows(gradient.wRec, trial.z, drive, recurrent.rowStart, recurrent.post, arriving, gain, n);
  };
}

/** F[t] = kappa F[t+1].   F: [out] */
function fade(filtered: Real, kappa: number, nOut: number): void {
  for (let k = 0; k < nOut; k++) filtered[k] *= kappa;
}

/** credit_i += gain sum_j W_ij D_j[t+d].   credit: [rec]; D: row at `at`; w: [syn] */
function backRecurrent(
  credit: Real,
  w: Real,
  drive: Real,
  at: number,
  rowStart: Int32Array,
  post: Int32Array,
  gain: number,
  n: number,
): void {
  for (let i = 0; i < n; i++) {
    const end = rowStart[i + 1];
    let sum = 0;
    for (let s = rowStart[i]; s < end; s++) sum += w[s] * drive[at + post[s]];
    credit[i] += gain * sum;
  }
}

/** signal = keep signal + credit - resetGain D[t+1].   signal: row at `row`; credit, D (drive): [rec] */
function writeTotal(
  signal: Real,
  credit: Real,
  drive: Real,
  row: number,
  resetGain: number,
  keep: 0 | 1,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const before = keep === 1 ? signal[row + j] : 0;
    signal[row + j] = before + credit[j] - resetGain * drive[j];
  }
}
