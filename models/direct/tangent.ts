import type { Dim, Field, Layout, Real, Views } from '../../src/core/layout.ts';
import type {
  DirectBinding,
  DirectContext,
  LinearDynamics,
  NetworkShape,
  OutputFilter,
} from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { bindAllFeedback, neuronsOf, startsOf } from './feedback.ts';

/**
 * The linearised network: how a small change of the state goes on. One tangent is a vector over the neurons of all populations,
 * one after the other, of each state variable; several tangents lie one after the other in the same arrays.
 *
 *     dI_j(t)    = given_j + sum_i W_ij dz_i(t-d)                               over the projections that end on j; d: their delay
 *     da_j(t)    = rho da_j(t-1) + dz_j(t-1)
 *     dv_j(t)    = alpha dv_j(t-1) + zeta dI_j(t) - vTh dz_j(t-1)              the last only with the reset attached
 *     dz_j(t)    = psi_j(t) (dv_j(t) - adaptBeta_j da_j(t))
 *     dzBar_j(t) = kappa dzBar_j(t-1) + zeta_out dz_j(t)                       what readouts with this filter see of it
 *
 * Neurons of other forms: their states h by the matrices of `LinearDynamics`. Rate neurons: dz_j(t) = decay dz_j(t-1) + (1 - decay) psi_j(t) dI_j(t). `given` is the change of a summed input by
 * itself, not by way of other neurons.
 */
export interface Tangent {
  /** Tangent number `k`, which belongs to stream b, from step t-1 to t; `drive` [neurons] is what is given, and used up. */
  step(b: number, t: number, k: number, drive: Real): void;
  /** What a change does to the losses of this step, given what comes back of the errors of it. */
  meet(told: Told, k: number): number;
  /** All variables, in the order of the layout, with the numbers of one tangent in each. */
  readonly fields: readonly { readonly data: Real; readonly length: number }[];
}

/** Readouts that see activity through the same filter. */
export interface Lens extends OutputFilter {
  readonly columns: readonly { readonly column: number; readonly size: number }[];
}

export function lensesOf({ readouts }: NetworkShape): Lens[] {
  const lenses: { decay: number; gain: number; columns: { column: number; size: number }[] }[] = [];
  for (const { decay, gain, column, size } of readouts) {
    const known = lenses.find((lens) => lens.decay === decay && lens.gain === gain);
    if (known) known.columns.push({ column, size });
    else lenses.push({ decay, gain, columns: [{ column, size }] });
  }
  return lenses;
}

/** Steps back that activity is still under way. */
function depthOf({ projections }: NetworkShape): number {
  return Math.max(1, ...projections.map(({ pre, delay }) => (pre === null ? 0 : delay)));
}

/** State variables of tangents. @param name of a variable in the layout */
export function tangentLayout(
  { network, neurons }: DirectContext,
  of: readonly (Dim | number)[],
  name: (variable: string) => string,
): Layout {
  const n = neuronsOf(network);
  const field = (doc: string, rows = 1): Field => ({
    shape: [...of, rows * n],
    home: of.includes('stream') && of.length > 1 ? 'synapse' : 'post',
    unit: '1',
    doc,
    restarts: true,
  });
  const seen = lensesOf(network).filter(({ decay }) => decay > 0).length;
  const states = statesOf(neurons);
  const adapts = neurons.some((neuron) => neuron.form !== 'linear' && neuron.adaptation);
  return {
    ...(neurons.some(({ form }) => form === 'filter-then-post')
      ? { [name('v')]: field('derivative of the membrane') }
      : {}),
    ...(adapts ? { [name('a')]: field('derivative of the adaptation') } : {}),
    ...(states > 0 ? { [name('h')]: field('derivative of the states', states) } : {}),
    [name('z')]: field('derivative of the activity', depthOf(network)),
    ...(seen > 0 ? { [name('zBar')]: field('derivative of the activity as the readout filters it', seen) } : {}),
  };
}

/** States of the neurons that have matrices, at most. */
function statesOf(neurons: DirectContext['neurons']): number {
  return neurons.reduce((most, neuron) => (neuron.form === 'linear' ? Math.max(most, neuron.states) : most), 0);
}

