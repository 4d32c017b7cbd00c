import type { Layout, Real } from '../../src/core/layout.ts';
import type { ClosedDynamics, DirectBinding, DirectContext, NetworkShape } from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';
import { rowAt } from '../../src/core/rows.ts';
import { neuronsOf, startsOf } from './feedback.ts';
import { lensesOf } from './tangent.ts';

/** The influence of every synapse on its own neuron, kept for a time that the neuron says. */
export interface Kernels {
  /** Step t of stream b, with the share k that each neuron keeps. k: [neurons] */
  step(b: number, t: number, k: Real): void;
  /** Adds what they owe of stream b to the gradient. credit: dE/dz through readouts of each filter, [filter][neurons] */
  meet(b: number, credit: Real): void;
}

/** K of each projection, and K as readouts with a filter see it. */
export function kernelsLayout(network: NetworkShape): Layout {
  const seen = lensesOf(network).filter(({ decay }) => decay > 0).length;
  const field = (length: number, doc: string) =>
    ({ shape: ['stream', length], home: 'synapse', unit: '1', doc, restarts: true }) as const;
  const own = network.projections.map(({ name, synapses: { nSyn } }): Layout => {
    const kernel = field(nSyn, 'influence of the synapse on its own neuron');
    if (seen === 0) return { [`${name}.kernel`]: kernel };
    return { [`${name}.kernel`]: kernel, [`${name}.kernelBar`]: field(seen * nSyn, 'the same through the readout') };
  });
  return Object.assign({}, ...own);
}

/** @param neurons of each population */
export function bindKernels(
  binding: DirectBinding,
  context: DirectContext,
  neurons: readonly ClosedDynamics[],
): Kernels {
  const parts = binding.network.projections.map((_, q) => bindProjection(binding, context, neurons, q));
  return {
    step(b, t, k) {
      for (let q = 0; q < parts.length; q++) parts[q].step(b, t, k);
    },
    meet(b, credit) {
      for (let q = 0; q < parts.length; q++) parts[q].meet(b, credit);
    },
  };
}

function bindProjection(
  { network, state, projections, populations }: DirectBinding,
  { borderSpikes }: DirectContext,
  neurons: readonly ClosedDynamics[],
  q: number,
): Kernels {
  const { name, post, delay, synapses } = network.projections[q];
  const { nSyn } = synapses;
  const { pre, gradient } = projections[q];
  const { psi } = populations[post];
  const start = startsOf(network)[post];
  const n = neuronsOf(network);
  const lenses = lensesOf(network);
  const filtered = lenses.filter(({ decay }) => decay > 0);
  const [kernel, bar] = [state[`${name}.kernel`], state[`${name}.kernelBar`]];
  const barAt = (b: number, f: number) => (b * filtered.length + f) * nSyn;
  return {
    step(b, t, k) {
      const arrives = t > 0 || borderSpikes === 'keep';
      const gain = arrives ? neurons[post].gain : 0;
      advance(
        kernel,
        k,
        psi.data,
        pre.data,
        synapses,
        b * nSyn,
        start,
        rowAt(psi, b, t),
        rowAt(pre, b, t - delay),
        gain,
      );
      for (let f = 0; f < filtered.length; f++) {
        filter(bar, kernel, barAt(b, f), b * nSyn, filtered[f].decay, filtered[f].gain, nSyn);
      }
    },
    meet(b, credit) {
      for (let l = 0, f = 0; l < lenses.length; l++) {
        const { decay, gain } = lenses[l];
        if (decay > 0) addMet(gradient, bar, credit, synapses, barAt(b, f++), l * n + start, 1);
        else addMet(gradient, kernel, credit, synapses, b * nSyn, l * n + start, gain);
      }
    },
  };
}

/** K_s = k_j K_s + gain psi_j p_i.   K: at `at`, [syn]; k: from `start`, [post]; psi: at `row`; p: at `from` */
function advance(
  K: Real,
  k: Real,
  psi: Real,
  p: Real,
  { nPre, rowStart, post }: Projection,
  at: number,
  start: number,
  row: number,
  from: number,
  gain: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const arriving = gain * p[from + i];
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) {
      const j = post[s];
      K[at + s] = k[start + j] * K[at + s] + psi[row + j] * arriving;
    }
  }
}

/** KBar_s = kappa KBar_s + gain K_s.   KBar: at `at`; K: at `from`, [syn] */
function filter(bar: Real, K: Real, at: number, from: number, kappa: number, gain: number, nSyn: number): void {
  for (let s = 0; s < nSyn; s++) bar[at + s] = kappa * bar[at + s] + gain * K[from + s];
}

/** grad_s += gain c_j K_s.   grad: [syn]; K: at `at`; c: from `start`, [post] */
function addMet(
  grad: Real,
  K: Real,
  c: Real,
  { nSyn, post }: Projection,
  at: number,
  start: number,
  gain: number,
): void {
  for (let s = 0; s < nSyn; s++) grad[s] += gain * c[start + post[s]] * K[at + s];
}
