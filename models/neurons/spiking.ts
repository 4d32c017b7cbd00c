import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { Field, Layout, Real } from '../../src/core/layout.ts';
import { type Loops, scratchOf } from '../../src/core/loops.ts';
import type {
  CellsKernel,
  LinearDynamics,
  NeuronBinding,
  NeuronContext,
  NeuronInstance,
  NeuronStep,
  ThresholdKernel,
} from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { magnitude, positive, signed } from '../../src/core/schema.ts';
import {
  keptValues,
  mapValues,
  perNeuron,
  resolveDecays,
  resolveValues,
  type Values,
  valuesOf,
} from '../../src/core/values.ts';

/** What the threshold neurons have in common. A parameter may be one number, one for each neuron, or drawn. */
export const spikingParams = {
  membrane: keptValues.default({ tauMs: 20 }).describe('membrane time constant'),
  vTh: valuesOf(positive).default(0.6).describe('baseline threshold, in the unit of the weights'),
  rest: valuesOf(signed).default(0).describe('potential that the membrane leaks to, in the unit of the weights'),
  initial: valuesOf(signed).nullable().default(null).describe('membrane before the first step; null: at rest'),
  gamma: valuesOf(positive).default(0.3).describe('height of the pseudo-derivative, in units of 1/vTh'),
  psiHeight: valuesOf(positive).optional().describe('height of the pseudo-derivative itself; default gamma / vTh'),
  psiWidth: valuesOf(positive).optional().describe('half width of the pseudo-derivative; default vTh'),
  psiLevels: z
    .number()
    .int()
    .min(2)
    .max(65536)
    .nullable()
    .default(null)
    .describe(
      'values of the pseudo-derivative, 0 and its height included: each is rounded to the nearest; null: smooth',
    ),
  psiSteps: z
    .strictObject({ edges: z.array(signed), heights: z.array(signed) })
    .refine(({ edges, heights }) => heights.length === edges.length + 1, 'one height more than edges')
    .refine(({ edges }) => edges.every((edge, m) => m === 0 || edge > edges[m - 1]), 'edges that ascend')
    .nullable()
    .default(null)
    .describe(
      'a staircase instead of the triangle: height m up to edge m of v less its threshold, the last one beyond',
    ),
  nRef: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0)
    .describe('a spike blocks the next nRef - 1 steps'),
  inputScale: z.enum(['1', '1-alpha']).default('1').describe('factor on the input current'),
  reset: z.enum(['subtract', 'zero']).default('subtract').describe('what a spike does to the membrane one step later'),
  resetBy: valuesOf(magnitude).optional().describe('what "subtract" subtracts; default vTh, 0 for no reset'),
  resetTo: valuesOf(signed).optional().describe('where "zero" sets the membrane before it decays; default 0'),
  fires: z.enum(['>', '>=']).default('>').describe('comparison with the threshold'),
};

/** Parameters of `spikingParams` as their schemas give them. */
export interface SpikingParams {
  readonly membrane: z.output<typeof keptValues>;
  readonly vTh: Values;
  readonly rest: Values;
  readonly initial: Values | null;
  readonly gamma: Values;
  readonly psiHeight?: Values | undefined;
  readonly psiWidth?: Values | undefined;
  readonly psiLevels: number | null;
  readonly psiSteps: PsiSteps | null;
  readonly nRef: number;
  readonly inputScale: '1' | '1-alpha';
  readonly reset: 'subtract' | 'zero';
  readonly resetBy?: Values | undefined;
  readonly resetTo?: Values | undefined;
  readonly fires: '>' | '>=';
}

type Each = number | Float64Array;

/** Constants of a population, a number where all neurons have the same. */
interface Cells {
  readonly decay: Each;
  readonly gain: Each;
  readonly vTh: Each;
  readonly rest: Each;
  readonly initial: Each;
  /** What a spike takes from the membrane in the next step, beside all that is left of it where it is set to a value. */
  readonly jump: Each;
  readonly psiHeight: Each;
  readonly psiWidth: Each;
  /** Decay of the adaptation, and its strength. [self] */
  readonly adaptation: { readonly decay: Each; readonly strength: Float64Array } | null;
  /** Decay of the synaptic current; null: input reaches the membrane in its own step. */
  readonly synapse: Each | null;
}

