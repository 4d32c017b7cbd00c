import type { Real, Views } from './layout.ts';
import type {
  BlockRate,
  Network,
  NetworkSpec,
  PopulationSpec,
  ProjectionSpec,
  ReadoutSpec,
  RuleKinds,
} from './network.ts';
import type { Loss, NeuronInstance, ReadoutInstance, SignalInstance, TraceInstance } from './plugins.ts';
import type { Projection } from './projection.ts';

/**
 * A graph of one population between one input and one readout, as kernels take it that have a field for each: for backends and
 * chips that know no other. Everything else in the project walks the lists.
 */
export interface SingleSpec
  extends Omit<NetworkSpec, 'sizes' | 'rule' | 'populations' | 'projections' | 'readouts' | 'channels' | 'blocks'> {
  readonly sizes: SingleSizes;
  readonly kinds: { readonly neuron: string; readonly readout: string; readonly loss: string };
  readonly bias: boolean;
  readonly neuron: NeuronInstance;
  readonly spiking: boolean;
  readonly readout: ReadoutInstance;
  readonly projections: { readonly in: Projection; readonly rec: Projection };
  readonly loss: Loss;
  readonly rule: { readonly trace: TraceInstance; readonly signal: SignalInstance; readonly kinds: RuleKinds } | null;
  readonly blocks: Readonly<Record<SingleBlock, { readonly rate: BlockRate; readonly plastic: boolean }>>;
}

export interface SingleSizes {
  readonly stream: number;
  readonly step: number;
  readonly history: number;
  readonly in: number;
  readonly rec: number;
  readonly out: number;
  readonly synIn: number;
  readonly synRec: number;
}

export const singleBlocks = ['wIn', 'wRec', 'wOut', 'bOut'] as const;
export type SingleBlock = (typeof singleBlocks)[number];
type SingleWeights = Readonly<Record<SingleBlock, Real>>;

export interface SingleNetwork {
  readonly spec: SingleSpec;
  readonly weights: SingleWeights;
  readonly gradient: SingleWeights;
  /** What each block is called in the network. */
  readonly names: Readonly<Record<SingleBlock, string>>;
  readonly slots: Readonly<Record<SingleBlock, readonly Real[]>>;
  readonly neuron: Views;
  readonly readout: Views;
  readonly signal: Views;
  readonly direct: Views;
  /** [projection] */
  readonly traces: { readonly in: Views; readonly rec: Views };
  /** Running mean of the activity. [stream][rec] */
  readonly mean: Real;
  readonly trial: Readonly<
    Record<'x' | 'z' | 'psi' | 'y' | 'target' | 'weight' | 'error' | 'signal' | 'rateTerm', Real>
  >;
}

/** What keeps a network from being the smallest graph, in words; empty: it is one. */
export function whyNotSingle(spec: NetworkSpec): string[] {
  const { populations, projections, readouts, sizes } = spec;
  const names: string[] = [];
  if (populations.length !== 1) names.push('several populations');
  const inputs = projections.filter(({ pre }) => pre === null);
  const own = projections.filter(({ pre }) => pre !== null);
  if (inputs.length !== 1 || inputs[0].synapses.nPre !== sizes.in)
    names.push('anything but one projection from the whole input');
  if (own.length > 1 || (populations.length === 1 && own.length !== 1))
    names.push('anything but one recurrent projection');
  if (sizes.inHistory > 0) names.push('delays of the input');
  if (readouts.length !== 1) names.push('several readouts');
  if (readouts.some(({ weight }) => weight !== 1)) names.push('weighted readouts');
  if (readouts.some(({ window }) => window !== null)) names.push('readouts with a window of their own');
  if (populations.some(({ current }) => current !== null)) names.push('constant currents');
  const learned = projections.filter(({ traces }) => traces.length > 0);
  if (spec.channels.length > 0 && learned.length !== projections.length) names.push('projections that do not learn');
  return names;
}

