import type { FieldStatistics } from '../../core/format.ts';
import type { Real } from '../../core/layout.ts';
import type { Backend, Network, NetworkSpec, Stages } from '../../core/network.ts';
import { compileReference } from '../reference/index.ts';
import { type Chance, createStore, type Store, xorshift } from './store.ts';

/**
 * Learning in fixed point: every stage of the reference backend, one step at a time, after which each number that the stage has
 * stored is put on the grid of its field: rounded, saturated or wrapped, and counted. Arithmetic within a step is exact, as in
 * an accumulator that is wide enough; fields without a format stay float64. An update below one step is lost unless it is
 * rounded stochastically.
 */
export const fixed: Backend = {
  name: 'fixed',
  missing,
  bytes: (spec, lengths) => 8 * (lengths.state + lengths.trial + formattedLength(spec, lengths.state)),
  open: () => ({ allocate: (length) => new Float64Array(length), compile }),
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

/** The copies that changes are measured against, at most one of all state. */
function formattedLength({ formats }: NetworkSpec, state: number): number {
  return formats ? state : 0;
}

function compile(network: Network): Stages {
  const inner = compileReference(network);
  const { spec, state } = network;
  const { sizes } = spec;
  const chance = xorshift(state.field('fixed.chance'), spec.formatSeed);
  const stores = bindStores(network, chance);
  const inGroup = (...groups: string[]) => stores.filter(({ group }) => groups.includes(group));
  const [neuron, readout, signal, trace, running, weights, optimizer] = [
    inGroup('neuron'),
    inGroup('readout'),
    inGroup('signal'),
    inGroup('trace'),
    inGroup('run'),
    inGroup('weights'),
    stores.filter(({ group }) => group.startsWith('optimizer')),
  ];
  const rowOf = (field: string) => stores.filter(({ store }) => store.statistics.field === `trial.${field}`);
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
  // What was there before the first step is on the grid too: drawn weights, matrices of the signal.
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    settle(stores.filter(({ group }) => group !== 'trial'));
    resetCounts(stores);
  };
  return {
    ...inner,
    forward: (t0, t1) => {
      begin();
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
        settleRows(term, t);
      }),
    signal: (t0, t1, progress) =>
      eachStep(t0, t1, (t) => {
        inner.signal(t, t + 1, progress);
        settle(signal);
        settleRows(told, t);
      }),
    gradient: (t0, t1) =>
      eachStep(t0, t1, (t) => {
        inner.gradient(t, t + 1);
        settle(trace);
        settle(readout);
      }),
    update: (progress, count, trials) => {
      inner.update(progress, count, trials);
      settle(weights);
      settle(optimizer);
      settle(signal);
    },
    statistics: () => stores.map(({ store }): FieldStatistics => ({ ...store.statistics })),
  };
}

/** A store with where it belongs. */
interface Bound {
  readonly group: string;
  readonly store: Store;
  readonly length: number;
}

function bindStores({ spec, state, trial }: Network, chance: Chance): Bound[] {
  return (spec.formats ?? []).map((given) => {
    const cut = given.field.lastIndexOf('.');
    const group = given.field.slice(0, cut);
    const values: Real = group === 'trial' ? trial[given.field.slice(cut + 1) as 'psi'] : state.field(given.field);
    // A number that is no grid point: everything is settled the first time.
    const kept = new Float64Array(values.length).fill(Number.NaN);
    return { group, store: createStore(given, values, kept, chance), length: values.length };
  });
}

function settle(stores: readonly Bound[]): void {
  for (const { store, length } of stores) store.settle(0, length);
}

function resetCounts(stores: readonly Bound[]): void {
  for (const { store } of stores) {
    const { statistics } = store;
    statistics.tried = 0;
    statistics.fired = 0;
    statistics.lost = 0;
    statistics.saturated = 0;
    statistics.wrapped = 0;
    statistics.flushed = 0;
  }
}
