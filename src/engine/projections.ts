import { ConfigError } from '../core/errors.ts';
import type { Real } from '../core/layout.ts';
import type { Projection } from '../core/projection.ts';
import type { Rng } from '../core/rng.ts';

export type Connectivity =
  | { readonly kind: 'dense' }
  /** Every neuron receives exactly `n` synapses from distinct presynaptic neurons. */
  | { readonly kind: 'in-degree'; readonly n: number }
  /** Every pair is connected with probability `p`. */
  | { readonly kind: 'probability'; readonly p: number }
  /** Neuron i to neuron i, of two populations of one size. */
  | { readonly kind: 'one-to-one' }
  /** Pairs at distance d are connected with probability p exp(-d^2 / (2 sigma^2)); d in units of the ring or a side of the grid. */
  | {
      readonly kind: 'distance';
      readonly shape: 'ring' | readonly [rows: number, columns: number];
      readonly sigma: number;
      readonly p: number;
    }
  /** Listed [pre, post], counted from 0. */
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [number, number])[] };

export type WeightInit =
  /** N(0, (gain / sqrt(fan-in))^2); the fan-in is the mean number of synapses of a neuron, the bias not counted. */
  | { readonly kind: 'normal'; readonly gain: number }
  | { readonly kind: 'normal-sd'; readonly sd: number }
  /** Uniform within +- gain sqrt(6 / (fan-in + fan-out)). */
  | { readonly kind: 'glorot-uniform'; readonly gain: number }
  /** gain times an orthogonal matrix, uniformly distributed over them; square dense matrices only. */
  | { readonly kind: 'orthogonal'; readonly gain: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** gain from neuron i to neuron i, 0 elsewhere; dense matrices only. */
  | { readonly kind: 'identity'; readonly gain: number }
  /**
   * m_gj (1 + scatter N(0, 1)) from every cell of group g to neuron j, m_gj ~ N(0, (gain / C)^2), C: mean number of synapses that a neuron has
   * from the group. Groups are those of the input, or a population as one. The sum over a group's cells is then a signal of deviation gain, and
   * cells that fire independently average out, where with independent weights they do not.
   */
  | { readonly kind: 'coherent'; readonly gain: number; readonly scatter: number };

export type Dale =
  | 'excitatory'
  | 'inhibitory'
  | {
      readonly excitatory: number;
      readonly balanced: boolean;
    };

export interface ProjectionShape {
  readonly nPre: number;
  readonly nPost: number;
  /** A last presynaptic unit, beyond nPre, that is always on and reaches every neuron. */
  readonly bias: boolean;
  readonly autapses: boolean;
  readonly connectivity: Connectivity;
  /** Both ends are one population. */
  readonly recurrent: boolean;
  /** The sign of all synapses, or the share of presynaptic neurons that excite; null: synapses of either sign. */
  readonly dale?: Dale | null;
}

/** Synapses are numbered with 32 bits. */
const mostSynapses = 2 ** 31 - 1;
/** Each pair takes a draw of its own; more would take longer than anybody waits, however few of them connect. */
const mostPairs = 2 ** 35;

/**
 * @returns the synapses of a projection, presynaptic-major; masked ones are autapses of a dense matrix.
 * @param path where the shape stands in what the user wrote: `network.recurrent`
 * @throws ConfigError for more synapses than can be numbered, or than a neuron can have
 */
export function buildProjection(shape: ProjectionShape, rng: Rng, path = 'projection'): Projection {
  expectedSynapses(shape, path);
  const rows = shape.connectivity.kind === 'dense' ? denseRows(shape) : sparseRows(shape, rng);
  if (shape.bias) rows.push(Int32Array.from({ length: shape.nPost }, (_, j) => j));
  const rowStart = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) rowStart[i + 1] = rowStart[i] + rows[i].length;
  const post = new Int32Array(rowStart[rows.length]);
  for (let i = 0; i < rows.length; i++) post.set(rows[i], rowStart[i]);
  const dense = shape.connectivity.kind === 'dense';
  const masked = dense && shape.recurrent && !shape.autapses ? diagonal(shape.nPost) : new Int32Array(0);
  const signs = shape.dale ? drawSigns(shape, shape.dale, rng.split('signs')) : null;
  return { nPre: rows.length, nPost: shape.nPost, nSyn: post.length, dense, rowStart, post, masked, signs };
}

/**
 * Signs of neurons drawn from all, with the factor on their first weights; 0 for the bias. Balanced, a share p of them excites
 * with sqrt((1-p) / p) of the size and the others inhibit with sqrt(p / (1-p)).
 */
