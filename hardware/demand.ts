import {
  channelName,
  populationSizes,
  projectionSizes,
  readoutSizes,
  signalNames,
  signalSizes,
} from '../src/core/bindings.ts';
import { adapts, resets } from '../src/core/dynamics.ts';
import { type Field, fieldLength, fieldShape, type Layout, type Sizes } from '../src/core/layout.ts';
import { type NetworkSpec, neuronCount, type PopulationSpec, synapseCount } from '../src/core/network.ts';
import type { Quantity } from '../src/core/plugins.ts';
import { rateToSpikesPerStep, spikesPerStepToRate } from '../src/core/units.ts';

/** One variable that a network keeps from step to step. */
export interface Variable {
  readonly name: string;
  /** The part whose state it is. */
  readonly part: string;
  readonly home: Field['home'];
  /** Numbers in one network. */
  readonly count: number;
  /** Neurons that it belongs to: of its population, or of all. */
  readonly neurons: number;
  /** A matrix of plastic numbers like weights, a trace, rows of past steps, a summed gradient, or a number per neuron. */
  readonly kind: 'matrix' | 'trace' | 'past' | 'sum' | 'vector';
  /** Spikes: one bit each. */
  readonly binary: boolean;
  /** It needs the width of a neuron's own numbers. */
  readonly wide: boolean;
  /** Of rows of past steps: the numbers of one of them. */
  readonly perStep?: number;
  readonly doc: string;
}

/** A decay per step that a chip has to represent, other than 0. */
export interface DemandedDecay {
  readonly name: string;
  /** Which of a chip's decays it needs. */
  readonly of: 'membrane' | 'readout' | 'trace';
  /** Only learning has it. */
  readonly learns: boolean;
  readonly decay: number;
}

/** Assumed spikes of inputs and neurons. */
export interface Activity {
  readonly rateHz: number;
  readonly spikesPerStep: number;
  readonly source: string;
}

export interface Learning {
  readonly variables: readonly Variable[];
  readonly reads: readonly Quantity[];
  readonly dendritic: boolean;
  /** The gradient is no product of a synapse's trace and a neuron's signal. */
  readonly direct: boolean;
  /** Trace without any number per synapse. */
  readonly factored: boolean;
  readonly slots: number;
  /** Between which steps the gradient is summed before it acts, in words; null where it acts at every step. */
  readonly sumsOver: string | null;
  /** Products of the recurrent Jacobian with a vector, per step. */
  readonly jacobianProducts: number;
}

/** Neurons of one kind. */
export interface DemandedPopulation {
  readonly name: string;
  readonly size: number;
  readonly neuron: string;
  readonly spiking: boolean;
  /** Whether the neuron's dynamics are of a form that is known, so that a chip can be said to have them. */
  readonly knownDynamics: boolean;
  readonly adaptive: boolean;
  readonly reset: 'subtract' | 'zero' | null;
  /** Steps that a spike blocks, its own among them. */
  readonly refractory: number;
  /** Names of the rows of its signals, one for every channel of the network. */
  readonly signals: readonly string[];
}

/** Synapses from sources to targets, row by row of the sources. */
export interface DemandedProjection {
  readonly name: string;
  readonly sources: number;
  readonly targets: number;
  readonly synapses: number;
  readonly dense: boolean;
  readonly fromInput: boolean;
  /** Its last source is always on. */
  readonly bias: boolean;
  /** Steps. */
  readonly delay: number;
}

/** What a network and its rule ask of a chip, read off their declarations. */
export interface Demand {
  readonly dtMs: number;
  /** The constant of plastic biases counted. */
  readonly inputs: number;
  readonly neurons: number;
  readonly outputs: number;
  readonly populations: readonly DemandedPopulation[];
  readonly projections: readonly DemandedProjection[];
  readonly readouts: readonly { readonly name: string; readonly sources: number; readonly outputs: number }[];
  readonly synapses: number;
  /** Of them between neurons. */
  readonly recurrentSynapses: number;
  readonly readoutSynapses: number;
  readonly delaySteps: number;
  readonly largestFanIn: number;
  readonly largestFanOut: number;
  readonly decays: readonly DemandedDecay[];
  readonly activity: Activity;
  /** State that inference keeps. */
  readonly inference: readonly Variable[];
  /** null: the weights of the network do not learn. */
  readonly learning: Learning | null;
}

export interface DemandOptions {
  /** Assumed rate, Hz; the target of the network's rate term where it is not given. */
  readonly rateHz?: number | undefined;
}