/** What a kind of neuron has beside a membrane and a threshold. */
export type Beside = Pick<Cells, 'adaptation' | 'synapse'>;

type OptionalValues = 'psiHeight' | 'psiWidth' | 'initial' | 'resetBy' | 'resetTo';
type Range = readonly [valid: (value: number) => boolean, range: string];
const above0: Range = [(value) => value > 0, 'a number > 0'];
const anyNumber: Range = [() => true, 'a number'];
const rangesOf: Readonly<Record<OptionalValues, Range>> = {
  psiHeight: above0,
  psiWidth: above0,
  initial: anyNumber,
  resetBy: [(value) => value >= 0, 'a number >= 0'],
  resetTo: anyNumber,
};

function cellsOf(p: SpikingParams, { dtMs, size, path, rng }: NeuronContext, beside: Beside): Cells {
  const number = (name: 'vTh' | 'rest' | 'gamma', valid: (value: number) => boolean, range: string) =>
    resolveValues(p[name], size, rng.split(name), `${path}.${name}`, valid, range);
  const any = () => true;
  const above = (value: number) => value > 0;
  const decay = resolveDecays(p.membrane, size, dtMs, rng.split('membrane'), `${path}.membrane`);
  const vTh = number('vTh', above, 'a threshold > 0');
  const rest = number('rest', any, 'a number');
  const gamma = number('gamma', above, 'a height > 0');
  const given = (name: OptionalValues, otherwise: Each): Each => {
    const values = p[name];
    if (values === undefined || values === null) return otherwise;
    const [valid, range] = rangesOf[name];
    return resolveValues(values, size, rng.split(name), `${path}.${name}`, valid, range);
  };
  const gain = p.inputScale === '1' ? 1 : mapValues(decay, (alpha) => 1 - alpha);
  if (perNeuron(gain, size).includes(0)) {
    throw new ConfigError(`${path}.inputScale`, p.inputScale, '"1" where a membrane does not leak');
  }
  const other = p.reset === 'subtract' ? 'resetTo' : 'resetBy';
  if (p[other] !== undefined) throw new ConfigError(`${path}.${other}`, p[other], `none beside reset "${p.reset}"`);
  return {
    decay,
    gain,
    vTh,
    rest,
    initial: given('initial', rest),
    jump:
      p.reset === 'subtract'
        ? given('resetBy', vTh)
        : p.resetTo === undefined
          ? 0
          : combine(decay, given('resetTo', 0), (alpha, value) => -alpha * value),
    psiHeight: given(
      'psiHeight',
      combine(gamma, vTh, (height, threshold) => height / threshold),
    ),
    psiWidth: given('psiWidth', vTh),
    ...beside,
  };
}

function combine(a: Each, b: Each, f: (a: number, b: number) => number): Each {
  if (typeof a === 'number' && typeof b === 'number') return f(a, b);
  const length = typeof a === 'number' ? (b as Float64Array).length : a.length;
  const [x, y] = [perNeuron(a, length), perNeuron(b, length)];
  return x.map((value, j) => f(value, y[j]));
}

function layoutOf({ decay, initial, adaptation, synapse }: Cells): Layout {
  const field = (unit: string, doc: string, facts: Partial<Field> = {}): Field => {
    return { shape: ['stream', 'self'], home: 'post', unit, doc, ...facts };
  };
  return {
    v: field('weight', 'membrane potential', { decay, ...(initial === 0 ? {} : { initial }) }),
    refractory: field('steps', 'blocked while > 0'),
    ...(adaptation ? { a: field('spikes', 'adaptation', { decay: adaptation.decay }) } : {}),
    ...(synapse === null ? {} : { i: field('weight', 'synaptic current', { decay: synapse }) }),
  };
}

