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
import {
  type NetworkSpec,
  neuronCount,
  type PopulationSpec,
  synapseCount,
  upkeepOf,
  type WeightBlock,
  wholesOf,
} from '../src/core/network.ts';
import type { Quantity } from '../src/core/plugins.ts';
import type { Projection } from '../src/core/projection.ts';
import { rateToSpikesPerStep, spikesPerStepToRate } from '../src/core/units.ts';

/** One variable that a network keeps from step to step. */
export interface Variable {
  /** Field of the state, `population.rec.v`. */
  readonly name: string;
  /** The same, of the projection of the configuration where it is of a part with one delay. */
  readonly whole: string;
  /** Kind of the part whose state it is: neuron, readout, trace, signal, scaling, or one of a direct rule. */
  readonly part: string;
  /** Its population, projection or readout, `population.rec`; `direct` of a direct rule, whose state is of the whole network. */
  readonly owner: string;
  /** Where a number of it lives. */
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
  /** What it is, in the words of its layout. */
  readonly doc: string;
}

/** A decay per step that a chip has to represent, other than 0; a field whose neurons differ has several, ascending. */
export interface DemandedDecay {
  /** Field of the state that decays. */
  readonly name: string;
  /** Which of a chip's decays it needs. */
  readonly of: 'membrane' | 'readout' | 'trace';
  /** Only learning has it. */
  readonly learns: boolean;
  /** Factor per step, in (0, 1]. */
  readonly decay: number;
}

/** Assumed spikes of inputs and neurons. */
export interface Activity {
  /** Of one neuron or input, Hz. */
  readonly rateHz: number;
  /** The same per step, in [0, 1]. */
  readonly spikesPerStep: number;
  /** Where the rate is from, in words. */
  readonly source: string;
}

/** What a rule asks for. */
export interface Learning {
  /** State of traces, signals and readouts that inference does not keep. */
  readonly variables: readonly Variable[];
  /** What the parts of the rule read, each quantity once. */
  readonly reads: readonly Quantity[];
  /** Some part has a phase of a dendrite. */
  readonly dendritic: boolean;
  /** The gradient is no product of a synapse's trace and a neuron's signal. */
  readonly direct: boolean;
  /** Passes over each trial that are compared, and whether one number for all synapses says what they were worth; null: one pass. */
  readonly passes: { readonly count: number; readonly judged: boolean } | null;
  /** Trace without any number per synapse. */
  readonly factored: boolean;
  /** Numbers per synapse of the optimiser's own. */
  readonly slots: number;
  /** Between which steps the gradient is summed before it acts, in words; null where it acts at every step. */
  readonly sumsOver: string | null;
  /** Products of the recurrent Jacobian with a vector, per step. */
  readonly jacobianProducts: number;
}

/** Neurons of one kind. */
export interface DemandedPopulation {
  /** Of the user. */
  readonly name: string;
  /** Neurons. */
  readonly size: number;
  /** Kind of its neurons. */
  readonly neuron: string;
  /** Its activity is spikes and not rates. */
  readonly spiking: boolean;
  /** Whether the neuron's dynamics are of a form that is known, so that a chip can be said to have them. */
  readonly knownDynamics: boolean;
  /** Its threshold adapts. */
  readonly adaptive: boolean;
  /** What a spike does to the membrane; null: no spikes, or unknown dynamics. */
  readonly reset: 'subtract' | 'zero' | null;
  /** Steps that a spike blocks, its own among them. */
  readonly refractory: number;
  /** Names of the rows of its signals, one for every channel of the network. */
  readonly signals: readonly string[];
}

/** Synapses from sources to targets, row by row of the sources. */
export interface DemandedProjection {
  /** Of the network: with `@` and the delay behind it where it is a part. */
  readonly name: string;
  /** The projection of the configuration of which it is all, or the part with one delay. */
  readonly whole: string;
  /** Its population of sources; null: the input. */
  readonly pre: number | null;
  /** Its population of targets. */
  readonly post: number;
  /** First column of the input, of a projection from it. */
  readonly from: number;
  /** Which synapses there are, [sources][targets]. */
  readonly pattern: Projection;
  /** Units that it comes from, a bias counted. */
  readonly sources: number;
  /** As stored. */
  readonly synapses: number;
  /** Its last source is always on. */
  readonly bias: boolean;
  /** Steps. */
  readonly delay: number;
  /** Its weights change. */
  readonly learns: boolean;
}

