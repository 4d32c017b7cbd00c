import { type Field, fieldLength, fieldShape, type Layout, type Sizes } from '../src/core/layout.ts';
import type { NetworkSpec } from '../src/core/network.ts';
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

/** What a network and its rule ask of a chip, read off their declarations. */
export interface Demand {
  readonly dtMs: number;
  readonly sizes: Sizes;
  readonly spiking: boolean;
  /** The last input is always on. */
  readonly bias: boolean;
  readonly synapses: number;
  readonly readoutSynapses: number;
  /** Whether the neuron's dynamics are of a form that is known, so that a chip can be said to have them. */
  readonly knownDynamics: boolean;
  readonly neuron: string;
  readonly adaptive: boolean;
  readonly reset: 'subtract' | 'zero' | null;
  readonly refractory: number;
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
  const { sizes, neuron, readout, projections, rule, direct } = spec;
  const { nRef, eligibility } = neuron;
  const { refractory: _, ...blocked } = neuron.layout;
  return {
    dtMs: spec.dtMs,
    sizes,
    spiking: spec.spiking,
    bias: spec.bias,
    synapses: sizes.synIn + sizes.synRec,
    readoutSynapses: sizes.rec * sizes.out,
    knownDynamics: eligibility !== null,
    neuron: spec.kinds.neuron,
    adaptive: (eligibility?.adaptation ?? null) !== null,
    reset: spec.spiking && eligibility ? (eligibility.resetGain > 0 ? 'subtract' : 'zero') : null,
    refractory: nRef,
    delaySteps: sizes.history,
    largestFanIn: largestFanIn(projections, sizes.rec),
    largestFanOut: largestFanOut(projections.rec) + sizes.out,
    decays: decaysOf(spec),
    activity: activityOf(spec, rateHz),
    inference: [
      ...variablesOf('neuron', nRef > 1 ? neuron.layout : blocked, sizes),
      ...variablesOf('readout', readoutLayout(readout.layout, false), sizes),
    ],
    learning: rule || direct ? learningOf(spec) : null,
  };
}

function largestFanIn(projections: NetworkSpec['projections'], n: number): number {
  const arriving = new Float64Array(n);
  for (const { post } of [projections.in, projections.rec]) for (const j of post) arriving[j] += 1;
  return arriving.reduce((most, count) => Math.max(most, count), 0);
}

function largestFanOut({ rowStart, nPre }: NetworkSpec['projections']['rec']): number {
  let most = 0;
  for (let i = 0; i < nPre; i++) most = Math.max(most, rowStart[i + 1] - rowStart[i]);
  return most;
}

function activityOf({ rateTerm, dtMs, spiking }: NetworkSpec, rateHz: number | undefined): Activity {
  if (!spiking) return { rateHz: spikesPerStepToRate(1, dtMs), spikesPerStep: 1, source: 'rates: at every step' };
  if (rateHz !== undefined) return { rateHz, spikesPerStep: rateToSpikesPerStep(rateHz, dtMs), source: 'as given' };
  return {
    rateHz: spikesPerStepToRate(rateTerm.target, dtMs),
    spikesPerStep: rateTerm.target,
    source: 'rateTerm.targetHz',
  };
}

function decaysOf(spec: NetworkSpec): DemandedDecay[] {
  const { neuron, readout, rule, direct } = spec;
  const learns = rule !== null || direct !== null;
  const groups: readonly (readonly [string, DemandedDecay['of'], Layout])[] = [
    ['neuron', 'membrane', neuron.layout],
    ['readout', 'readout', learns ? readout.layout : readoutLayout(readout.layout, false)],
    ['trace', 'trace', direct ? {} : (rule?.trace.layout ?? {})],
    ['signal', 'trace', direct ? {} : (rule?.signal.layout ?? {})],
    ['direct', 'trace', direct?.layout ?? {}],
  ];
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
  const { sizes, rule, direct, readout, optimizer, update } = spec;
  const variables = direct
    ? [
        ...variablesOf('direct', direct.layout, sizes),
        ...variablesOf('past', direct.past, sizes),
        ...variablesOf('work', direct.work, sizes),
      ]
    : rule
      ? [...variablesOf('trace', rule.trace.layout, sizes), ...variablesOf('signal', rule.signal.layout, sizes)]
      : [];
  variables.push(...variablesOf('readout', readoutLayout(readout.layout, true), sizes));
  const synaptic = variables.some(({ home, kind }) => home === 'synapse' && kind === 'trace');
  const footprints = direct ? [direct.footprint] : rule ? [rule.trace.footprint, rule.signal.footprint] : [];
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

/** Scratch of a step is not state, nor is what keeps nothing of the step before, and bookkeeping is not the rule's. */
function variablesOf(group: string, layout: Layout, sizes: Sizes): Variable[] {
  const one = { ...sizes, stream: 1 };
  return Object.entries(layout).flatMap(([name, field]): Variable[] => {
    if (field.transient || field.bookkeeping || field.decay === 0) return [];
    const { home, doc, binary = false, wide = false } = field;
    const count = fieldLength(field, one);
    const kind = kindOf(group, field);
    const row = kind === 'past' ? { perStep: count / fieldShape(field, one)[0] } : {};
    return [{ name: `${group}.${name}`, part: group, home, count, kind, binary, wide, doc, ...row }];
  });
}

function kindOf(group: string, { home, unit, shape }: Field): Variable['kind'] {
  if (group === 'past') return 'past';
  if (unit === 'gradient') return 'sum';
  if (home === 'global' || group === 'neuron' || group === 'work') return 'vector';
  if (shape[0] !== 'stream') return 'matrix';
  return home === 'synapse' || home === 'pre' ? 'trace' : 'vector';
}
