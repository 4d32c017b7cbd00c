import { UnsupportedError } from '../core/errors.ts';
import type { Convention } from './convention.ts';
import type { LinearMap } from './maps.ts';
import { type Arriving, approximations, inputSource, type Unit, type UnitGraph } from './network.ts';

/** Weights of a projection or readout, [pre][post] whole or one for each listed pair; or of a bias, [post]. */
export interface NirWeights {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** Of a sparse projection, by presynaptic neuron. */
  readonly sparse: { readonly rowStart: Int32Array; readonly post: Int32Array } | null;
}

/** Where the engine has what a node of the file gives, and how it differs. */
export interface Place {
  readonly population: string | null;
  readonly readout: string | null;
  /** The output of the file at step t is that of the engine at step t - lag. */
  readonly lag: number;
  /** Whether the node has spikes; v alone otherwise. */
  readonly spikes: boolean;
  /** v of the file after a spike, from that of the engine: v - by, or to. */
  readonly after: { readonly by: Float64Array } | { readonly to: Float64Array } | null;
}

/** A network of ours that says what a NIR graph says. */
export interface NirExperiment {
  /** `network` of a configuration. */
  readonly network: {
    readonly dtMs: number;
    readonly populations: Record<string, Record<string, unknown>>;
    readonly projections: Record<string, Record<string, unknown>>;
    readonly readouts: Record<string, Record<string, unknown>>;
  };
  /** By the name of the projection, the readout, or of either with .bias. */
  readonly weights: ReadonlyMap<string, NirWeights>;
  readonly places: ReadonlyMap<string, Place>;
  readonly nIn: number;
  readonly nOut: number;
  /** What is not as in the file, or what it means for learning, in words. */
  readonly notes: readonly string[];
}

/** The experiment that a graph of units stands for. @throws UnsupportedError for an output that no readout can be */
export function experimentOf(graph: UnitGraph, convention: Convention): NirExperiment {
  return new Building(graph, convention).result();
}

class Building {
  readonly #graph: UnitGraph;
  readonly #convention: Convention;
  readonly #dtMs: number;
  readonly #names = new Set<string>(['input']);
  readonly #populations: NirExperiment['network']['populations'] = {};
  readonly #projections: NirExperiment['network']['projections'] = {};
  readonly #readouts: NirExperiment['network']['readouts'] = {};
  readonly #weights = new Map<string, NirWeights>();
  readonly #places = new Map<string, Place>();
  readonly #notes: string[];
  /** Population that gives what a unit gives, and its place in the order. */
  readonly #sources = new Map<string, string>();

  constructor(graph: UnitGraph, convention: Convention) {
    this.#graph = graph;
    this.#convention = convention;
    this.#dtMs = convention.stepMs ?? convention.dt * 1000;
    this.#notes = [...graph.notes];
  }