/** A threshold neuron of any kind. */
export function deriveSpiking(p: SpikingParams, context: NeuronContext, beside: Beside): NeuronInstance {
  const { size } = context;
  const cells = cellsOf(p, context, beside);
  const { adaptation, vTh } = cells;
  if (p.psiLevels !== null && typeof cells.psiHeight !== 'number') {
    throw new ConfigError(
      `${context.path}.psiLevels`,
      p.psiLevels,
      'null where the pseudo-derivative differs from neuron to neuron',
    );
  }
  const alike = uniform(p, cells, context.path);
  const baseline = perNeuron(vTh, size);
  return {
    layout: layoutOf(cells),
    eligibility: alike ? closedDynamics(alike) : linearDynamics(p, cells, size),
    membrane: 'v',
    nRef: p.nRef,
    triangle: p.psiLevels === null && p.psiSteps === null ? { slope: slopeOf(cells, size), peak: 0.5 } : null,
    kernel: alike
      ? thresholdKernel(p, alike)
      : cells.jump === plainJump(p, vTh)
        ? cellsKernel(p, eachOf(cells, size))
        : null,
    threshold: (state, b, out) => {
      if (adaptation) raise(out, state.a, adaptation.strength, b * size, baseline, size);
      else out.set(baseline);
    },
    bind: (binding) => (alike ? bindAlike(binding, p, alike) : bindEach(binding, p, cells, size, context.path)),
  };
}

/** How steeply the triangle falls on both sides. [self] */
function slopeOf({ psiHeight, psiWidth }: Cells, size: number): Float64Array {
  return perNeuron(
    combine(psiHeight, psiWidth, (height, width) => height / width),
    size,
  );
}

/** A population of the same constants, but for the strength of the adaptation. */
interface Alike {
  readonly decay: number;
  readonly gain: number;
  readonly vTh: number;
  readonly constants: FireConstants;
  readonly adaptation: { readonly decay: number; readonly strength: Float64Array } | null;
  readonly resetGain: number;
}

/** That of a neuron that loses its threshold, or all. */
const plainJump = ({ reset }: SpikingParams, vTh: Each): Each => (reset === 'subtract' ? vTh : 0);

/** null where neurons differ, leak to somewhere else than 0, are reset by something else than their threshold or to 0, or filter their input first. */
function uniform(p: SpikingParams, cells: Cells, path: string): Alike | null {
  const { decay, gain, vTh, rest, jump, psiHeight, psiWidth, adaptation, synapse } = cells;
  const all = [decay, gain, vTh, jump, psiHeight, psiWidth, adaptation?.decay ?? 0];
  if (jump !== plainJump(p, vTh)) return null;
  if (rest !== 0 || synapse !== null || all.some((value) => typeof value !== 'number')) return null;
  const heights = { psiHeight: psiHeight as number, psiWidth: psiWidth as number };
  return {
    decay: decay as number,
    gain: gain as number,
    vTh: vTh as number,
    constants: fireConstants({ ...p, ...heights }, path),
    adaptation: adaptation && { decay: adaptation.decay as number, strength: adaptation.strength },
    resetGain: p.reset === 'subtract' ? (vTh as number) : 0,
  };
}

function closedDynamics({ decay, gain, adaptation, resetGain }: Alike): NeuronInstance['eligibility'] {
  return { form: 'filter-then-post', decay, gain, adaptation, resetGain };
}

/** States: the membrane; then the adaptation, the synaptic current, where there are any. */
function linearDynamics(p: SpikingParams, cells: Cells, n: number): LinearDynamics {
  const { decay, gain, jump, adaptation, synapse } = cells;
  const m = 1 + (adaptation ? 1 : 0) + (synapse === null ? 0 : 1);
  const zeros = (length: number) => new Float64Array(n * length);
  const [transition, input, own, reset, read] = [zeros(m * m), zeros(m), zeros(m), zeros(m), zeros(m)];
  const [alpha, zeta, taken] = [decay, gain, jump].map((value) => perNeuron(value, n));
  const rho = perNeuron(adaptation?.decay ?? 0, n);
  const sigma = perNeuron(synapse ?? 0, n);
  for (let j = 0; j < n; j++) {
    const at = j * m;
    transition[at * m] = alpha[j];
    input[at] = zeta[j];
    read[at] = 1;
    if (p.reset === 'subtract') reset[at] = taken[j];
    if (adaptation) {
      transition[(at + 1) * m + 1] = rho[j];
      own[at + 1] = 1;
      read[at + 1] = -adaptation.strength[j];
    }
    if (synapse !== null) {
      const last = m - 1;
      transition[(at + last) * m + last] = sigma[j];
      transition[at * m + last] = zeta[j] * sigma[j];
      input[at + last] = 1;
    }
  }
  return { form: 'linear', states: m, gate: 'spike', transition, input, own, reset, read };
}

