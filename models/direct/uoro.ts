import { z } from 'zod';
import { cut, type Layout, type Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';
import type { Rng } from '../../src/core/rng.ts';
import { bringBack, drawFeedback, feedbackLayout, feedbackMatrix, feedbackParams, feedbackReads } from './feedback.ts';
import { resetGainOf, resetParam } from './reset.ts';
import { bindTangent, inner, type Tangent, tangentLayout } from './tangent.ts';

const params = z.strictObject({ kind: z.literal('uoro'), ...feedbackParams, reset: resetParam });
type Params = z.infer<typeof params>;

/** Keeps the scales finite and away from 0 where a factor vanishes. The product of both factors does not know it. */
const epsilon = 1e-7;

/**
 * Unbiased online recurrent optimisation: the influence of the weights on the state, estimated by one outer product.
 *
 *     P_s(t) ~ A(t) H_s(t)                       A: one tangent of the state; H: one number per synapse
 *     A(t)   = rho0 T_t(A(t-1), 0) + rho1 T_t(0, nu(t))          nu_j: +1 or -1, drawn for each neuron, stream and step
 *     H_s(t) = H_s(t-1) / rho0 + nu_j(t) p_i(t) / rho1           s: synapse i -> j;  T_t: the step of tangent.ts
 *     rho0   = sqrt(|H(t-1)| / (|T_t(A(t-1), 0)| + epsilon)) + epsilon
 *     rho1   = sqrt(|p(t)| / (|T_t(0, nu)| + epsilon)) + epsilon
 *     dE/dW_s += (sum_k L_k(t) ABar_k(t)) H_s(t),     L_k(t) = sum_l B_kl error_l(t)
 *
 * Its mean over the signs is the gradient of real-time recurrent learning: rho0 and rho1, which only balance the
 * factors, do not depend on the signs of nu(t). Both factors are 0 when traces restart, as the influence itself is.
 * Where no input arrives nothing is added. |p| is the norm over all synapses, |T| that over all variables of the
 * tangent.
 *
 * Tallec and Ollivier 2018 (ICLR; arXiv 1702.05043).
 */
export const uoro: DirectModel<Params> = {
  kind: 'uoro',
  source: 'Tallec and Ollivier 2018, ICLR, arXiv 1702.05043',
  params,
  derive(p, context) {
    const resetGain = resetGainOf(p.reset, context.neuron);
    const factor = (syn: 'synIn' | 'synRec') =>
      ({ shape: ['stream', syn], home: 'synapse', unit: '1', doc: 'synaptic factor H', restarts: true }) as const;
    return {
      layout: {
        ...feedbackLayout(p),
        ...tangentLayout(context, ['stream'], ''),
        factorIn: factor('synIn'),
        factorRec: factor('synRec'),
        drawn: {
          shape: [1],
          home: 'global',
          unit: 'steps',
          doc: 'steps for which signs were drawn',
          bookkeeping: true,
        },
      },
      past: {},
      work: {
        ...tangentLayout(context, [], 'Fresh'),
        told: { shape: ['rec'], home: 'post', unit: '1', doc: 'error as it comes to the neurons' },
        signs: { shape: ['rec'], home: 'post', unit: '1', doc: 'signs of this step', binary: true },
      },
      jacobianProducts: 1,
      footprint: { reads: ['x', 'zPrev', 'psi', 'error', 'wRec', ...feedbackReads(p)], phases: ['soma'] },
      grain: 'step',
      kernel: null,
      init: (state, sizes, rng) => drawFeedback(p, state, sizes, rng),
      bind: (binding) => bindUoro(binding, p, context, resetGain),
    } satisfies DirectInstance;
  },
};

/** The synaptic factors of one projection. */
interface Group {
  readonly projection: Projection;
  readonly p: Real;
  readonly factor: Real;
  readonly gradient: Real;
  /** Offset of the presynaptic activity that acts at step t of stream b. */
  readonly rowOf: (b: number, t: number) => number;
}

function groupsOf({ sizes, state, trial, projections, gradient }: DirectBinding): Group[] {
  const { step: stride, rec: n, in: nIn, history } = sizes;
  return [
    {
      projection: projections.in,
      p: trial.x,
      factor: state.factorIn,
      gradient: gradient.wIn,
      rowOf: (b, t) => (b * stride + t) * nIn,
    },
    {
      projection: projections.rec,
      p: trial.z,
      factor: state.factorRec,
      gradient: gradient.wRec,
      rowOf: (b, t) => (b * (history + stride) + t) * n,
    },
  ];
}

function bindUoro(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  resetGain: number,
): (t0: number, t1: number) => void {
  const { sizes, state, trial, weights } = binding;
  const { stream: nStream, step: stride, rec: n, out: nOut } = sizes;
  const B = feedbackMatrix(p, state, weights);
  const groups = groupsOf(binding);
  const tangent = bindTangent(binding, context, resetGain, state, '');
  const advance = bindAdvance(binding, context, resetGain, groups, tangent);
  const told = new Float64Array(n);
  const signs = context.rng.split('signs');
  return (t0, t1) => {
    for (let t = t0; t < t1; t++) {
      const drawn = signs.split(state.drawn[0]);
      state.drawn[0] += 1;
      for (let b = 0; b < nStream; b++) {
        advance(b, t, drawn.split(b));
        bringBack(told, B, trial.error, (b * stride + t) * nOut, n, nOut);
        const owed = tangent.readGain * inner(told, tangent.read, b * n, n);
        if (owed === 0) continue;
        for (const { gradient, factor, projection } of groups) {
          addScaled(gradient, factor, b * projection.nSyn, owed, projection.nSyn);
        }
      }
    }
  };
}

/** Both factors of one stream from step t-1 to t. */
function bindAdvance(
  binding: DirectBinding,
  context: DirectContext,
  resetGain: number,
  groups: readonly Group[],
  tangent: Tangent,
): (b: number, t: number, rng: Rng) => void {
  const n = binding.sizes.rec;
  const { views, fresh } = freshTangent(binding, context, resetGain);
  const nu = new Float64Array(n);
  const drive = new Float64Array(n);
  return (b, t, rng) => {
    const dropped = t === 0 && context.borderSpikes === 'drop';
    drive.fill(0);
    tangent.step(b, t, b * n, drive);
    const rho0 = balance(normOfFactors(groups, b), normOf(tangent.fields, b * n, n));
    scaleAll(tangent.fields, b * n, rho0, n);
    for (const { factor, projection } of groups) scaleBy(factor, b * projection.nSyn, 1 / rho0, projection.nSyn);
    const arriving = dropped ? 0 : normOfInput(groups, b, t);
    if (arriving === 0) return;
    for (let j = 0; j < n; j++) nu[j] = 2 * rng.bernoulli(0.5) - 1;
    for (const view of views) view.fill(0);
    drive.set(nu);
    fresh.step(b, t, 0, drive);
    const rho1 = balance(arriving, normOf(fresh.fields, 0, n));
    for (let f = 0; f < views.length; f++) addAt(tangent.fields[f], fresh.fields[f], b * n, rho1, n);
    for (const { projection, p, factor, rowOf } of groups) {
      const { nPre, nSyn, rowStart, post } = projection;
      addInput(factor, nu, p, rowStart, post, b * nSyn, rowOf(b, t), 1 / rho1, nPre);
    }
  };
}

/** A tangent that starts from 0 at every step. */
function freshTangent(
  binding: DirectBinding,
  context: DirectContext,
  resetGain: number,
): { readonly views: readonly Real[]; readonly fresh: Tangent } {
  const layout: Layout = tangentLayout(context, [], '');
  const views = cut({ fresh: layout }, binding.sizes).views('fresh');
  const fresh = bindTangent(binding, context, resetGain, views, '');
  return { views: fresh.fields, fresh };
}

/** sqrt(of / (against + epsilon)) + epsilon */
function balance(of: number, against: number): number {
  return Math.sqrt(of / (against + epsilon)) + epsilon;
}

/** Euclidean norm of one tangent, all its variables together. */
function normOf(fields: readonly Real[], at: number, n: number): number {
  let sum = 0;
  for (let f = 0; f < fields.length; f++) sum += squares(fields[f], at, n);
  return Math.sqrt(sum);
}

function normOfFactors(groups: readonly Group[], b: number): number {
  let sum = 0;
  for (const { factor, projection } of groups) sum += squares(factor, b * projection.nSyn, projection.nSyn);
  return Math.sqrt(sum);
}

/** Norm of p_i over all synapses i -> j. */
function normOfInput(groups: readonly Group[], b: number, t: number): number {
  let sum = 0;
  for (const { p, projection, rowOf } of groups) {
    const { nPre, rowStart } = projection;
    const from = rowOf(b, t);
    for (let i = 0; i < nPre; i++) sum += (rowStart[i + 1] - rowStart[i]) * p[from + i] * p[from + i];
  }
  return Math.sqrt(sum);
}

function squares(x: Real, at: number, n: number): number {
  let sum = 0;
  for (let s = 0; s < n; s++) sum += x[at + s] * x[at + s];
  return sum;
}

function scaleAll(fields: readonly Real[], at: number, factor: number, n: number): void {
  for (let f = 0; f < fields.length; f++) scaleBy(fields[f], at, factor, n);
}

function scaleBy(x: Real, at: number, factor: number, n: number): void {
  for (let s = 0; s < n; s++) x[at + s] *= factor;
}

/** A_j += factor x_j.   A: at `at`; x: [rec] */
function addAt(A: Real, x: Real, at: number, factor: number, n: number): void {
  for (let j = 0; j < n; j++) A[at + j] += factor * x[j];
}

/** grad_s += factor H_s.   grad: [syn]; H: at `at` */
function addScaled(grad: Real, H: Real, at: number, factor: number, nSyn: number): void {
  for (let s = 0; s < nSyn; s++) grad[s] += factor * H[at + s];
}

/** H_s += factor nu_j p_i.   H: at `at`, [syn]; nu: [rec]; p: row at `from` */
function addInput(
  H: Real,
  nu: Real,
  p: Real,
  rowStart: Int32Array,
  post: Int32Array,
  at: number,
  from: number,
  factor: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const scale = factor * p[from + i];
    if (scale === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) H[at + s] += scale * nu[post[s]];
  }
}