  result(): NirExperiment {
    const { units, outputs, nIn } = this.#graph;
    const asReadout = new Map(outputs.map((output) => [output.name, this.#readoutUnit(output)]));
    const readouts = new Set([...asReadout.values()].map((unit) => unit?.name));
    const populations = units.filter(({ name }) => !readouts.has(name));
    for (const unit of populations) this.#sources.set(unit.name, this.#named(unit.name));
    for (const unit of populations) this.#population(unit);
    let first = 0;
    for (const output of outputs) {
      this.#readout(output, asReadout.get(output.name) ?? null, first, outputs.length > 1);
      first += output.size;
    }
    return {
      network: {
        dtMs: this.#dtMs,
        populations: this.#populations,
        projections: this.#projections,
        readouts: this.#readouts,
      },
      weights: this.#weights,
      places: this.#places,
      nIn,
      nOut: first,
      notes: this.#notes,
    };
  }

  /** A name that a configuration may have, and that no other part has. */
  #named(name: string): string {
    const plain = name.replace(/[^A-Za-z0-9_-]/gu, '_');
    const base = (/^[A-Za-z]/u.test(plain) ? plain : `n${plain}`).slice(0, 58);
    let unique = base;
    for (let k = 2; this.#names.has(unique); k++) unique = `${base}_${k}`;
    this.#names.add(unique);
    return unique;
  }

  #population(unit: Unit): void {
    const { name, cells, threshold, size, arriving, lag, membrane } = unit;
    const population = this.#sources.get(name) as string;
    const synapse = cells?.synapse ?? null;
    const integrates = cells !== null && !cells.fires && threshold === null;
    // An integrator behind another one is two populations.
    const first = integrates && synapse ? this.#named(`${name}_synapse`) : population;
    const gain = cells?.gain ?? ones(size);
    const factor = synapse ? gain.map((value, j) => value * synapse.gain[j]) : gain;
    const constant = synapse ? synapse.leak.map((value, j) => value * gain[j]) : new Float64Array(size);
    const leak = cells?.leak ?? new Float64Array(size);
    if (integrates && cells) {
      if (synapse) {
        this.#populations[first] = { size, neuron: integrator(synapse.s), ...currentOf(constant) };
        this.#oneToOne(first, population, size);
      }
      const drive = synapse ? leak : leak.map((value, j) => value + constant[j]);
      this.#populations[population] = { size, neuron: integrator(cells.a), ...currentOf(drive) };
    } else {
      this.#populations[population] = { size, neuron: neuronOf(unit, this.#convention), ...currentOf(constant) };
    }
    this.#connect(first, arriving, factor);
    const spikes = !integrates;
    const { fires } = cells ?? {};
    const after =
      fires && fires.when === 'same-step' ? (fires.subtracts ? { by: fires.threshold } : { to: fires.reset }) : null;
    this.#places.set(name, { population, readout: null, lag, spikes, after });
    if (membrane !== null && membrane !== name) {
      this.#places.set(membrane, { population, readout: null, lag: 0, spikes: false, after: null });
    }
  }

  #oneToOne(from: string, to: string, size: number): void {
    const name = this.#named(`${from}-${to}`);
    this.#projections[name] = {
      from,
      to,
      connectivity: { kind: 'one-to-one' },
      init: { kind: 'constant', value: 1 },
      autapses: true,
      delayMs: 0,
      plastic: false,
    };
    const rowStart = Int32Array.from({ length: size + 1 }, (_, i) => i);
    const post = rowStart.slice(0, size);
    this.#weights.set(name, { shape: [size], values: ones(size), sparse: { rowStart, post } });
  }

  /** Projections and bias of a population, with the gain of its input in the weights. */
  #connect(to: string, { paths, offset, fixed }: Arriving, factor: Float64Array): void {
    for (const [source, byDelay] of paths) {
      const from = source === inputSource ? 'input' : (this.#sources.get(source) as string);
      for (const delays of apart(byDelay)) this.#projection(from, to, delays, factor, fixed);
    }
    if (offset.every((value) => value === 0)) return;
    const bias = Array.from(offset, (value, j) => value * factor[j]);
    const population = this.#populations[to];
    if (fixed) population.current = sumOf(population.current, bias);
    else population.bias = simple(bias);
  }

