import type { FieldFormat, FieldStatistics } from '../../core/format.ts';
import { fieldShape, type Real } from '../../core/layout.ts';
import {
  type Backend,
  type Network,
  type NetworkLengths,
  type NetworkSpec,
  type Stages,
  type WeightName,
  weightNames,
} from '../../core/network.ts';
import { compileReference } from '../reference/index.ts';
import { createChance } from './chance.ts';
import { bindLoops, type LearnOf, longestRow, scratchLength, throughStores } from './loops.ts';
import { type KernelMemory, openKernelMemory } from './memory.ts';
import { createStore, type Filtered, recordLength, type Store, type StoreArrays } from './store.ts';

/**
 * Learning in fixed point: every stage of the reference backend, one step at a time, after which each number that the stage has
 * stored is put on the grid of its field: rounded, saturated or wrapped, and counted. Arithmetic within a step is exact, as in
 * an accumulator that is wide enough; fields without a format stay float64. An update below one step is lost unless it is
 * rounded stochastically.
 *
 * Inner loops and roundings are kernels in WebAssembly, with the same numbers to the last bit; with `plain` they are not.
 */
export const fixed: Backend = {
  name: 'fixed',
  missing,
  bytes: (spec, lengths) => 8 * numbersOf(spec, lengths),
  open(spec, lengths, { plain } = {}) {
    const memory = plain ? null : openKernelMemory(numbersOf(spec, lengths));
    return {
      allocate: memory ? memory.take : (length) => new Float64Array(length),
      compile: (network) => compile(network, memory),
    };
  },
  sharesRows: () => ({ signal: false, rateTerm: false }),
  keepsTransients: true,
  gradientChunk: 1,
};

function missing({ execution, direct, formats }: NetworkSpec): string[] {
  const names: string[] = [];
  if (!formats) names.push('a network without number formats (set fixed.formats)');
  if (execution !== 'online') names.push('deferred or postponed gradients');
  if (direct) names.push('a rule that is no product of trace and signal');
  return names;
}

/** State, trial, the copies that changes are measured against, and work space: at most so many numbers. */
function numbersOf(spec: NetworkSpec, { state, trial }: NetworkLengths): number {
  const formats = spec.formats?.length ?? 0;
  return 3 * state + trial + scratchLength(spec, state) + formats * (recordLength + 3) + 64;
}

function compile(network: Network, memory: KernelMemory | null): Stages {
  const { spec } = network;
  const { sizes } = spec;
  const take = memory ? memory.take : (length: number) => new Float64Array(length);
  const stores = bindStores(network, take, memory);
  const loops = memory ? bindLoops(memory.kernels, spec, take) : {};
  const filters = spec.rule?.trace.kernel?.restartEvery === null ? inGroupOf(stores, 'trace') : [];
  const inner = compileReference({
    ...network,
    loops: throughStores(loops, learnOf(stores), filteredOf(filters)),
  });
  const inGroup = (group: string) => inGroupOf(stores, group);
  const [neuron, readout, signal, trace, running, weights, optimizer] = [
    inGroup('neuron'),
    inGroup('readout'),
    inGroup('signal'),
    inGroup('trace'),
    inGroup('run'),
    inGroup('weights'),
    stores.filter(({ group }) => group.startsWith('optimizer')),
  ];
  const rowOf = (row: string) => stores.filter(({ field }) => field === `trial.${row}`);
  const [psi, y, error, told, term] = ['psi', 'y', 'error', 'signal', 'rateTerm'].map(rowOf);
  const settleRows = (chosen: readonly Bound[], t: number) => {
    for (const { store, length } of chosen) {
      const width = length / (sizes.stream * sizes.step);
      for (let b = 0; b < sizes.stream; b++) store.settle((b * sizes.step + t) * width, width);
    }
  };
  const eachStep = (t0: number, t1: number, stage: (t: number) => void) => {
    for (let t = t0; t < t1; t++) stage(t);
  };
  // Rows of the rate term are written after the trial.
  const rateOfTrial = spec.rateTerm.mean !== 'running' && spec.rateTerm.strength > 0;
  // Adaptive feedback takes the step of W_out.
  const followsReadout = (spec.rule?.signal.readoutDecay ?? 0) > 0;
  // What was there before the first step is on the grid too: drawn weights, matrices of the signal.
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    const chance = network.state.field('fixed.chance');
    const before = Float64Array.from(chance);
    for (const { store, group, length } of stores) if (group !== 'trial') store.settle(0, length);
    // The numbers of a resumed run are on the grid already, and its draws go on where they were.
    if (before.some((drawn) => drawn !== 0)) chance.set(before);
    for (const { store } of stores) store.resetCounts();
  };
  return {
    ...inner,
    forward: (t0, t1) => {
      begin();
      if (t0 === 0) for (const { store } of stores) store.reload();
      eachStep(t0, t1, (t) => {
        inner.forward(t, t + 1);
        settle(neuron);
        settleRows(psi, t);
      });
    },
    readout: (t0, t1) =>
      eachStep(t0, t1, (t) => {
        inner.readout(t, t + 1);
        settle(readout);
        settleRows(y, t);
      }),
    error: (t0, t1, scale) => {
      inner.error(t0, t1, scale);
      eachStep(t0, t1, (t) => settleRows(error, t));
    },
    rateRunning: (t0, t1) =>
      eachStep(t0, t1, (t) => {
        inner.rateRunning(t, t + 1);
        settle(running);
        if (!rateOfTrial) settleRows(term, t);
      }),
    rateOfTrial: (steps) => {
      inner.rateOfTrial(steps);
      if (rateOfTrial) eachStep(0, steps, (t) => settleRows(term, t));
    },
    signal: (t0, t1, progress) =>
      eachStep(t0, t1, (t) => {
        inner.signal(t, t + 1, progress);
        settle(signal);
        settleRows(told, t);
      }),
    gradient: (t0, t1) =>
      eachStep(t0, t1, (t) => {
        for (const { store, learns } of filters) if (learns) store.filtered?.sweep();
        inner.gradient(t, t + 1);
        settle(trace);
        settle(readout);
      }),
    update: (progress, count, trials) => {
      inner.update(progress, count, trials);
      settle(weights);
      settle(optimizer);
      if (followsReadout) settle(signal);
    },
    statistics: () => stores.map(({ store }): FieldStatistics => store.statistics()),
  };
}