interface Lists {
  readonly population: PopulationSpec;
  readonly input: ProjectionSpec;
  readonly own: ProjectionSpec;
  readonly readout: ReadoutSpec;
}

function listsOf({ populations, projections, readouts }: NetworkSpec): Lists {
  const input = projections.find(({ pre }) => pre === null) as ProjectionSpec;
  const own = projections.find(({ pre }) => pre !== null) as ProjectionSpec;
  return { population: populations[0], input, own, readout: readouts[0] };
}

function namesOf({ input, own, readout }: Lists): SingleNetwork['names'] {
  return { wIn: input.name, wRec: own.name, wOut: readout.name, bOut: `${readout.name}.bias` };
}

/** @param spec for which `whyNotSingle` has nothing to say */
export function singleSpec(spec: NetworkSpec): SingleSpec {
  const lists = listsOf(spec);
  const { population, input, own, readout } = lists;
  const { stream, step } = spec.sizes;
  const names = namesOf(lists);
  const blockOf = (block: SingleBlock) => {
    const found = spec.blocks.find(({ name }) => name === names[block]) as NetworkSpec['blocks'][number];
    return { rate: found.rate, plastic: found.plastic };
  };
  const [trace] = input.traces;
  const [signal] = population.signals;
  return {
    ...spec,
    kinds: { neuron: population.kind, readout: readout.kind, loss: readout.lossKind },
    sizes: {
      stream,
      step,
      history: own.delay,
      in: input.synapses.nPre,
      rec: population.size,
      out: readout.size,
      synIn: input.synapses.nSyn,
      synRec: own.synapses.nSyn,
    },
    bias: input.bias,
    neuron: population.neuron,
    spiking: population.spiking,
    readout: readout.readout,
    projections: { in: input.synapses, rec: own.synapses },
    loss: readout.loss,
    rule: trace && signal && population.rule ? { trace, signal, kinds: population.rule } : null,
    blocks: { wIn: blockOf('wIn'), wRec: blockOf('wRec'), wOut: blockOf('wOut'), bOut: blockOf('bOut') },
  };
}

/** @param network for whose spec `whyNotSingle` has nothing to say */
export function singleNetwork(network: Network): SingleNetwork {
  const { spec, state, trial, activity, weights, gradient } = network;
  const lists = listsOf(spec);
  const { population, input, own, readout } = lists;
  const names = namesOf(lists);
  const byBlock = <T>(of: (block: SingleBlock) => T): Readonly<Record<SingleBlock, T>> => ({
    wIn: of('wIn'),
    wRec: of('wRec'),
    wOut: of('wOut'),
    bOut: of('bOut'),
  });
  const groups: Readonly<Record<SingleBlock, string>> = {
    wIn: `projection.${input.name}`,
    wRec: `projection.${own.name}`,
    wOut: `readout.${readout.name}`,
    bOut: `readout.${readout.name}.bias`,
  };
  const [{ z, psi, rateTerm, signals }] = activity;
  return {
    spec: singleSpec(spec),
    names,
    weights: byBlock((block) => weights[names[block]]),
    gradient: byBlock((block) => gradient[names[block]]),
    slots: byBlock((block) => spec.optimizer.slots.map((slot) => state.field(`${groups[block]}.${slot}`))),
    neuron: state.views(`population.${population.name}`, 'neuron'),
    readout: state.views(`readout.${readout.name}`, 'readout'),
    signal: state.views(`population.${population.name}.signal`),
    direct: state.views('direct'),
    traces: { in: state.views(`projection.${input.name}.trace`), rec: state.views(`projection.${own.name}.trace`) },
    mean: state.field(`population.${population.name}.mean`),
    trial: {
      x: trial.x.data,
      z: z.data,
      psi: psi.data,
      y: trial.y.data,
      target: trial.target.data,
      weight: trial.weight.data,
      error: trial.error.data,
      signal: signals[0].data,
      rateTerm: rateTerm.data,
    },
  };
}