  #projection(
    from: string,
    to: string,
    byDelay: ReadonlyMap<number, LinearMap>,
    factor: Float64Array,
    fixed: boolean,
  ): void {
    const maps = [...byDelay.values()];
    const { nIn, nOut } = maps[0];
    const matrix = new Float64Array(nIn * nOut);
    const steps = new Float64Array(nIn * nOut).fill(-1);
    for (const [delay, map] of byDelay) {
      for (let j = 0; j < nOut; j++) {
        for (let s = map.rowStart[j]; s < map.rowStart[j + 1]; s++) {
          matrix[map.pre[s] * nOut + j] = map.weight[s] * factor[j];
          steps[map.pre[s] * nOut + j] = delay;
        }
      }
    }
    const name = this.#named(`${from}-${to}`);
    const dense = !steps.includes(-1);
    const recurrent = from === to;
    const diagonal = recurrent ? Array.from({ length: nIn }, (_, i) => matrix[i * nOut + i]) : [];
    const pairs: [number, number][] = [];
    for (let s = 0; !dense && s < steps.length; s++) {
      if (steps[s] >= 0) pairs.push([Math.floor(s / nOut), s % nOut]);
    }
    const ms = (delay: number) => Math.max(delay, 0) * this.#dtMs;
    this.#projections[name] = {
      from,
      to,
      connectivity: dense ? { kind: 'dense' } : { kind: 'pairs', pairs },
      autapses: !recurrent || !dense || diagonal.some((weight) => weight !== 0),
      delayMs:
        byDelay.size === 1
          ? ms([...byDelay.keys()][0])
          : { kind: 'list', values: Array.from(steps, (delay) => ms(delay < 0 ? Math.max(...byDelay.keys()) : delay)) },
      plastic: !fixed,
    };
    this.#weights.set(
      name,
      dense ? { shape: [nIn, nOut], values: matrix, sparse: null } : sparseOf(matrix, pairs, nIn, nOut),
    );
  }

  /** An LI that can be a readout: nothing else gets it, its neurons are alike and begin and leak to 0, and all that reaches it takes as long. */
  #readoutUnit({ name, size, arriving }: UnitGraph['outputs'][number]): Unit | null {
    const [[source, byDelay] = [inputSource, new Map<number, LinearMap>()], ...others] = arriving.paths;
    const unit = this.#graph.units.find((candidate) => candidate.name === source);
    const [[delay, map] = [1, undefined], ...more] = byDelay;
    if (
      !unit?.cells ||
      unit.cells.fires ||
      unit.threshold ||
      unit.cells.synapse ||
      others.length + more.length + delay > 0
    )
      return null;
    if (!map || unit.size !== size || arriving.offset.some((value) => value !== 0) || !isIdentity(map)) return null;
    const { a, leak } = unit.cells;
    const readers = [...this.#graph.units, ...this.#graph.outputs].filter((part) => part.arriving.paths.has(source));
    const alike = a.every((value) => value === a[0]) && a[0] < 1 && leak.every((value) => value === 0);
    const biased = unit.arriving.offset.some((value) => value !== 0);
    const constant = biased && !this.#graph.allowed.has('readout-bias');
    if (biased && !constant) this.#notes.push(`"${unit.name}": ${approximations['readout-bias']}, as asked for`);
    if (readers.length !== 1 || !alike || constant || !readable(unit.arriving)) {
      this.#notes.push(
        `"${unit.name}" stays a population behind which the readout of "${name}" stands: a readout has one time constant, no leak, no bias that it filters, and reads spikes of one delay; rules that are local give what is before it no credit${constant ? '; --allow readout-bias lets the bias come behind the filter' : ''}`,
      );
      return null;
    }
    return unit;
  }

  #readout(
    { name, size, arriving }: UnitGraph['outputs'][number],
    unit: Unit | null,
    first: number,
    several: boolean,
  ): void {
    const read = unit ? unit.arriving : arriving;
    const readout = this.#named(name);
    if (!readable(read)) {
      throw new UnsupportedError(`"${name}" gives the input, or spikes of several delays: a neuron or an LI before it`);
    }
    const sources = [...this.#sources].filter(([source]) => read.paths.has(source));
    const lag = [...(read.paths.get(sources[0][0])?.keys() ?? [])][0];
    const rows: number[] = [];
    for (const [source] of sources) {
      const map = [...(read.paths.get(source) as ReadonlyMap<number, LinearMap>).values()][0];
      const matrix = new Float64Array(map.nIn * size);
      for (let k = 0; k < size; k++) {
        for (let s = map.rowStart[k]; s < map.rowStart[k + 1]; s++)
          matrix[map.pre[s] * size + k] = map.weight[s] * (unit?.cells?.gain[k] ?? 1);
      }
      for (const weight of matrix) rows.push(weight);
    }
    const bias = read.offset.some((value) => value !== 0) || !isOnlyIdentity(read);
    this.#readouts[readout] = {
      from: sources.map(([, population]) => population),
      readout: { kind: 'leaky', filter: { decay: unit?.cells?.a[0] ?? 0 }, scale: '1', bias },
      ...(several ? { outputs: Array.from({ length: size }, (_, k) => first + k) } : {}),
    };
    this.#weights.set(readout, { shape: [rows.length / size, size], values: Float64Array.from(rows), sparse: null });
    // What a constant input comes to behind the filter.
    const comesTo = unit?.cells ? unit.cells.gain.map((gain, k) => gain / (1 - (unit.cells?.a[k] ?? 0))) : ones(size);
    const values = read.offset.map((value, k) => value * comesTo[k]);
    if (bias) this.#weights.set(`${readout}.bias`, { shape: [size], values, sparse: null });
    this.#places.set(unit?.name ?? name, { population: null, readout, lag, spikes: false, after: null });
    if (lag > 0) this.#notes.push(`the readout ${readout} has what "${name}" gives ${lag} steps earlier than the file`);
  }
}

/** Whether a readout can read it: neurons alone, all of one delay. */
function readable({ paths }: Arriving): boolean {
  const delays = new Set([...paths.values()].flatMap((byDelay) => [...byDelay.keys()]));
  return paths.size > 0 && !paths.has(inputSource) && delays.size === 1;
}