function drawSigns({ nPre, bias }: ProjectionShape, dale: Dale, rng: Rng): Float64Array {
  const { excitatory, balanced } =
    typeof dale === 'string' ? { excitatory: dale === 'excitatory' ? 1 : 0, balanced: false } : dale;
  const count = Math.round(excitatory * nPre);
  const ratio = balanced && count > 0 && count < nPre ? Math.sqrt((nPre - count) / count) : 1;
  const signs = new Float64Array(nPre + (bias ? 1 : 0)).fill(-1 / ratio, 0, nPre);
  for (const i of distinct(count, nPre, -1, rng)) signs[i] = ratio;
  return signs;
}

/**
 * How many synapses a projection has, or may be expected to have, without its bias.
 * @throws ConfigError for more than can be numbered or drawn, or than a neuron can have
 */
export function expectedSynapses(shape: Omit<ProjectionShape, 'bias'>, path: string): number {
  const { nPre, nPost, connectivity } = shape;
  const at = `${path}.connectivity`;
  checkConnectivity(shape, at);
  const synapses = meanFanIn(connectivity, nPre) * nPost;
  if (synapses > mostSynapses) {
    throw new ConfigError(at, connectivity, `at most ${mostSynapses} synapses, not ${synapses}`);
  }
  if ((connectivity.kind === 'probability' || connectivity.kind === 'distance') && nPre * nPost > mostPairs) {
    const other = '"in-degree" draws only the synapses there are';
    throw new ConfigError(at, connectivity, `at most ${mostPairs} pairs to draw, not ${nPre * nPost}; ${other}`);
  }
  return synapses;
}

function checkConnectivity(
  { nPre, nPost, recurrent, autapses, connectivity }: Omit<ProjectionShape, 'bias'>,
  at: string,
): void {
  const sources = recurrent && !autapses ? nPre - 1 : nPre;
  switch (connectivity.kind) {
    case 'in-degree':
      if (connectivity.n <= sources) return;
      throw new ConfigError(`${at}.n`, connectivity.n, `at most ${sources}, the presynaptic units there are`);
    case 'one-to-one':
      if (nPre === nPost) return;
      throw new ConfigError(
        `${at}.kind`,
        connectivity.kind,
        `as many presynaptic units (${nPre}) as neurons (${nPost})`,
      );
    case 'distance': {
      const { shape } = connectivity;
      if (shape === 'ring') return;
      const places = shape[0] * shape[1];
      if (places === nPre && places === nPost) return;
      throw new ConfigError(`${at}.shape`, shape, `a grid of ${nPre} presynaptic units and ${nPost} neurons`);
    }
    case 'pairs': {
      const odd = connectivity.pairs.findIndex(([i, j]) => i >= nPre || j >= nPost);
      if (odd >= 0) {
        throw new ConfigError(`${at}.pairs.${odd}`, connectivity.pairs[odd], `[pre < ${nPre}, post < ${nPost}]`);
      }
      const seen = new Set<number>();
      connectivity.pairs.forEach(([i, j], place) => {
        if (seen.has(i * nPost + j)) throw new ConfigError(`${at}.pairs.${place}`, [i, j], 'every pair once');
        seen.add(i * nPost + j);
      });
      return;
    }
    default:
      return;
  }
}

/** Synapses of a neuron, on average and at most. */
function meanFanIn(connectivity: Connectivity, nPre: number): number {
  switch (connectivity.kind) {
    case 'in-degree':
      return connectivity.n;
    case 'probability':
      return connectivity.p * nPre;
    case 'one-to-one':
      return 1;
    default:
      return nPre;
  }
}

function denseRows({ nPre, nPost }: ProjectionShape): Int32Array[] {
  const all = Int32Array.from({ length: nPost }, (_, j) => j);
  return Array.from({ length: nPre }, () => all);
}