function bindAlike(
  { sizes, state, z, psi, current, loops: given }: NeuronBinding,
  p: SpikingParams,
  { decay, gain, vTh, constants, adaptation }: Alike,
): NeuronStep {
  const { self: n } = sizes;
  const { v, refractory, a } = state;
  const loops = { ...spikingLoops, ...given };
  const threshold = scratchOf(given)(n);
  threshold.fill(vTh);
  const { integrateSubtract: subtract, integrateToZero: toZero } = loops;
  const subtracts = p.reset === 'subtract';
  return (b, t) => {
    const at = b * n;
    const to = rowAt(z, b, t);
    const before = rowAt(z, b, t - 1);
    if (adaptation) adapt(a, z.data, at, before, adaptation.decay, n);
    if (subtracts) subtract(v, z.data, current, at, before, decay, gain, vTh, n);
    else toZero(v, z.data, current, at, before, decay, gain, n);
    if (adaptation) raiseFrom(threshold, a, adaptation.strength, at, vTh, n);
    fire(z.data, psi.data, refractory, v, threshold, to, rowAt(psi, b, t), at, constants, loops, n);
  };
}

/** Constants of every neuron. [self] each */
function eachOf({ decay, gain, vTh, rest, jump, psiHeight, psiWidth, adaptation, synapse }: Cells, size: number) {
  const [alpha, zeta, baseline, taken, height, width] = [decay, gain, vTh, jump, psiHeight, psiWidth].map((value) =>
    perNeuron(value, size),
  );
  return {
    decay: alpha,
    gain: zeta,
    leak: perNeuron(rest, size).map((value, j) => (1 - alpha[j]) * value),
    vTh: baseline,
    jump: taken,
    psiHeight: height,
    psiWidth: width,
    adaptation: adaptation && { decay: perNeuron(adaptation.decay, size), strength: adaptation.strength },
    synapse: synapse === null ? null : perNeuron(synapse, size),
  };
}

/** Every neuron by its own constants. */
function bindEach(
  { sizes, state, z, psi, current }: NeuronBinding,
  p: SpikingParams,
  cells: Cells,
  size: number,
  path: string,
): NeuronStep {
  const { self: n } = sizes;
  const { v, refractory, a, i } = state;
  const each = eachOf(cells, size);
  const { decay, gain, leak, vTh, jump, psiHeight: height, psiWidth: width, adaptation, synapse: sigma } = each;
  const threshold = new Float64Array(n);
  const drive = new Float64Array(n);
  const psiHeight = typeof cells.psiHeight === 'number' ? cells.psiHeight : 1;
  const constants = fireConstants({ ...p, psiHeight, psiWidth: 1 }, path);
  const loops = { triangle: triangleEach(height, width), emit: spikingLoops.emit };
  const subtracts = p.reset === 'subtract';
  return (b, t) => {
    const at = b * n;
    const before = rowAt(z, b, t - 1);
    if (adaptation) adaptEach(a, z.data, at, before, adaptation.decay, n);
    if (sigma) filterInput(i, drive, current, sigma, at, n);
    const arriving = sigma ? drive : current;
    if (subtracts) subtractEach(v, z.data, arriving, leak, at, before, decay, gain, jump, n);
    else toValueEach(v, z.data, arriving, leak, at, before, decay, gain, jump, n);
    if (adaptation) raise(threshold, a, adaptation.strength, at, vTh, n);
    else threshold.set(vTh);
    const row = rowAt(psi, b, t);
    fire(z.data, psi.data, refractory, v, threshold, rowAt(z, b, t), row, at, constants, loops, n);
  };
}

/** i[t] = sigma i[t-1] + I[t], which is the drive of the membrane.   i: [stream][self] at `at` */
function filterInput(i: Real, drive: Real, current: Real, sigma: Real, at: number, n: number): void {
  for (let j = 0; j < n; j++) {
    i[at + j] = sigma[j] * i[at + j] + current[j];
    drive[j] = i[at + j];
  }
}

/** a[t] = rho a[t-1] + z[t-1].   a: [stream][self] at `at`, z: row t-1 at `prev` */
function adapt(a: Real, z: Real, at: number, prev: number, rho: number, n: number): void {
  for (let j = 0; j < n; j++) a[at + j] = rho * a[at + j] + z[prev + j];
}