/** Weights from all neurons of the populations that a readout reads, [sources][outputs]. */
export interface DemandedReadout {
  /** Of the user. */
  readonly name: string;
  /** Places of the populations in their list. */
  readonly reads: readonly number[];
  /** Neurons of these. */
  readonly sources: number;
  /** Numbers that it puts out. */
  readonly outputs: number;
  /** Its weights change. */
  readonly learns: boolean;
}

/** What a network and its rule ask of a chip, read off their declarations. */
export interface Demand {
  /** Length of a step, ms. */
  readonly dtMs: number;
  /** Lines of the input, the constant of plastic biases counted. */
  readonly inputs: number;
  /** Of all populations. */
  readonly neurons: number;
  /** Of all readouts. */
  readonly outputs: number;
  /** In the order of a step. */
  readonly populations: readonly DemandedPopulation[];
  /** In the order of the network, a part for each delay. */
  readonly projections: readonly DemandedProjection[];
  /** In the order of the file. */
  readonly readouts: readonly DemandedReadout[];
  /** Of all projections. */
  readonly synapses: number;
  /** Of them between neurons. */
  readonly recurrentSynapses: number;
  /** Weights of all readouts. */
  readonly readoutSynapses: number;
  /** Of membranes, readouts, traces and signals, those of 0 left out. */
  readonly decays: readonly DemandedDecay[];
  /** Rewiring and scaling of projections, in words. */
  readonly upkeep: readonly string[];
  /** What operations are counted at. */
  readonly activity: Activity;
  /** State that inference keeps. */
  readonly inference: readonly Variable[];
  /** null: the weights of the network do not learn. */
  readonly learning: Learning | null;
}

/** What is not in the network itself. */
export interface DemandOptions {
  /** Assumed rate, Hz; the target of the network's rate term where it is not given. */
  readonly rateHz?: number | undefined;
}

/** Reads the demand of a network off its spec. Layouts are those of the online execution: what a chip does. */
export function demandOf(given: NetworkSpec, { rateHz }: DemandOptions = {}): Demand {
  const spec = asConnected(given);
  const { sizes, projections, readouts } = spec;
  const learns = learnsInside(spec);
  const plastic = (kind: WeightBlock['kind'], owner: number) =>
    learns && spec.blocks.some((block) => block.kind === kind && block.owner === owner && block.plastic);
  const sources = readouts.map((readout) => readoutSizes(spec, readout).pre);
  const between = projections.filter(({ pre }) => pre !== null);
  return {
    dtMs: spec.dtMs,
    inputs: sizes.in,
    neurons: neuronCount(spec),
    outputs: sizes.out,
    populations: spec.populations.map((population) => populationOf(spec, population)),
    projections: projections.map(({ name, whole, pre, post, from, synapses, bias, delay }, q) => {
      const { nPre, nSyn } = synapses;
      const pattern = { pattern: synapses, sources: nPre, synapses: nSyn };
      return { name, whole: whole.name, pre, post, from, ...pattern, bias, delay, learns: plastic('projection', q) };
    }),
    readouts: readouts.map(({ name, reads, size }, r) => {
      return { name, reads, sources: sources[r], outputs: size, learns: plastic('readout', r) };
    }),
    synapses: synapseCount(spec),
    recurrentSynapses: synapseCount({ projections: between }),
    readoutSynapses: readouts.reduce((sum, { size }, r) => sum + sources[r] * size, 0),
    decays: decaysOf(spec),
    activity: activityOf(spec, rateHz),
    upkeep: upkeepOf(spec.projections),
    inference: inferenceOf(spec),
    learning: learns ? learningOf(spec) : null,
  };
}

/** Whether weights between neurons learn. */
function learnsInside({ channels, direct, passes }: NetworkSpec): boolean {
  return channels.length > 0 || direct !== null || passes !== null;
}

