import { viewsOf } from './feedback.ts';
import type { Real } from './layout.ts';
import {
  type Network,
  type NetworkSpec,
  type PopulationSpec,
  type ProjectionSpec,
  type ReadoutSpec,
  shapeOf,
  type WeightBlock,
} from './network.ts';
import type {
  NeuronBinding,
  PassesBinding,
  PopulationSizes,
  ProjectionSizes,
  ReadoutGradientBinding,
  ReadoutSizes,
  SignalBinding,
  SignalSizes,
  SynapsesView,
  TraceBinding,
} from './plugins.ts';
import { columnsOf, noRows, type Rows } from './rows.ts';

/** What the parts of a network are bound to: each to its owner and to nothing else. */

export function populationSizes({ sizes }: NetworkSpec, { size }: PopulationSpec): PopulationSizes {
  return { stream: sizes.stream, step: sizes.step, self: size };
}

export function projectionSizes({ sizes }: NetworkSpec, { synapses }: ProjectionSpec): ProjectionSizes {
  const { nPre, nPost, nSyn } = synapses;
  return { stream: sizes.stream, step: sizes.step, pre: nPre, post: nPost, syn: nSyn };
}

export function readoutSizes({ sizes, populations }: NetworkSpec, { reads, size }: ReadoutSpec): ReadoutSizes {
  const pre = reads.reduce((sum, p) => sum + populations[p].size, 0);
  return { stream: sizes.stream, step: sizes.step, pre, out: size };
}

/** A population's rows of the weights of a readout. */
interface ReadoutPart {
  readonly population: number;
  /** The first row, and how many. */
  readonly row: number;
  readonly n: number;
  /** Share that an update leaves of these weights: less than 1 where the feedback to the population aligns with them. */
  readonly keep: number;
}

/** The rows of the weights of a readout, in their order. */
export function readoutParts({ populations, readouts, channels }: NetworkSpec, readout: number): ReadoutPart[] {
  let row = 0;
  return readouts[readout].reads.map((population): ReadoutPart => {
    const { size: n, signals } = populations[population];
    const heard = signals.filter((_, c) => channels[c].readouts.includes(readout));
    const keep = 1 - Math.max(0, ...heard.map(({ readoutDecay }) => readoutDecay));
    row += n;
    return { population, row: row - n, n, keep };
  });
}

/** @param channel whose readouts the signal hears */
export function signalSizes(spec: NetworkSpec, population: PopulationSpec, channel: number): SignalSizes {
  return { ...populationSizes(spec, population), in: spec.sizes.in, out: spec.channels[channel].size };
}

/** Group of state that a block of weights has, with its gradient and the slots of the optimiser. */
export function blockGroup({ kind, owner }: WeightBlock, { populations, projections, readouts }: NetworkSpec): string {
  if (kind === 'projection') return `projection.${projections[owner].name}`;
  if (kind === 'signal') return `population.${populations[owner].name}.signal`;
  return kind === 'readout' ? `readout.${readouts[owner].name}` : `readout.${readouts[owner].name}.bias`;
}

/** Numbers of a block of weights. */
export function blockLength({ kind, owner, synapses }: WeightBlock, spec: NetworkSpec): number {
  if (synapses) return synapses.nSyn;
  const { pre, out } = readoutSizes(spec, spec.readouts[owner]);
  return kind === 'bias' ? out : pre * out;
}

/**
 * Rows or a group of one name, a further channel told apart by the first readout that it hears: `signal@second`. No name has an `@`, so
 * that no field of the first channel is called so.
 */
export function channelName(name: string, { channels, readouts }: NetworkSpec, channel: number): string {
  return channel === 0 ? name : `${name}@${readouts[channels[channel].readouts[0]].name}`;
}

/** Names of a population's signals, one for every channel; a network without channels has one row that stays 0. */
export function signalNames(spec: NetworkSpec): string[] {
  return Array.from({ length: Math.max(1, spec.channels.length) }, (_, c) => channelName('signal', spec, c));
}

export function bindingOfNeuron(network: Network, p: number, current: Real): NeuronBinding {
  const { spec, state, activity, loops } = network;
  const population = spec.populations[p];
  const { z, psi } = activity[p];
  return {
    sizes: populationSizes(spec, population),
    state: state.views(`population.${population.name}`, 'neuron'),
    z,
    psi,
    current,
    loops,
  };
}