/** A store with where it belongs. */
interface Bound {
  readonly field: string;
  readonly group: string;
  readonly values: Real;
  readonly store: Store;
  readonly length: number;
  /** It rounds its changes itself, so that it need not be settled. */
  learns: boolean;
}

function bindStores(
  { spec, state, trial }: Network,
  take: (length: number) => Real,
  memory: KernelMemory | null,
): Bound[] {
  if (!spec.formats) return [];
  const { generator, seed } = spec.rounding;
  const row = take(4 * Math.ceil(longestRow(spec) / 4) + 4);
  const list = take(2 * Math.max(spec.sizes.stream, longestRow(spec)));
  const scaled = take(spec.sizes.stream * spec.sizes.rec + Math.ceil(longestRow(spec) / 2));
  const { sizes, rule } = spec;
  const learning = learningFields(spec);
  // Signed words of up to 16 bits are also kept as such, where a signal reads the matrix.
  const mirrorOf = ({ field, format }: FieldFormat): StoreArrays['mirror'] => {
    const declared = field.startsWith('signal.') ? rule?.signal.layout[field.slice('signal.'.length)] : undefined;
    const isMatrix = declared?.home === 'synapse' || declared?.home === 'pair';
    if (!memory || !isMatrix || !format.signed || format.bits > 16) return null;
    const [rows, width] = fieldShape(declared, sizes);
    return { room: take(2 * Math.ceil(width / 8) * rows), rows };
  };
  return spec.formats.map((given, index): Bound => {
    const { field } = given;
    const cut = field.lastIndexOf('.');
    const group = field.slice(0, cut);
    const values: Real = group === 'trial' ? trial[field.slice(cut + 1) as 'psi'] : state.field(field);
    // A number that is no grid point: everything is settled the first time.
    const kept = group === 'trial' ? null : take(values.length).fill(Number.NaN);
    const arrays: StoreArrays = {
      values,
      kept,
      record: take(recordLength),
      row,
      list,
      scaled,
      mirror: mirrorOf(given),
    };
    const chance = createChance(generator, state.field('fixed.chance'), index, seed);
    const store = createStore(given, arrays, chance, memory?.kernels);
    const learns = store.learn !== null && learning.has(field);
    return { field, group, values, store, length: values.length, learns };
  });
}

function settle(stores: readonly Bound[]): void {
  for (const { store, length, learns } of stores) if (!learns) store.settle(0, length);
}

function inGroupOf(stores: readonly Bound[], name: string): readonly Bound[] {
  return stores.filter(({ group }) => group === name);
}

/** The store that a filtered trace goes through. */
function filteredOf(stores: readonly Bound[]): (values: Real) => Filtered | null {
  const byValues = new Map(stores.map((bound) => [bound.values, bound]));
  return (values) => {
    const bound = byValues.get(values);
    const filtered = bound?.store.filtered;
    if (!bound || !filtered) return null;
    if (!bound.learns) filtered.sweep();
    bound.learns = true;
    return filtered;
  };
}

/** The store that rounds the changes of a field, if it does. */
function learnOf(stores: readonly Bound[]): LearnOf {
  const byValues = new Map(stores.map((bound) => [bound.values, bound]));
  return (values) => {
    const bound = byValues.get(values);
    return bound?.learns ? bound.store.learn : null;
  };
}

/** Names of the fields whose changes are rounded. Weights that are also limited, or decay, have their sum rounded. */
function learningFields({ clamp, rule, projections }: NetworkSpec): ReadonlySet<string> {
  const matrices = Object.entries(rule?.signal.layout ?? {}).filter(([, { outer }]) => outer);
  const limited: Readonly<Record<WeightName, boolean>> = {
    wIn: projections.in.signs !== null,
    wRec: projections.rec.signs !== null,
    wOut: (rule?.signal.readoutDecay ?? 0) > 0,
    bOut: false,
  };
  const weights = weightNames.filter((name) => !clamp && !limited[name]);
  return new Set([...matrices.map(([name]) => `signal.${name}`), ...weights.map((name) => `weights.${name}`)]);
}