function sparseRows({ nPre, nPost, recurrent, autapses, connectivity }: ProjectionShape, rng: Rng): Int32Array[] {
  const rows: number[][] = Array.from({ length: nPre }, () => []);
  if (connectivity.kind === 'pairs') {
    for (const [i, j] of connectivity.pairs) rows[i].push(j);
    return rows.map((row) => Int32Array.from(row).sort());
  }
  for (let j = 0; j < nPost; j++) {
    const skip = recurrent && !autapses ? j : -1;
    if (connectivity.kind === 'in-degree') {
      for (const i of distinct(connectivity.n, nPre, skip, rng)) rows[i].push(j);
    } else if (connectivity.kind === 'probability') {
      for (let i = 0; i < nPre; i++) if (i !== skip && rng.bernoulli(connectivity.p)) rows[i].push(j);
    } else if (connectivity.kind === 'one-to-one') rows[j].push(j);
    else if (connectivity.kind === 'distance') {
      const { shape, sigma, p } = connectivity;
      for (let i = 0; i < nPre; i++) {
        const d = distance(i, j, nPre, nPost, shape);
        if (i !== skip && rng.bernoulli(p * Math.exp((-d * d) / (2 * sigma * sigma)))) rows[i].push(j);
      }
    }
  }
  return rows.map((row) => Int32Array.from(row));
}

/** Distance as a share of the ring, or of a side of the grid, the shorter way round. */
function distance(
  i: number,
  j: number,
  nPre: number,
  nPost: number,
  shape: 'ring' | readonly [number, number],
): number {
  const round = (d: number) => Math.min(Math.abs(d), 1 - Math.abs(d));
  if (shape === 'ring') return round(i / nPre - j / nPost);
  const [rows, columns] = shape;
  const down = round((Math.floor(i / columns) - Math.floor(j / columns)) / rows);
  return Math.hypot(down, round(((i % columns) - (j % columns)) / columns));
}

/** n distinct integers of [0, limit), never `skip`, by Floyd's sampling. */
function distinct(n: number, limit: number, skip: number, rng: Rng): Set<number> {
  const chosen = new Set<number>();
  const available = skip < 0 ? limit : limit - 1;
  const name = (index: number) => (skip >= 0 && index >= skip ? index + 1 : index);
  for (let top = available - n; top < available; top++) {
    const pick = name(rng.integer(top + 1));
    chosen.add(chosen.has(pick) ? name(top) : pick);
  }
  return chosen;
}

/** Synapses i -> i of a square dense matrix. */
function diagonal(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, j) => j * n + j);
}

/** A projection whose synapses all have one delay: a part of one whose delays differ, or all of it. */
export interface DelaySlice {
  readonly delay: number;
  readonly synapses: Projection;
  /** Where its synapses stand in the whole; null: it is the whole. */
  readonly places: Int32Array | null;
}

/** @param delays in steps, one for every synapse of the whole, or for all of them @returns none where there are no synapses */
export function sliceByDelay(whole: Projection, delays: number | Int32Array): DelaySlice[] {
  if (typeof delays === 'number') return whole.nSyn === 0 ? [] : [{ delay: delays, synapses: whole, places: null }];
  const distinctDelays = [...new Set(delays)].sort((a, b) => a - b);
  if (distinctDelays.length === 1) return [{ delay: distinctDelays[0], synapses: whole, places: null }];
  const { nPre, nPost, rowStart, post, signs } = whole;
  const masked = new Set(whole.masked);
  return distinctDelays.map((delay): DelaySlice => {
    const places: number[] = [];
    const starts = new Int32Array(nPre + 1);
    for (let i = 0; i < nPre; i++) {
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++) if (delays[s] === delay && !masked.has(s)) places.push(s);
      starts[i + 1] = places.length;
    }
    const targets = Int32Array.from(places, (s) => post[s]);
    const none = new Int32Array(0);
    return {
      delay,
      places: Int32Array.from(places),
      synapses: {
        nPre,
        nPost,
        nSyn: places.length,
        dense: false,
        rowStart: starts,
        post: targets,
        masked: none,
        signs,
      },
    };
  });
}

/** Of `initWeights`. */
export interface InitOptions {
  /** Where the initial distribution stands in the experiment. */
  readonly path?: string;
  /** Sizes of consecutive groups of presynaptic neurons, the bias not counted; all of them as one. */
  readonly groups?: readonly number[];
}

/** Draws weights; the bias row, where there is one, gets `biasValue`; masked synapses stay 0. */
export function initWeights(
  weights: Real,
  p: Projection,
  init: WeightInit,
  bias: number | null,
  rng: Rng,
  options: InitOptions = {},
): void {
  const { path = 'init' } = options;
  const end = bias === null ? p.nSyn : p.rowStart[p.nPre - 1];
  const nPre = bias === null ? p.nPre : p.nPre - 1;
  if (init.kind === 'identity' && !p.dense) {
    throw new ConfigError(`${path}.kind`, init.kind, 'a dense projection, or "one-to-one" with equal weights');
  }
  if (init.kind === 'orthogonal') drawOrthogonal(weights, p, init.gain, rng, path);
  else if (init.kind === 'coherent') drawCoherent(weights, p, options.groups ?? [nPre], init, rng);
  else drawWeights(weights.subarray(0, end), end / p.nPost, end / Math.max(1, nPre), init, rng, path);
  if (bias !== null) weights.subarray(end, p.nSyn).fill(bias);
  if (p.signs) takeSigns(weights, p, p.signs);
  for (const s of p.masked) weights[s] = 0;
}