/** Reads the demand of a network off its spec. Layouts are those of the online execution: what a chip does. */
export function demandOf(spec: NetworkSpec, { rateHz }: DemandOptions = {}): Demand {
  const { sizes, projections, readouts, channels, direct } = spec;
  const reads = readouts.map((readout) => readoutSizes(spec, readout).pre);
  const between = projections.filter(({ pre }) => pre !== null);
  return {
    dtMs: spec.dtMs,
    inputs: sizes.in,
    neurons: neuronCount(spec),
    outputs: sizes.out,
    populations: spec.populations.map((population) => populationOf(spec, population)),
    projections: projections.map(({ name, pre, synapses, bias, delay }): DemandedProjection => {
      const { nPre, nPost, nSyn } = synapses;
      const common = { name, sources: nPre, targets: nPost, synapses: nSyn, fromInput: pre === null, bias, delay };
      return { ...common, dense: nSyn === nPre * nPost };
    }),
    readouts: readouts.map(({ name, size }, r) => ({ name, sources: reads[r], outputs: size })),
    synapses: synapseCount(spec),
    recurrentSynapses: synapseCount({ projections: between }),
    readoutSynapses: readouts.reduce((sum, { size }, r) => sum + reads[r] * size, 0),
    delaySteps: projections.reduce((most, { delay }) => Math.max(most, delay), 1),
    largestFanIn: largestFanIn(spec),
    largestFanOut: largestFanOut(spec),
    decays: decaysOf(spec),
    activity: activityOf(spec, rateHz),
    inference: inferenceOf(spec),
    learning: channels.length > 0 || direct ? learningOf(spec) : null,
  };
}

function populationOf(spec: NetworkSpec, population: PopulationSpec): DemandedPopulation {
  const { name, size, kind, spiking, neuron } = population;
  const { eligibility, nRef } = neuron;
  return {
    name,
    size,
    neuron: kind,
    spiking,
    knownDynamics: eligibility !== null,
    adaptive: eligibility !== null && adapts(eligibility),
    reset: spiking && eligibility ? (resets(eligibility) ? 'subtract' : 'zero') : null,
    refractory: nRef,
    signals: signalNames(spec).map((signal) => `population.${name}.${signal}`),
  };
}

function inferenceOf(spec: NetworkSpec): Variable[] {
  const neurons = spec.populations.flatMap((population) => {
    const { name, size, neuron } = population;
    const { refractory: _, ...blocked } = neuron.layout;
    const owner: Owner = { part: 'neuron', group: `population.${name}`, neurons: size };
    return variablesOf(owner, neuron.nRef > 1 ? neuron.layout : blocked, populationSizes(spec, population));
  });
  return [...neurons, ...readoutVariables(spec, false)];
}

/** Of readouts: what only learning keeps, or the rest. */
function readoutVariables(spec: NetworkSpec, learning: boolean): Variable[] {
  return spec.readouts.flatMap((readout) => {
    const sizes = readoutSizes(spec, readout);
    const owner: Owner = { part: 'readout', group: `readout.${readout.name}`, neurons: sizes.pre };
    return variablesOf(owner, readoutLayout(readout.readout.layout, learning), sizes);
  });
}

function largestFanIn({ populations, projections }: NetworkSpec): number {
  const arriving = populations.map(({ size }) => new Float64Array(size));
  for (const { post, synapses } of projections) for (const j of synapses.post) arriving[post][j] += 1;
  return arriving.reduce((most, counts) => counts.reduce((sum, count) => Math.max(sum, count), most), 0);
}

/** Synapses that leave a neuron, those onto readouts included. */
function largestFanOut({ populations, projections, readouts }: NetworkSpec): number {
  let most = 0;
  populations.forEach(({ size }, p) => {
    const outputs = readouts.reduce((sum, { reads, size: nOut }) => sum + (reads.includes(p) ? nOut : 0), 0);
    const leaving = new Float64Array(size).fill(outputs);
    for (const { pre, synapses } of projections) {
      if (pre === p) for (let i = 0; i < size; i++) leaving[i] += synapses.rowStart[i + 1] - synapses.rowStart[i];
    }
    most = leaving.reduce((sum, count) => Math.max(sum, count), most);
  });
  return most;
}

function activityOf({ rateTerm, dtMs, populations }: NetworkSpec, rateHz: number | undefined): Activity {
  if (populations.every(({ spiking }) => !spiking))
    return { rateHz: spikesPerStepToRate(1, dtMs), spikesPerStep: 1, source: 'rates: at every step' };
  if (rateHz !== undefined) return { rateHz, spikesPerStep: rateToSpikesPerStep(rateHz, dtMs), source: 'as given' };
  return {
    rateHz: spikesPerStepToRate(rateTerm.target, dtMs),
    spikesPerStep: rateTerm.target,
    source: 'rateTerm.targetHz',
  };
}

