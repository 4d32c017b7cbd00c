import { UnsupportedError } from '../../src/core/errors.ts';
import type { Dim, Field, Layout, Real, Views } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, RuleContext } from '../../src/core/plugins.ts';

/**
 * The linearised network: how a small change of the state goes on. One tangent is a vector per neuron of each state
 * variable; several lie one after the other in the same arrays, at offset `at`.
 *
 *     dI_j(t)    = given_j + sum_i W_ij dz_i(t-1)
 *     da_j(t)    = rho da_j(t-1) + dz_j(t-1)
 *     dv_j(t)    = alpha dv_j(t-1) + zeta dI_j(t) - vTh dz_j(t-1)             the last only with the reset attached
 *     dz_j(t)    = psi_j(t) (dv_j(t) - adaptBeta_j da_j(t))
 *     dzBar_j(t) = kappa dzBar_j(t-1) + zeta_out dz_j(t)                       what the readout sees of it
 *
 * Rate neurons: dz_j(t) = decay dz_j(t-1) + (1 - decay) psi_j(t) dI_j(t). `given` is the change of a summed input by
 * itself, not by way of other neurons.
 */
export interface Tangent {
  /** The tangent at `at`, which belongs to stream b, from step t-1 to t; `drive` [rec] is what is given, and used up. */
  step(b: number, t: number, at: number, drive: Real): void;
  /** What a change does to the readout is `readGain` times this, times W_out. */
  readonly read: Real;
  readonly readGain: number;
  /** All variables, in the order of the layout. */
  readonly fields: readonly Real[];
}

/** State variables of tangents, each of shape [...of][rec]. */
export function tangentLayout({ neuron, readout }: RuleContext, of: readonly Dim[], suffix: string): Layout {
  const field = (doc: string): Field => ({
    shape: [...of, 'rec'],
    home: of.includes('stream') && of.length > 1 ? 'synapse' : 'post',
    unit: '1',
    doc,
    restarts: true,
  });
  const membrane = neuron.form === 'filter-then-post';
  return {
    ...(membrane ? { [`v${suffix}`]: field('derivative of the membrane') } : {}),
    ...(neuron.adaptation ? { [`a${suffix}`]: field('derivative of the adaptation') } : {}),
    [`z${suffix}`]: field('derivative of the activity'),
    ...(readout.decay > 0 ? { [`zBar${suffix}`]: field('derivative of the activity as the readout filters it') } : {}),
  };
}

/** @param state fields of `tangentLayout`, `suffix` as given there */
export function bindTangent(
  { sizes, trial, weights, projections }: DirectBinding,
  context: DirectContext,
  resetGain: number,
  state: Views,
  suffix: string,
): Tangent {
  const { step: stride, rec: n } = sizes;
  if (sizes.history > 1)
    throw new UnsupportedError('rule: influence forwards in time needs recurrent delays of one step');
  const { decay: kappa, gain: outGain } = context.readout;
  const { rowStart, post } = projections.rec;
  const own = ['v', 'a', 'z', 'zBar'].filter((name) => `${name}${suffix}` in state);
  const z = state[`z${suffix}`];
  const zBar = state[`zBar${suffix}`];
  const advance = bindNeuron(context, resetGain, state, suffix, trial.psi, n);
  return {
    step(b, t, at, drive) {
      if (t > 0 || context.borderSpikes === 'keep') addRecurrent(drive, weights.wRec, z, rowStart, post, at, n);
      advance(drive, at, (b * stride + t) * n);
      if (kappa > 0) filterTangent(zBar, z, at, kappa, outGain, n);
    },
    read: kappa > 0 ? zBar : z,
    readGain: kappa > 0 ? 1 : outGain,
    fields: own.map((name) => state[`${name}${suffix}`]),
  };
}

function bindNeuron(
  { neuron }: DirectContext,
  resetGain: number,
  state: Views,
  suffix: string,
  psi: Real,
  n: number,
): (drive: Real, at: number, row: number) => void {
  const { form, decay, gain, adaptation } = neuron;
  const v = state[`v${suffix}`];
  const a = state[`a${suffix}`];
  const z = state[`z${suffix}`];
  if (form === 'post-then-filter') return (drive, at, row) => tangentRate(z, drive, psi, at, row, decay, gain, n);
  if (!adaptation) {
    return (drive, at, row) => tangentMembrane(v, z, drive, psi, at, row, decay, gain, resetGain, n);
  }
  const { decay: rho, strength } = adaptation;
  return (drive, at, row) => tangentAdaptive(v, a, z, drive, psi, strength, at, row, decay, gain, rho, resetGain, n);
}

/** dI_j += sum_i W_ij dz_i[t-1].   dI (drive): [rec]; dz: at `at`, [rec]; w: [syn] */
function addRecurrent(
  drive: Real,
  w: Real,
  z: Real,
  rowStart: Int32Array,
  post: Int32Array,
  at: number,
  n: number,
): void {
  for (let i = 0; i < n; i++) {
    const change = z[at + i];
    if (change === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) drive[post[s]] += change * w[s];
  }
}

/**
 * dv = decay dv + gain dI - resetGain dz[t-1];  dz = psi dv.
 * dv, dz: at `at`, [rec]; dI (drive): [rec]; psi: row at `row`
 */
function tangentMembrane(
  v: Real,
  z: Real,
  drive: Real,
  psi: Real,
  at: number,
  row: number,
  decay: number,
  gain: number,
  resetGain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const dv = decay * v[at + j] + gain * drive[j] - resetGain * z[at + j];
    v[at + j] = dv;
    z[at + j] = psi[row + j] * dv;
  }
}

/** The same with da = rho da + dz[t-1];  dz = psi (dv - adaptBeta da).   strength (adaptBeta): [rec] */
function tangentAdaptive(
  v: Real,
  a: Real,
  z: Real,
  drive: Real,
  psi: Real,
  strength: Real,
  at: number,
  row: number,
  decay: number,
  gain: number,
  rho: number,
  resetGain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const da = rho * a[at + j] + z[at + j];
    const dv = decay * v[at + j] + gain * drive[j] - resetGain * z[at + j];
    a[at + j] = da;
    v[at + j] = dv;
    z[at + j] = psi[row + j] * (dv - strength[j] * da);
  }
}

/** dz = decay dz + gain psi dI.   Shapes as above. */
function tangentRate(
  z: Real,
  drive: Real,
  psi: Real,
  at: number,
  row: number,
  decay: number,
  gain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) z[at + j] = decay * z[at + j] + gain * psi[row + j] * drive[j];
}

/** dzBar = kappa dzBar + gain dz.   Both at `at`, [rec] */
function filterTangent(zBar: Real, z: Real, at: number, kappa: number, gain: number, n: number): void {
  for (let j = 0; j < n; j++) zBar[at + j] = kappa * zBar[at + j] + gain * z[at + j];
}

/** sum_j L_j x_j.   L: [rec]; x: at `at` */
export function inner(L: Real, x: Real, at: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j++) sum += L[j] * x[at + j];
  return sum;
}