/** One mean for each group and neuron, drawn first, then the scatter of its synapses in storage order. */
function drawCoherent(
  weights: Real,
  { nPost, rowStart, post }: Projection,
  groups: readonly number[],
  { gain, scatter }: { readonly gain: number; readonly scatter: number },
  rng: Rng,
): void {
  const means = new Float64Array(nPost);
  let first = 0;
  groups.forEach((size, g) => {
    const own = rng.split(g);
    const synapses = rowStart[first + size] - rowStart[first];
    const deviation = synapses === 0 ? 0 : (gain * nPost) / synapses;
    for (let j = 0; j < nPost; j++) means[j] = deviation * own.normal();
    for (let s = rowStart[first]; s < rowStart[first + size]; s++) {
      weights[s] = means[post[s]] * (1 + scatter * own.normal());
    }
    first += size;
  });
}

/** w <- sign |w| of every neuron with a sign. */
function takeSigns(weights: Real, { rowStart }: Projection, signs: Float64Array): void {
  signs.forEach((sign, i) => {
    if (sign !== 0) for (let s = rowStart[i]; s < rowStart[i + 1]; s++) weights[s] = sign * Math.abs(weights[s]);
  });
}

/**
 * Rows of normal numbers, made orthogonal one after the other (Gram and Schmidt, twice for rounding) and of length gain.
 * @throws ConfigError unless the projection is a square dense matrix with autapses
 */
function drawOrthogonal(
  weights: Real,
  { nPre, nPost, dense, masked }: Projection,
  gain: number,
  rng: Rng,
  path: string,
): void {
  if (!dense || nPre !== nPost || masked.length > 0) {
    throw new ConfigError(`${path}.kind`, 'orthogonal', 'a dense recurrent projection with autapses');
  }
  const n = nPost;
  const rows = Array.from({ length: n }, () => Float64Array.from({ length: n }, () => rng.normal()));
  rows.forEach((row, i) => {
    for (let pass = 0; pass < 2; pass++) for (let k = 0; k < i; k++) removePart(row, rows[k]);
    const length = Math.hypot(...row);
    for (let j = 0; j < n; j++) row[j] /= length;
    for (let j = 0; j < n; j++) weights[i * n + j] = gain * row[j];
  });
}

/** x -= (x . e) e.   [n]; |e| = 1 */
function removePart(x: Float64Array, e: Float64Array): void {
  let part = 0;
  for (let j = 0; j < x.length; j++) part += x[j] * e[j];
  for (let j = 0; j < x.length; j++) x[j] -= part * e[j];
}

/** Draws one value per entry, in storage order. */
export function drawWeights(
  weights: Real,
  fanIn: number,
  fanOut: number,
  init: WeightInit,
  rng: Rng,
  path = 'init',
): void {
  if (init.kind === 'identity') {
    for (let s = 0; s < weights.length; s++) weights[s] = Math.floor(s / fanOut) === s % fanOut ? init.gain : 0;
    return;
  }
  const draw = distribution(init, fanIn, fanOut, rng, path);
  for (let s = 0; s < weights.length; s++) weights[s] = draw();
}

function distribution(
  init: Exclude<WeightInit, { readonly kind: 'identity' }>,
  fanIn: number,
  fanOut: number,
  rng: Rng,
  path: string,
): () => number {
  switch (init.kind) {
    case 'normal': {
      const sd = init.gain / Math.sqrt(fanIn);
      return () => sd * rng.normal();
    }
    case 'normal-sd':
      return () => init.sd * rng.normal();
    case 'glorot-uniform': {
      const half = init.gain * Math.sqrt(6 / (fanIn + fanOut));
      return () => half * (2 * rng.uniform() - 1);
    }
    case 'orthogonal':
      throw new ConfigError(`${path}.kind`, init.kind, 'another kind for this matrix: it is not square');
    case 'coherent':
      throw new ConfigError(`${path}.kind`, init.kind, 'another kind for this matrix: only projections have groups');
    case 'constant':
      return () => init.value;
    default:
      return init satisfies never;
  }
}