function adaptEach(a: Real, z: Real, at: number, prev: number, rho: Real, n: number): void {
  for (let j = 0; j < n; j++) a[at + j] = rho[j] * a[at + j] + z[prev + j];
}

/** A[t] = vTh + adaptBeta a[t].   threshold, vTh, adaptBeta: [self], a: [stream][self] at `at` */
function raise(threshold: Real, a: Real, strength: Real, at: number, vTh: Real, n: number): void {
  for (let j = 0; j < n; j++) threshold[j] = vTh[j] + strength[j] * a[at + j];
}

/** The same with one vTh for all. */
function raiseFrom(threshold: Real, a: Real, strength: Real, at: number, vTh: number, n: number): void {
  for (let j = 0; j < n; j++) threshold[j] = vTh + strength[j] * a[at + j];
}

/** v[t] = decay v[t-1] + leak + gain I[t] - jump z[t-1], each neuron by its own constants [self]. */
function subtractEach(
  v: Real,
  z: Real,
  current: Real,
  leak: Real,
  at: number,
  prev: number,
  decay: Real,
  gain: Real,
  jump: Real,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    v[at + j] = decay[j] * v[at + j] + leak[j] + gain[j] * current[j] - jump[j] * z[prev + j];
  }
}

/** v[t] = decay v[t-1] (1 - z[t-1]) + leak + gain I[t] - jump z[t-1]. */
function toValueEach(
  v: Real,
  z: Real,
  current: Real,
  leak: Real,
  at: number,
  prev: number,
  decay: Real,
  gain: Real,
  jump: Real,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    v[at + j] = decay[j] * v[at + j] * (1 - z[prev + j]) + leak[j] + gain[j] * current[j] - jump[j] * z[prev + j];
  }
}

/** psi = height max(0, 1 - |v - A| / width), 0 while refractory, each neuron by its own.   Shapes as in `fire`. */
function triangleEach(height: Real, width: Real): Loops['triangle'] {
  return (psi, refractory, v, threshold, row, at, _height, _width, n) => {
    for (let j = 0; j < n; j++) {
      const open = refractory[at + j] > 0 ? 0 : 1;
      psi[row + j] = open * height[j] * Math.max(0, 1 - Math.abs(v[at + j] - threshold[j]) / width[j]);
    }
  };
}

/** What `fire` needs beside its arrays. */
export interface FireConstants {
  readonly psiHeight: number;
  readonly psiWidth: number;
  readonly nRef: number;
  readonly orEqual: boolean;
  readonly psiLevels: number | null;
  readonly psiSteps: PsiSteps | null;
}

/** psi is `heights[m]` for the first m with v - A < `edges[m]`, else the last one. */
export interface PsiSteps {
  readonly edges: readonly number[];
  readonly heights: readonly number[];
}

export function fireConstants(
  p: Pick<SpikingParams, 'nRef' | 'fires' | 'psiLevels' | 'psiSteps'> & {
    readonly psiHeight: number;
    readonly psiWidth: number;
  },
  path: string,
): FireConstants {
  const { psiHeight, psiWidth, nRef, fires, psiLevels, psiSteps } = p;
  if (psiSteps && psiLevels !== null) throw new ConfigError(`${path}.psiLevels`, psiLevels, 'null beside psiSteps');
  return { psiHeight, psiWidth, nRef, orEqual: fires === '>=', psiLevels, psiSteps };
}

/** The same neuron for backends with a kernel of their own; none has one for any staircase. */
function thresholdKernel(
  { reset }: SpikingParams,
  { decay, gain, vTh, constants, adaptation }: Alike,
): ThresholdKernel | null {
  const { psiSteps, ...rest } = constants;
  if (psiSteps) return null;
  return { name: 'threshold', decay, gain, vTh, ...rest, resetToZero: reset === 'zero', adaptation };
}

/** The same of neurons each by its own constants. */
function cellsKernel(
  { reset, nRef, fires, psiLevels, psiSteps }: SpikingParams,
  each: ReturnType<typeof eachOf>,
): CellsKernel | null {
  if (psiSteps) return null;
  const { jump: _, ...constants } = each;
  return { name: 'cells', ...constants, nRef, orEqual: fires === '>=', resetToZero: reset === 'zero', psiLevels };
}

