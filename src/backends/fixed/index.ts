import type { FieldStatistics } from '../../core/format.ts';
import {
  type Backend,
  creditsInSteps,
  type Network,
  type NetworkLengths,
  type NetworkSpec,
  type Stages,
  upkeepOf,
  windowOf,
} from '../../core/network.ts';
import { compileReference } from '../reference/index.ts';
import { bindLoops, scratchLength, throughStores } from './loops.ts';
import { type KernelMemory, openKernelMemory } from './memory.ts';
import { owing } from './owed.ts';
import { recordLength } from './store.ts';
import {
  type Bound,
  bindStores,
  filteredFields,
  filteredOf,
  learnOf,
  putOnGrids,
  type RowStage,
  settle,
  settleRows,
  withRole,
} from './stores.ts';

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
  numberBytes: 8,
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

function missing(spec: NetworkSpec): string[] {
  const { execution, direct, passes, formats, projections } = spec;
  const names: string[] = [];
  if (!formats) names.push('a network without number formats (set fixed.formats)');
  if (execution !== 'online') names.push('deferred or postponed gradients');
  if (direct) names.push('a rule that is no product of trace and signal');
  if (passes) names.push('a rule of several passes over a trial');
  if (creditsInSteps(spec)) names.push('updates within a trial beside a modulator');
  if (spec.clip !== null) names.push('a clipped gradient');
  names.push(...upkeepOf(projections));
  return names;
}

/** State, trial, the copies that changes are measured against, and work space: at most so many numbers. */
function numbersOf(spec: NetworkSpec, { state, trial }: NetworkLengths): number {
  const formats = spec.formats?.length ?? 0;
  return 3 * state + trial + scratchLength(spec, state) + formats * (recordLength + 3) + 64;
}

function compile(network: Network, memory: KernelMemory | null): Stages {
  const { spec } = network;
  const take = memory ? memory.take : (length: number) => new Float64Array(length);
  const stores = bindStores(network, take, memory);
  const loops = memory ? bindLoops(memory.kernels, spec, take) : {};
  const filtered = filteredFields(spec);
  const filters = stores.filter(({ field }) => filtered.has(field));
  const rounding = throughStores(loops, learnOf(stores), filteredOf(filters));
  const { loops: owed, due } = owing(network, learnOf(stores), rounding);
  return settled(compileReference({ ...network, loops: owed }), network, stores, filters, due);
}

/** The stages step by step, each followed by the roundings of what it has stored. */
function settled(
  inner: Stages,
  network: Network,
  stores: readonly Bound[],
  filters: readonly Bound[],
  due: (soon: boolean) => void,
): Stages {
  const { spec, state } = network;
  const { sizes, rateTerm, populations } = spec;
  const [neuron, readout, signal, trace, running, weights, optimizer] = (
    ['neuron', 'readout', 'signal', 'trace', 'run', 'weights', 'optimizer'] as const
  ).map((role) => withRole(stores, role));
  const rowsOf = (stage: RowStage) => stores.filter(({ rows }) => rows?.stage === stage);
  const [psi, y, error, told, term] = (['psi', 'y', 'error', 'signal', 'rateTerm'] as const).map(rowsOf);
  const stepwise = (stage: (t: number) => void) => (t0: number, t1: number) => {
    for (let t = t0; t < t1; t++) stage(t);
  };
  // Rows of the rate term are written after the trial.
  const rateOfTrial = rateTerm.mean !== 'running' && rateTerm.strength > 0;
  // Adaptive feedback takes the step of W_out.
  const followsReadout = populations.some(({ signals }) => signals.some((of) => of.followsReadout !== null));
  let begun = false;
  const forward = stepwise((t) => {
    inner.forward(t, t + 1);
    settle(neuron);
    settleRows(psi, t, sizes.stream);
  });
  let scheduled: (t: number) => number = () => 1;
  const signalPiece = (t0: number, t1: number) => {
    inner.signal(t0, t1, scheduled);
    settle(signal);
    for (let t = t0; t < t1; t++) settleRows(told, t, sizes.stream);
  };
  const signalStep = windowOf(spec) === null ? stepwise((t) => signalPiece(t, t + 1)) : signalPiece;
  const gradientStep = stepwise((t) => {
    for (const { store, learns } of filters) if (learns) store.filtered?.sweep();
    inner.gradient(t, t + 1);
    settle(trace);
    settle(readout);
  });
  const errorRows = stepwise((t) => settleRows(error, t, sizes.stream));
  return {
    ...inner,
    forward(t0, t1) {
      if (!begun) putOnGrids(stores, state.field('fixed.chance'));
      begun = true;
      if (t0 === 0) for (const { store } of stores) store.reload();
      forward(t0, t1);
    },
    readout: stepwise((t) => {
      inner.readout(t, t + 1);
      settle(readout);
      settleRows(y, t, sizes.stream);
    }),
    error(t0, t1, scale) {
      inner.error(t0, t1, scale);
      errorRows(t0, t1);
    },
    rateRunning: stepwise((t) => {
      inner.rateRunning(t, t + 1);
      settle(running);
      if (!rateOfTrial) settleRows(term, t, sizes.stream);
    }),
    rateOfTrial(steps) {
      inner.rateOfTrial(steps);
      if (rateOfTrial) for (let t = 0; t < steps; t++) settleRows(term, t, sizes.stream);
    },
    signal(t0, t1, progress) {
      scheduled = progress;
      signalStep(t0, t1);
    },
    gradient(t0, t1, soon) {
      due(soon === true);
      gradientStep(t0, t1);
    },
    update: (progress, count, trials) => {
      inner.update(progress, count, trials);
      settle(weights);
      settle(optimizer);
      if (followsReadout) settle(signal);
    },
    statistics: () => stores.map(({ store }): FieldStatistics => store.statistics()),
  };
}
