import { z } from 'zod';
import { cut, type Layout, type Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';
import type { Rng } from '../../src/core/rng.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { drawAllFeedback, feedbackLayout, feedbackParams, feedbackReads, neuronsOf, startsOf } from './feedback.ts';
import { isAttached, resetParam } from './reset.ts';
import { bindTangent, bindTold, type Tangent, tangentLayout, toldLayout } from './tangent.ts';

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
    const attached = isAttached(p.reset, context.neurons);
    const { network } = context;
    const n = neuronsOf(network);
    const factors = network.projections.map(
      ({ name, synapses }): Layout => ({
        [`${name}.factor`]: {
          shape: ['stream', synapses.nSyn],
          home: 'synapse',
          unit: '1',
          doc: 'synaptic factor H',
          restarts: true,
        },
      }),
    );
    return {
      layout: {
        ...feedbackLayout(p, network),
        ...tangentLayout(context, ['stream'], own),
        ...Object.assign({}, ...factors),
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
        ...tangentLayout(context, [], (variable) => `${variable}Fresh`),
        ...toldLayout(context),
        signs: { shape: [n], home: 'post', unit: '1', doc: 'signs of this step', binary: true },
      },
      jacobianProducts: 1,
      footprint: { reads: ['pre', 'psi', 'error', 'weights', ...feedbackReads(p)], phases: ['soma'] },
      grain: 'step',
      kernel: null,
      init: (state, rng) => drawAllFeedback(p, state, network, rng),
      bind: (binding) => bindUoro(binding, p, context, attached),
    } satisfies DirectInstance;
  },
};

/** Variables of the tangent have their own names in the layout. */
const own = (variable: string) => variable;

/** The synaptic factors of one projection. */
interface Group {
  readonly projection: Projection;
  readonly pre: Rows;
  readonly delay: number;
  readonly factor: Real;
  readonly gradient: Real;
  /** First neuron of its postsynaptic population. */
  readonly start: number;
}

function groupsOf({ network, state, projections }: DirectBinding): Group[] {
  const starts = startsOf(network);
  return network.projections.map(({ name, post, delay, synapses }, q) => ({
    projection: synapses,
    pre: projections[q].pre,
    delay,
    factor: state[`${name}.factor`],
    gradient: projections[q].gradient,
    start: starts[post],
  }));
}

function bindUoro(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  attached: boolean,
): (t0: number, t1: number) => void {
  const { network, state } = binding;
  const { stream: nStream } = network.sizes;
  const groups = groupsOf(binding);
  const tangent = bindTangent(binding, context, attached, state, own);
  const advance = bindAdvance(binding, context, attached, groups, tangent);
  const told = bindTold(p, binding);
  const signs = context.rng.split('signs');
  return (t0, t1) => {
    for (let t = t0; t < t1; t++) {
      const drawn = signs.split(state.drawn[0]);
      state.drawn[0] += 1;
      for (let b = 0; b < nStream; b++) {
        advance(b, t, drawn.split(b));
        told.listen(b, t);
        const owed = tangent.meet(told, b);
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
  attached: boolean,
  groups: readonly Group[],
  tangent: Tangent,
): (b: number, t: number, rng: Rng) => void {
  const n = neuronsOf(binding.network);
  const fresh = freshTangent(binding, context, attached);
  const nu = new Float64Array(n);
  const drive = new Float64Array(n);
  return (b, t, rng) => {
    const dropped = t === 0 && context.borderSpikes === 'drop';
    drive.fill(0);
    tangent.step(b, t, b, drive);
    const rho0 = balance(normOfFactors(groups, b), normOf(tangent, b));
    for (const { data, length } of tangent.fields) scaleBy(data, b * length, rho0, length);
    for (const { factor, projection } of groups) scaleBy(factor, b * projection.nSyn, 1 / rho0, projection.nSyn);
    const arriving = dropped ? 0 : normOfInput(groups, b, t);
    if (arriving === 0) return;
    for (let j = 0; j < n; j++) nu[j] = 2 * rng.bernoulli(0.5) - 1;
    for (const { data } of fresh.fields) data.fill(0);
    drive.set(nu);
    fresh.step(b, t, 0, drive);
    const rho1 = balance(arriving, normOf(fresh, 0));
    for (let f = 0; f < tangent.fields.length; f++) {
      const { data, length } = tangent.fields[f];
      addAt(data, fresh.fields[f].data, b * length, rho1, length);
    }
    for (const { projection, pre, delay, factor, start } of groups) {
      const { nPre, nSyn, rowStart, post } = projection;
      const from = rowAt(pre, b, t - delay);
      addInput(factor, nu, pre.data, rowStart, post, b * nSyn, start, from, 1 / rho1, nPre);
    }
  };
}

/** A tangent that starts from 0 at every step. */
function freshTangent(binding: DirectBinding, context: DirectContext, attached: boolean): Tangent {
  const layout: Layout = tangentLayout(context, [], own);
  const views = cut([{ name: 'fresh', layout, sizes: {} }]).views('fresh');
  return bindTangent(binding, context, attached, views, own);
}

/** sqrt(of / (against + epsilon)) + epsilon */
function balance(of: number, against: number): number {
  return Math.sqrt(of / (against + epsilon)) + epsilon;
}

/** Euclidean norm of tangent number k, all its variables together. */
function normOf({ fields }: Tangent, k: number): number {
  let sum = 0;
  for (const { data, length } of fields) sum += squares(data, k * length, length);
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
  for (const { pre, delay, projection } of groups) {
    const { nPre, rowStart } = projection;
    const from = rowAt(pre, b, t - delay);
    for (let i = 0; i < nPre; i++) sum += (rowStart[i + 1] - rowStart[i]) * pre.data[from + i] * pre.data[from + i];
  }
  return Math.sqrt(sum);
}

function squares(x: Real, at: number, n: number): number {
  let sum = 0;
  for (let s = 0; s < n; s++) sum += x[at + s] * x[at + s];
  return sum;
}

function scaleBy(x: Real, at: number, factor: number, n: number): void {
  for (let s = 0; s < n; s++) x[at + s] *= factor;
}

/** A_j += factor x_j.   A: at `at`; x: [n] */
function addAt(A: Real, x: Real, at: number, factor: number, n: number): void {
  for (let j = 0; j < n; j++) A[at + j] += factor * x[j];
}

/** grad_s += factor H_s.   grad: [syn]; H: at `at` */
function addScaled(grad: Real, H: Real, at: number, factor: number, nSyn: number): void {
  for (let s = 0; s < nSyn; s++) grad[s] += factor * H[at + s];
}

/** H_s += factor nu_j p_i.   H: at `at`, [syn]; nu: from `start`, [post]; p: row at `from` */
function addInput(
  H: Real,
  nu: Real,
  p: Real,
  rowStart: Int32Array,
  post: Int32Array,
  at: number,
  start: number,
  from: number,
  factor: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const scale = factor * p[from + i];
    if (scale === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) H[at + s] += scale * nu[start + post[s]];
  }
}