/** v[t] = decay v[t-1] + gain I[t] - vTh z[t-1].   v: [stream][self] at `at`, z: row t-1 at `prev`, current: [self] */
const integrateSubtract: Loops['integrateSubtract'] = (v, z, current, at, prev, decay, gain, vTh, n) => {
  for (let j = 0; j < n; j++) v[at + j] = decay * v[at + j] + gain * current[j] - vTh * z[prev + j];
};

/** v[t] = decay v[t-1] (1 - z[t-1]) + gain I[t].   Shapes as above. */
const integrateToZero: Loops['integrateToZero'] = (v, z, current, at, prev, decay, gain, n) => {
  for (let j = 0; j < n; j++) v[at + j] = decay * v[at + j] * (1 - z[prev + j]) + gain * current[j];
};

/**
 * z[t] = [v > A and not refractory];  psi[t] = height max(0, 1 - |v - A| / width), 0 while refractory;
 * r[t+1] = clip(r[t] + nRef z[t] - 1, 0, nRef).   With levels the triangle is rounded to the nearest of them; 3 levels are the
 * five steps of ReckOn's staircase about the threshold, `psiSteps` any other.
 * z: row t at `to`; psi: row t at `row`; v, refractory: [stream][self] at `at`; threshold A: [self]
 */
export function fire(
  z: Real,
  psi: Real,
  refractory: Real,
  v: Real,
  threshold: Real,
  to: number,
  row: number,
  at: number,
  c: FireConstants,
  loops: Pick<Loops, 'triangle' | 'emit'>,
  n: number,
): void {
  const { psiHeight, psiWidth, nRef, orEqual, psiLevels, psiSteps } = c;
  if (psiSteps) staircase(psi, refractory, v, threshold, row, at, psiSteps, n);
  else loops.triangle(psi, refractory, v, threshold, row, at, psiHeight, psiWidth, n);
  if (psiLevels !== null) roundToLevels(psi, row, psiHeight, psiLevels, n);
  loops.emit(z, refractory, v, threshold, to, at, nRef, orEqual, n);
}

/** z = [v > A and not refractory], with `orEqual` also at the threshold;  r = clip(r + nRef z - 1, 0, nRef).   Shapes as above. */
const emit: Loops['emit'] = (z, refractory, v, threshold, to, at, nRef, orEqual, n) => {
  for (let j = 0; j < n; j++) {
    const blocked = refractory[at + j];
    const above = v[at + j] - threshold[j];
    const open = blocked > 0 ? 0 : 1;
    const spike = above > 0 || (orEqual && above === 0) ? open : 0;
    z[to + j] = spike;
    refractory[at + j] = Math.min(Math.max(blocked + nRef * spike - 1, 0), nRef);
  }
};

/** psi = height max(0, 1 - |v - A| / width), 0 while refractory.   Shapes as above. */
const triangle: Loops['triangle'] = (psi, refractory, v, threshold, row, at, height, width, n) => {
  for (let j = 0; j < n; j++) {
    const open = refractory[at + j] > 0 ? 0 : 1;
    psi[row + j] = open * height * Math.max(0, 1 - Math.abs(v[at + j] - threshold[j]) / width);
  }
};

/** psi = heights[m] of the first m with v - A < edges[m], 0 while refractory.   Shapes as above. */
function staircase(
  psi: Real,
  refractory: Real,
  v: Real,
  threshold: Real,
  row: number,
  at: number,
  { edges, heights }: PsiSteps,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    let m = 0;
    while (m < edges.length && v[at + j] - threshold[j] >= edges[m]) m++;
    psi[row + j] = refractory[at + j] > 0 ? 0 : heights[m];
  }
}

/** psi = height round((levels - 1) psi / height) / (levels - 1), halves up.   psi: [self] at `row` */
function roundToLevels(psi: Real, row: number, height: number, levels: number, n: number): void {
  const highest = levels - 1;
  for (let j = 0; j < n; j++) psi[row + j] = (height * Math.floor((highest * psi[row + j]) / height + 0.5)) / highest;
}

/** The inner loops of the threshold neurons. */
export const spikingLoops = { integrateSubtract, integrateToZero, triangle, emit };