/** What is rewired, with the synapses that it has at first and as many always: a chip has a list of them, and no storage for every pair. */
function asConnected(spec: NetworkSpec): NetworkSpec {
  const projections = spec.projections.map((projection) => {
    const { drawn } = projection.whole;
    return drawn ? { ...projection, synapses: drawn, whole: { ...projection.whole, synapses: drawn } } : projection;
  });
  return { ...spec, projections };
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
    const owner: Owner = { part: 'neuron', owner: `population.${name}`, group: `population.${name}`, neurons: size };
    return variablesOf(owner, neuron.nRef > 1 ? neuron.layout : blocked, populationSizes(spec, population));
  });
  return [...neurons, ...readoutVariables(spec, false)];
}

/** Of readouts: what only learning keeps, or the rest. */
function readoutVariables(spec: NetworkSpec, learning: boolean): Variable[] {
  return spec.readouts.flatMap((readout) => {
    const sizes = readoutSizes(spec, readout);
    const name = `readout.${readout.name}`;
    const owner: Owner = { part: 'readout', owner: name, group: name, neurons: sizes.pre };
    return variablesOf(owner, readoutLayout(readout.readout.layout, learning), sizes);
  });
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
  const { populations, readouts, direct } = spec;
  const learns = learnsInside(spec);
  const groups: (readonly [string, DemandedDecay['of'], Layout])[] = [
    ...populations.map(({ name, neuron }) => [`population.${name}`, 'membrane', neuron.layout] as const),
    ...readouts.map(({ name, readout }) => {
      const layout = learns ? readout.layout : readoutLayout(readout.layout, false);
      return [`readout.${name}`, 'readout', layout] as const;
    }),
  ];
  if (direct) groups.push(['direct', 'trace', direct.layout]);
  else {
    // Parts that differ by their delay have the same decays.
    for (const { name, parts } of wholesOf(spec)) {
      parts[0].traces.forEach(({ layout }, c) => {
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
      if (transient) return [];
      const values = new Set(typeof decay === 'number' ? [decay] : decay.toSorted());
      values.delete(0);
      return [...values].map((decay) => ({ name: `${group}.${name}`, of, decay, learns: of === 'trace' || restarts }));
    }),
  );
}

/** Of a readout: what only learning keeps, or the rest. */
function readoutLayout(layout: Layout, learning: boolean): Layout {
  return Object.fromEntries(Object.entries(layout).filter(([, { restarts = false }]) => restarts === learning));
}

function learningOf(spec: NetworkSpec): Learning {
  const { populations, projections, direct, passes, optimizer, update } = spec;
  const all = neuronCount(spec);
  const ofDirect = (part: string, layout: Layout) =>
    variablesOf({ part, owner: 'direct', group: part, neurons: all }, layout, {});
  const ofTraces = projections.flatMap((projection) =>
    projection.traces.flatMap(({ layout }, c) => {
      const { name, synapses } = projection;
      const group = channelName(`projection.${name}.trace`, spec, c);
      const whole = channelName(`projection.${projection.whole.name}.trace`, spec, c);
      const owner: Owner = { part: 'trace', owner: `projection.${name}`, group, whole, neurons: synapses.nPost };
      return variablesOf(owner, layout, projectionSizes(spec, projection));
    }),
  );
  const ofSignals = populations.flatMap((population) =>
    population.signals.flatMap(({ layout, window }, c) => {
      const { name, size } = population;
      const group = channelName(`population.${name}.signal`, spec, c);
      const owner: Owner = { part: 'signal', owner: `population.${name}`, group, neurons: size };
      const past = variablesOf({ ...owner, part: 'past', group: `${group}.past` }, window?.past ?? {}, {});
      return [...variablesOf(owner, layout, signalSizes(spec, population, c)), ...past];
    }),
  );
  const variables = direct
    ? [...ofDirect('direct', direct.layout), ...ofDirect('past', direct.past), ...ofDirect('work', direct.work)]
    : [...ofTraces, ...ofSignals, ...passVariables(spec)];
  variables.push(...readoutVariables(spec, true), ...scalingVariables(spec));
  const synaptic = variables.some(({ home, kind }) => home === 'synapse' && kind === 'trace');
  const parts = [...projections.flatMap(({ traces }) => traces), ...populations.flatMap(({ signals }) => signals)];
  const whole = direct ?? passes;
  const footprints = whole ? [whole.footprint] : parts.map(({ footprint }) => footprint);
  return {
    variables,
    reads: [...new Set(footprints.flatMap(({ reads }) => reads))],
    dendritic: footprints.some(({ phases }) => phases.includes('dendrite')),
    direct: direct !== null,
    passes: passes && { count: passes.passes.length, judged: passes.judged },
    factored: whole === null && !synaptic,
    slots: optimizer.slots.length,
    sumsOver: update.unit === 'trial' ? 'between trials' : update.every > 1 ? `every ${update.every} steps` : null,
    jacobianProducts: direct?.jacobianProducts ?? 0,
  };
}

/** What a rule in passes keeps: its own matrices, and numbers of neurons and synapses from pass to pass. */
function passVariables(spec: NetworkSpec): Variable[] {
  const { passes, populations, projections, blocks } = spec;
  if (!passes) return [];
  const own: Owner = { part: 'signal', owner: 'passes', group: 'passes', neurons: neuronCount(spec) };
  return [
    ...variablesOf(own, passes.layout, {}),
    ...populations.flatMap((population) => {
      const group = `population.${population.name}`;
      const owner: Owner = { part: 'signal', owner: group, group: `${group}.passes`, neurons: population.size };
      return variablesOf(owner, passes.keeps.neurons, populationSizes(spec, population));
    }),
    ...projections.flatMap((projection) => {
      const { name, whole, synapses } = projection;
      if (!blocks.some((block) => block.name === name && block.plastic)) return [];
      const group = (of: string) => `projection.${of}.passes`;
      const owner = { part: 'trace', owner: `projection.${name}`, group: group(name), whole: group(whole.name) };
      return variablesOf(
        { ...owner, neurons: synapses.nPost },
        passes.keeps.synapses,
        projectionSizes(spec, projection),
      );
    }),
  ];
}

/** What a rewiring keeps is the list of synapses itself, which every chip has. */
function scalingVariables(spec: NetworkSpec): Variable[] {
  return spec.projections.flatMap((projection) => {
    const { name, post, whole, scaling } = projection;
    if (!scaling) return [];
    const owner: Owner = {
      part: 'scaling',
      owner: `projection.${name}`,
      group: `projection.${name}.scaling`,
      whole: `projection.${whole.name}.scaling`,
      neurons: spec.populations[post].size,
    };
    return variablesOf(owner, scaling.part.layout, projectionSizes(spec, projection));
  });
}

/** Whose state it is. */
interface Owner {
  /** Kind of the part that declares it. */
  readonly part: string;
  /** Its population, projection or readout. */
  readonly owner: string;
  /** What stands before the name of a field. */
  readonly group: string;
  /** And of the whole, where the owner is a part of it. */
  readonly whole?: string;
  /** Neurons that it belongs to. */
  readonly neurons: number;
}

/** Scratch of a step is not state, nor is what keeps nothing of the step before, and bookkeeping is not the rule's. */
function variablesOf({ part, owner, group, whole = group, neurons }: Owner, layout: Layout, sizes: Sizes): Variable[] {
  const one = { ...sizes, stream: 1 };
  return Object.entries(layout).flatMap(([name, field]): Variable[] => {
    if (field.transient || field.bookkeeping || field.decay === 0) return [];
    const { home, doc, binary = false, wide = false } = field;
    const count = fieldLength(field, one);
    const kind = kindOf(part, field);
    const row = kind === 'past' ? { perStep: count / fieldShape(field, one)[0] } : {};
    return [
      {
        name: `${group}.${name}`,
        whole: `${whole}.${name}`,
        part,
        owner,
        home,
        count,
        neurons,
        kind,
        binary,
        wide,
        doc,
        ...row,
      },
    ];
  });
}

function kindOf(group: string, { home, unit, shape }: Field): Variable['kind'] {
  if (group === 'past') return 'past';
  if (unit === 'gradient') return 'sum';
  if (home === 'global' || group === 'neuron' || group === 'work' || group === 'scaling') return 'vector';
  if (shape[0] !== 'stream') return 'matrix';
  return home === 'synapse' || home === 'pre' ? 'trace' : 'vector';
}
