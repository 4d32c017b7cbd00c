import { type Field, fieldLength, type Layout, type Sizes } from '../src/core/layout.ts';
import type { NetworkSpec } from '../src/core/network.ts';
import type { Quantity } from '../src/core/plugins.ts';

/** One variable that learning needs beyond inference. */
export interface Variable {
  readonly name: string;
  readonly home: Field['home'];
  /** Numbers in one network. */
  readonly count: number;
  /** A matrix of plastic numbers like weights, or a trace. */
  readonly kind: 'matrix' | 'trace' | 'vector';
  readonly doc: string;
}

/** What a network and its rule ask of a chip, read off their declarations. */
export interface Demand {
  readonly sizes: Sizes;
  readonly spiking: boolean;
  readonly synapses: number;
  readonly readoutSynapses: number;
  readonly adaptive: boolean;
  readonly reset: 'subtract' | 'zero' | null;
  readonly refractory: number;
  readonly delaySteps: number;
  readonly largestFanIn: number;
  /** null: the weights of the network do not learn. */
  readonly learning: {
    readonly variables: readonly Variable[];
    readonly reads: readonly Quantity[];
    readonly dendritic: boolean;
    /** The gradient is no product of a synapse's trace and a neuron's signal. */
    readonly direct: boolean;
    /** Trace without any number per synapse. */
    readonly factored: boolean;
    readonly slots: number;
    readonly perTrial: boolean;
  } | null;
}

/** Reads the demand of a network off its spec. Layouts are those of the online execution: what a chip does. */
export function demandOf(spec: NetworkSpec): Demand {
  const { sizes, neuron, projections, rule, direct } = spec;
  const { kernel } = neuron;
  const fanIn = (nSyn: number) => nSyn / sizes.rec;
  return {
    sizes,
    spiking: spec.spiking,
    synapses: sizes.synIn + sizes.synRec,
    readoutSynapses: sizes.rec * sizes.out,
    adaptive: neuron.eligibility.adaptation !== null,
    reset: spec.spiking ? (neuron.eligibility.resetGain > 0 ? 'subtract' : 'zero') : null,
    refractory: kernel?.nRef ?? 0,
    delaySteps: sizes.history,
    largestFanIn: fanIn(projections.in.nSyn) + fanIn(projections.rec.nSyn),
    learning: rule || direct ? learningOf(spec) : null,
  };
}

function learningOf({ sizes, rule, direct, readout, optimizer, update }: NetworkSpec): NonNullable<Demand['learning']> {
  const layouts: readonly (readonly [string, Layout])[] = direct
    ? [['direct', direct.layout]]
    : rule
      ? [
          ['trace', rule.trace.layout],
          ['signal', rule.signal.layout],
        ]
      : [];
  const variables = layouts.flatMap(([group, layout]) => variablesOf(group, layout, sizes));
  variables.push(...variablesOf('readout', { zBar: readout.layout.zBar }, sizes));
  const synaptic = variables.some(({ home, kind }) => home === 'synapse' && kind === 'trace');
  const footprints = direct ? [direct.footprint] : rule ? [rule.trace.footprint, rule.signal.footprint] : [];
  return {
    variables,
    reads: [...new Set(footprints.flatMap(({ reads }) => reads))],
    dendritic: footprints.some(({ phases }) => phases.includes('dendrite')),
    direct: direct !== null,
    factored: direct === null && !synaptic,
    slots: optimizer.slots.length,
    perTrial: update.unit === 'trial' || update.every > 1,
  };
}

/** Scratch of a step is not state, and bookkeeping is not the rule's. */
function variablesOf(group: string, layout: Layout, sizes: Sizes): Variable[] {
  const one = { ...sizes, stream: 1 };
  return Object.entries(layout).flatMap(([name, field]): Variable[] => {
    if (!field || field.transient || field.bookkeeping) return [];
    const streamed = field.shape[0] === 'stream';
    const kind =
      field.home === 'global'
        ? 'vector'
        : streamed
          ? field.home === 'synapse' || field.home === 'pre'
            ? 'trace'
            : 'vector'
          : 'matrix';
    return [{ name: `${group}.${name}`, home: field.home, count: fieldLength(field, one), kind, doc: field.doc }];
  });
}