function isIdentity({ nIn, nOut, rowStart, pre, weight }: LinearMap): boolean {
  return (
    nIn === nOut &&
    rowStart.every((start, j) => start === j) &&
    pre.every((i, j) => i === j) &&
    weight.every((w) => w === 1)
  );
}

const isOnlyIdentity = ({ paths }: Arriving): boolean =>
  [...paths.values()].every((byDelay) => [...byDelay.values()].every(isIdentity));

/** Delays whose pairs differ can be one projection; others are one each. */
function apart(byDelay: ReadonlyMap<number, LinearMap>): ReadonlyMap<number, LinearMap>[] {
  const seen = new Set<number>();
  for (const map of byDelay.values()) {
    for (let j = 0; j < map.nOut; j++) {
      for (let s = map.rowStart[j]; s < map.rowStart[j + 1]; s++) {
        const pair = map.pre[s] * map.nOut + j;
        if (seen.has(pair)) return [...byDelay].map((one) => new Map([one])).filter(holdsSome);
        seen.add(pair);
      }
    }
  }
  return [new Map([...byDelay].filter(([, map]) => map.pre.length > 0))].filter(holdsSome);
}

const holdsSome = (byDelay: ReadonlyMap<number, LinearMap>) => [...byDelay.values()].some((map) => map.pre.length > 0);

function sparseOf(
  matrix: Float64Array,
  pairs: readonly (readonly [number, number])[],
  nIn: number,
  nOut: number,
): NirWeights {
  const rowStart = new Int32Array(nIn + 1);
  for (const [i] of pairs) rowStart[i + 1]++;
  for (let i = 0; i < nIn; i++) rowStart[i + 1] += rowStart[i];
  const values = Float64Array.from(pairs, ([i, j]) => matrix[i * nOut + j]);
  return { shape: [pairs.length], values, sparse: { rowStart, post: Int32Array.from(pairs, ([, j]) => j) } };
}

/** The neuron of a unit that spikes. */
function neuronOf(
  { cells, threshold, size }: Unit,
  { spikes, threshold: compares }: Convention,
): Record<string, unknown> {
  if (!cells) return { kind: 'lif', membrane: { decay: 0 }, vTh: simple(threshold ?? ones(size)), resetBy: 0 };
  const { a, rest, v0, synapse, fires } = cells;
  const filters = synapse?.s.some((value) => value !== 0);
  const leaks = rest.some((value) => value !== 0);
  return {
    kind: filters ? 'cuba-lif' : 'lif',
    membrane: { decay: simple(a) },
    ...(filters && synapse ? { synapse: { decay: simple(synapse.s) } } : {}),
    vTh: simple(threshold ?? fires?.threshold ?? ones(size)),
    ...(leaks ? { rest: simple(rest), initial: simple(v0) } : {}),
    ...(threshold === null && (spikes === 'multi' || compares === '>=') ? { fires: '>=' } : {}),
    ...(fires && threshold === null ? resetOf(fires, a) : { resetBy: 0 }),
  };
}

function resetOf(
  { threshold, reset, subtracts, when }: NonNullable<NonNullable<Unit['cells']>['fires']>,
  a: Float64Array,
) {
  if (!subtracts) return { reset: 'zero', ...(reset.some((value) => value !== 0) ? { resetTo: simple(reset) } : {}) };
  // Taken from the membrane before it decays.
  const decayed = when === 'same-step' || when === 'next-step-decayed';
  return { reset: 'subtract', ...(decayed ? { resetBy: simple(threshold.map((value, j) => a[j] * value)) } : {}) };
}

const integrator = (decay: Float64Array) => ({ kind: 'integrator', leak: { decay: simple(decay) }, inputScale: '1' });

const currentOf = (values: Float64Array) => (values.some((value) => value !== 0) ? { current: simple(values) } : {});

function sumOf(current: unknown, more: readonly number[]): number | number[] {
  return simple(
    more.map(
      (value, j) => value + (Array.isArray(current) ? (current[j] as number) : ((current as number | undefined) ?? 0)),
    ),
  );
}

const ones = (size: number) => new Float64Array(size).fill(1);

/** One number where all are the same. */
function simple(values: ArrayLike<number>): number | number[] {
  const list = Array.from(values);
  return list.every((value) => value === list[0]) ? list[0] : list;
}