/** What arrives at a projection: columns of the input, or the activity of its population. */
export function presynapticRows({ spec, trial, activity }: Network, q: number): Rows {
  const { pre, from, synapses } = spec.projections[q];
  return pre === null ? columnsOf(trial.x, from, synapses.nPre) : activity[pre].z;
}

export function bindingOfReadout(network: Network, r: number): ReadoutGradientBinding {
  const { spec, state, trial, activity, weights, gradient, loops } = network;
  const readout = spec.readouts[r];
  const { name, reads, column, size } = readout;
  return {
    sizes: readoutSizes(spec, readout),
    state: state.views(`readout.${name}`, 'readout'),
    reads: reads.map((p) => activity[p].z),
    y: columnsOf(trial.y, column, size),
    injected: trial.injected.width === 0 ? trial.injected : columnsOf(trial.injected, column, size),
    error: columnsOf(trial.error, column, size),
    weights: weights[name],
    bias: weights[`${name}.bias`],
    gradient: { weights: gradient[name], bias: gradient[`${name}.bias`] },
    loops,
  };
}

export function bindingOfSignal(network: Network, p: number, c: number): SignalBinding {
  const { spec, state, trial, activity, weights, loops } = network;
  const population = spec.populations[p];
  const channel = spec.channels[c];
  const { z, psi, current, signals } = activity[p];
  const synapses = (pre: number | null): SynapsesView[] =>
    spec.projections
      .filter((projection) => projection.pre === pre && projection.post === p)
      .map(({ name, synapses: projection, delay, from }) => ({ projection, weights: weights[name], delay, from }));
  const readouts = channel.readouts.map((r) => spec.readouts[r]);
  return {
    sizes: signalSizes(spec, population, c),
    state: state.views(channelName(`population.${population.name}.signal`, spec, c), 'signal'),
    z,
    psi,
    current,
    signal: signals[c],
    neuron: state.views(`population.${population.name}`, 'neuron'),
    error: columnsOf(trial.error, channel.column, channel.size),
    y: columnsOf(trial.y, channel.column, channel.size),
    target: columnsOf(trial.target, channel.column, channel.size),
    input: trial.x,
    readouts: viewsOf(
      readouts,
      readouts.map(({ name }) => weights[name]),
      p,
      spec.populations.map(({ size }) => size),
      channel.column,
    ),
    recurrent: synapses(p),
    inputs: synapses(null),
    loops,
  };
}

/** The firing-rate term acts through the trace of the first channel alone. */
export function bindingOfTrace(network: Network, q: number, c: number): TraceBinding {
  const { spec, state, activity, gradient, loops } = network;
  const projection = spec.projections[q];
  const { name, post, delay, synapses } = projection;
  const { psi, signals, rateTerm } = activity[post];
  return {
    sizes: projectionSizes(spec, projection),
    state: state.views(channelName(`projection.${name}.trace`, spec, c), 'trace'),
    pre: presynapticRows(network, q),
    delay,
    psi,
    signal: signals[c],
    rateTerm: c === 0 ? rateTerm : noRows(new Float64Array(synapses.nPost)),
    projection: synapses,
    gradient: gradient[name],
    loops,
  };
}

export function bindingOfPasses(
  network: Network,
  { correlate, arrays }: Pick<PassesBinding, 'correlate' | 'arrays'>,
): PassesBinding {
  const { spec, state, trial, activity, weights, gradient, copies } = network;
  const copiesOf = (block: string) =>
    Object.fromEntries(Object.entries(copies).map(([name, blocks]) => [name, blocks[block]]));
  const learns = (block: string) => spec.blocks.some(({ name, plastic }) => name === block && plastic);
  return {
    network: shapeOf(spec),
    state: state.views('passes', 'passes'),
    populations: spec.populations.map(({ size }, p) => ({
      size,
      z: activity[p].z,
      injected: activity[p].injected,
    })),
    readouts: spec.readouts.map(({ name, column, size }, r) => {
      const { y, error, injected, weights, bias, gradient } = bindingOfReadout(network, r);
      const target = columnsOf(trial.target, column, size);
      const plastic = { weights: learns(name), bias: learns(`${name}.bias`) };
      const own = { weights: copiesOf(name), bias: copiesOf(`${name}.bias`) };
      return { y, target, error, injected, plastic, weights, bias, gradient, copies: own };
    }),
    projections: spec.projections.map(({ name }, q) => ({
      pre: presynapticRows(network, q),
      plastic: learns(name),
      weights: weights[name],
      gradient: gradient[name],
      copies: copiesOf(name),
    })),
    correlate,
    arrays,
  };
}