/** @param state fields of `tangentLayout`, `name` as given there */
export function bindTangent(
  { network, populations, projections }: Pick<DirectBinding, 'network' | 'populations' | 'projections'>,
  context: DirectContext,
  attached: boolean,
  state: Views,
  name: (variable: string) => string,
): Tangent {
  const n = neuronsOf(network);
  const starts = startsOf(network);
  const depth = depthOf(network);
  const lenses = lensesOf(network);
  const filtered = lenses.filter(({ decay }) => decay > 0);
  const [v, a, h, z, zBar] = ['v', 'a', 'h', 'z', 'zBar'].map((variable) => state[name(variable)]);
  const states = statesOf(context.neurons);
  const advance = network.populations.map((_, p) => bindNeuron(context, p, attached, { v, a, h, z }));
  const arriving = network.projections.map((shape, q) => ({ ...shape, q })).filter(({ pre }) => pre !== null);
  const late = arriving.filter(({ delay }) => delay > 0);
  const present = network.populations.map((_, p) => arriving.filter(({ post, delay }) => post === p && delay === 0));
  const add = ({ q, pre, post, delay, synapses }: (typeof arriving)[number], drive: Real, k: number) => {
    const row = k * depth * n + Math.max(0, delay - 1) * n;
    addArriving(drive, projections[q].weights, z, synapses, starts[post], row + starts[pre as number]);
  };
  const fields = [
    { data: v, length: n },
    { data: a, length: n },
    { data: h, length: states * n },
    { data: z, length: depth * n },
    { data: zBar, length: filtered.length * n },
  ];
  return {
    step(b, t, k, drive) {
      const arrives = t > 0 || context.borderSpikes === 'keep';
      const at = k * depth * n;
      if (arrives) for (const projection of late) add(projection, drive, k);
      if (depth > 1) z.copyWithin(at + n, at, at + (depth - 1) * n);
      for (let p = 0; p < advance.length; p++) {
        if (arrives) for (const projection of present[p]) add(projection, drive, k);
        const { psi } = populations[p];
        const own = context.neurons[p].form === 'linear' ? k * states * n + starts[p] * states : k * n + starts[p];
        advance[p](drive, starts[p], own, at + starts[p], psi.data, rowAt(psi, b, t), psi.size);
      }
      for (let f = 0; f < filtered.length; f++) {
        filterTangent(zBar, z, (k * filtered.length + f) * n, at, filtered[f].decay, filtered[f].gain, n);
      }
    },
    meet(told, k) {
      let sum = 0;
      let f = 0;
      for (let l = 0; l < lenses.length; l++) {
        const { decay, gain } = lenses[l];
        if (decay > 0) sum += inner(told.rows, l * n, zBar, (k * filtered.length + f++) * n, n);
        else sum += gain * inner(told.rows, l * n, z, k * depth * n, n);
      }
      return sum;
    },
    fields: fields.filter(({ data }) => data !== undefined),
  };
}

/** Errors as they come to the neurons, apart for every filter of the readouts. */
export interface Told {
  /** [filter][neurons] */
  readonly rows: Real;
  /** The errors of step t of stream b. */
  listen(b: number, t: number): void;
}

export function toldLayout({ network }: DirectContext): Layout {
  const shape = [lensesOf(network).length * neuronsOf(network)];
  return { told: { shape, home: 'post', unit: '1', doc: 'error as it comes to the neurons' } };
}

export function bindTold(choice: Parameters<typeof bindAllFeedback>[0], binding: DirectBinding): Told {
  const { network, error } = binding;
  const n = neuronsOf(network);
  const starts = startsOf(network);
  const lenses = lensesOf(network);
  const feedback = bindAllFeedback(choice, binding);
  const rows = new Float64Array(lenses.length * n);
  const chosen = new Float64Array(network.sizes.out);
  return {
    rows,
    listen(b, t) {
      const from = rowAt(error, b, t);
      for (let l = 0; l < lenses.length; l++) {
        chosen.fill(0);
        for (const { column, size } of lenses[l].columns) {
          for (let k = column; k < column + size; k++) chosen[k] = error.data[from + k];
        }
        for (let p = 0; p < feedback.length; p++) feedback[p](rows, l * n + starts[p], chosen, 0);
      }
    },
  };
}

/** Part of a tangent: drive from `from`, v and a from `at`, z from `to`, psi from `row`; n neurons. */
type Advance = (drive: Real, from: number, at: number, to: number, psi: Real, row: number, n: number) => void;