function decaysOf(spec: NetworkSpec): DemandedDecay[] {
  const { populations, projections, readouts, channels, direct } = spec;
  const learns = channels.length > 0 || direct !== null;
  const groups: (readonly [string, DemandedDecay['of'], Layout])[] = [
    ...populations.map(({ name, neuron }) => [`population.${name}`, 'membrane', neuron.layout] as const),
    ...readouts.map(({ name, readout }) => {
      const layout = learns ? readout.layout : readoutLayout(readout.layout, false);
      return [`readout.${name}`, 'readout', layout] as const;
    }),
  ];
  if (direct) groups.push(['direct', 'trace', direct.layout]);
  else {
    for (const { name, traces } of projections) {
      traces.forEach(({ layout }, c) => {
        groups.push([channelName(`projection.${name}.trace`, spec, c), 'trace', layout]);
      });
    }
    for (const { name, signals } of populations) {
      signals.forEach(({ layout }, c) => {
        groups.push([channelName(`population.${name}.signal`, spec, c), 'trace', layout]);
      });
    }
  }
  return groups.flatMap(([group, of, layout]) =>
    Object.entries(layout).flatMap(([name, { decay = 0, transient, restarts = false }]) => {
      if (decay <= 0 || transient) return [];
      return [{ name: `${group}.${name}`, of, decay, learns: of === 'trace' || restarts }];
    }),
  );
}

/** Of a readout: what only learning keeps, or the rest. */
function readoutLayout(layout: Layout, learning: boolean): Layout {
  return Object.fromEntries(Object.entries(layout).filter(([, { restarts = false }]) => restarts === learning));
}

function learningOf(spec: NetworkSpec): Learning {
  const { populations, projections, direct, optimizer, update } = spec;
  const all = neuronCount(spec);
  const ofDirect = (part: string, layout: Layout) => variablesOf({ part, group: part, neurons: all }, layout, {});
  const ofTraces = projections.flatMap((projection) =>
    projection.traces.flatMap(({ layout }, c) => {
      const { name, synapses } = projection;
      const group = channelName(`projection.${name}.trace`, spec, c);
      const owner: Owner = { part: 'trace', group, neurons: synapses.nPost };
      return variablesOf(owner, layout, projectionSizes(spec, projection));
    }),
  );
  const ofSignals = populations.flatMap((population) =>
    population.signals.flatMap(({ layout }, c) => {
      const group = channelName(`population.${population.name}.signal`, spec, c);
      const owner: Owner = { part: 'signal', group, neurons: population.size };
      return variablesOf(owner, layout, signalSizes(spec, population, c));
    }),
  );
  const variables = direct
    ? [...ofDirect('direct', direct.layout), ...ofDirect('past', direct.past), ...ofDirect('work', direct.work)]
    : [...ofTraces, ...ofSignals];
  variables.push(...readoutVariables(spec, true));
  const synaptic = variables.some(({ home, kind }) => home === 'synapse' && kind === 'trace');
  const parts = [...projections.flatMap(({ traces }) => traces), ...populations.flatMap(({ signals }) => signals)];
  const footprints = direct ? [direct.footprint] : parts.map(({ footprint }) => footprint);
  return {
    variables,
    reads: [...new Set(footprints.flatMap(({ reads }) => reads))],
    dendritic: footprints.some(({ phases }) => phases.includes('dendrite')),
    direct: direct !== null,
    factored: direct === null && !synaptic,
    slots: optimizer.slots.length,
    sumsOver: update.unit === 'trial' ? 'between trials' : update.every > 1 ? `every ${update.every} steps` : null,
    jacobianProducts: direct?.jacobianProducts ?? 0,
  };
}

/** Whose state it is. */
interface Owner {
  readonly part: string;
  /** What stands before the name of a field. */
  readonly group: string;
  readonly neurons: number;
}

/** Scratch of a step is not state, nor is what keeps nothing of the step before, and bookkeeping is not the rule's. */
function variablesOf({ part, group, neurons }: Owner, layout: Layout, sizes: Sizes): Variable[] {
  const one = { ...sizes, stream: 1 };
  return Object.entries(layout).flatMap(([name, field]): Variable[] => {
    if (field.transient || field.bookkeeping || field.decay === 0) return [];
    const { home, doc, binary = false, wide = false } = field;
    const count = fieldLength(field, one);
    const kind = kindOf(part, field);
    const row = kind === 'past' ? { perStep: count / fieldShape(field, one)[0] } : {};
    return [{ name: `${group}.${name}`, part, home, count, neurons, kind, binary, wide, doc, ...row }];
  });
}

function kindOf(group: string, { home, unit, shape }: Field): Variable['kind'] {
  if (group === 'past') return 'past';
  if (unit === 'gradient') return 'sum';
  if (home === 'global' || group === 'neuron' || group === 'work') return 'vector';
  if (shape[0] !== 'stream') return 'matrix';
  return home === 'synapse' || home === 'pre' ? 'trace' : 'vector';
}