function bindNeuron(
  { neurons }: DirectContext,
  population: number,
  attached: boolean,
  { v, a, h, z }: { readonly v: Real; readonly a: Real; readonly h: Real; readonly z: Real },
): Advance {
  const dynamics = neurons[population];
  if (dynamics.form === 'linear') {
    const next = new Float64Array(dynamics.states);
    return (drive, from, at, to, psi, row, n) =>
      tangentLinear(h, z, next, drive, psi, dynamics, from, at, to, row, attached ? 1 : 0, n);
  }
  const { form, decay, gain, adaptation } = dynamics;
  const resetGain = attached ? dynamics.resetGain : 0;
  if (form === 'post-then-filter') {
    return (drive, from, _at, to, psi, row, n) => tangentRate(z, drive, psi, from, to, row, decay, gain, n);
  }
  if (!adaptation) {
    return (drive, from, at, to, psi, row, n) =>
      tangentMembrane(v, z, drive, psi, from, at, to, row, decay, gain, resetGain, n);
  }
  const { decay: rho, strength } = adaptation;
  return (drive, from, at, to, psi, row, n) =>
    tangentAdaptive(v, a, z, drive, psi, strength, from, at, to, row, decay, gain, rho, resetGain, n);
}

/** dh = transition dh + input g dI + (own - reset) dz[t-1];  dz = f read . dh.   h: [self][m] from `at` */
function tangentLinear(
  h: Real,
  z: Real,
  next: Real,
  drive: Real,
  psi: Real,
  { states: m, gate, transition, input, own, reset, read }: LinearDynamics,
  from: number,
  at: number,
  to: number,
  row: number,
  attached: 0 | 1,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const first = j * m;
    const slope = psi[row + j];
    const arriving = gate === 'spike' ? drive[from + j] : slope * drive[from + j];
    const spike = z[to + j];
    let sum = 0;
    for (let r = 0; r < m; r++) {
      const s = first + r;
      let value = input[s] * arriving + (own[s] - attached * reset[s]) * spike;
      for (let k = 0; k < m; k++) value += transition[s * m + k] * h[at + first + k];
      next[r] = value;
      sum += read[s] * value;
    }
    for (let r = 0; r < m; r++) h[at + first + r] = next[r];
    z[to + j] = gate === 'spike' ? slope * sum : sum;
  }
}

/** dI_j += sum_i W_ij dz_i.   dI (drive): from `to`, [post]; dz: from `from`, [pre]; w: [syn] */
function addArriving(
  drive: Real,
  w: Real,
  z: Real,
  { nPre, rowStart, post }: NetworkShape['projections'][number]['synapses'],
  to: number,
  from: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const change = z[from + i];
    if (change === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) drive[to + post[s]] += change * w[s];
  }
}

/** dv = decay dv + gain dI - resetGain dz[t-1];  dz = psi dv.   Offsets as in `Advance`. */
function tangentMembrane(
  v: Real,
  z: Real,
  drive: Real,
  psi: Real,
  from: number,
  at: number,
  to: number,
  row: number,
  decay: number,
  gain: number,
  resetGain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const dv = decay * v[at + j] + gain * drive[from + j] - resetGain * z[to + j];
    v[at + j] = dv;
    z[to + j] = psi[row + j] * dv;
  }
}

/** The same with da = rho da + dz[t-1];  dz = psi (dv - adaptBeta da).   strength (adaptBeta): [self] */
function tangentAdaptive(
  v: Real,
  a: Real,
  z: Real,
  drive: Real,
  psi: Real,
  strength: Real,
  from: number,
  at: number,
  to: number,
  row: number,
  decay: number,
  gain: number,
  rho: number,
  resetGain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const da = rho * a[at + j] + z[to + j];
    const dv = decay * v[at + j] + gain * drive[from + j] - resetGain * z[to + j];
    a[at + j] = da;
    v[at + j] = dv;
    z[to + j] = psi[row + j] * (dv - strength[j] * da);
  }
}

/** dz = decay dz + gain psi dI.   Offsets as in `Advance`. */
function tangentRate(
  z: Real,
  drive: Real,
  psi: Real,
  from: number,
  to: number,
  row: number,
  decay: number,
  gain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) z[to + j] = decay * z[to + j] + gain * psi[row + j] * drive[from + j];
}

/** dzBar = kappa dzBar + gain dz.   dzBar at `at`, dz at `from`, [neurons] */
function filterTangent(zBar: Real, z: Real, at: number, from: number, kappa: number, gain: number, n: number): void {
  for (let j = 0; j < n; j++) zBar[at + j] = kappa * zBar[at + j] + gain * z[from + j];
}

/** sum_j L_j x_j.   L: at `to`; x: at `at` */
function inner(L: Real, to: number, x: Real, at: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j++) sum += L[to + j] * x[at + j];
  return sum;
}
