import { cut, type Field, type Layout } from '../core/layout.ts';
import type { Backend, Network, NetworkLengths, NetworkSpec, OpenOptions, Stages } from '../core/network.ts';
import type { TrialArrays, Weights } from '../core/plugins.ts';

const weightLayout = {
  wIn: { shape: ['synIn'], home: 'synapse', unit: 'weight', doc: 'input weights, bias row last' },
  wRec: { shape: ['synRec'], home: 'synapse', unit: 'weight', doc: 'recurrent weights' },
  wOut: { shape: ['rec', 'out'], home: 'synapse', unit: 'weight', doc: 'readout weights' },
  bOut: { shape: ['out'], home: 'post', unit: 'weight', doc: 'readout bias' },
} as const satisfies Layout;

const runLayout = {
  zTail: { shape: ['stream', 'history', 'rec'], home: 'post', unit: '1', doc: 'last activity of the trial before' },
  fBar: { shape: ['stream', 'rec'], home: 'post', unit: 'spikes/step', doc: 'running mean of the activity' },
} as const satisfies Layout;

const fixedLayout = (formats: number): Layout => ({
  chance: {
    shape: [formats],
    home: 'global',
    unit: '1',
    doc: 'sweeps of stochastic rounding, or the word of its LFSR',
  },
});

const perNeuron = (doc: string) => ({ shape: ['stream', 'step', 'rec'], home: 'post', unit: '1', doc }) as const;
const perOutput = (doc: string) => ({ shape: ['stream', 'step', 'out'], home: 'post', unit: '1', doc }) as const;

const trialLayout = {
  x: { shape: ['stream', 'step', 'in'], home: 'pre', unit: '1', doc: 'input' },
  psi: perNeuron('pseudo-derivative'),
  y: perOutput('readout'),
  target: perOutput('target'),
  expected: perOutput('expected target'),
  weight: { shape: ['stream', 'step'], home: 'global', unit: '1', doc: 'weight of the step in the loss' },
  error: perOutput('error'),
} as const satisfies Layout;

/** Groups of the state buffer, in the order in which a checkpoint holds them. */
function stateGroups(spec: NetworkSpec, backend: Backend): Record<string, Layout> {
  const groups: Record<string, Layout> = { weights: weightLayout, gradient: weightLayout };
  for (const slot of spec.optimizer.slots) groups[`optimizer.${slot}`] = weightLayout;
  groups.neuron = spec.neuron.layout;
  groups.readout = spec.readout.layout;
  if (spec.rule) {
    // The other executions keep no traces from step to step.
    if (spec.execution === 'online') groups.trace = kept(spec.rule.trace.layout, backend);
    groups.signal = kept(spec.rule.signal.layout, backend);
  }
  if (spec.direct) groups.direct = spec.direct.layout;
  groups.run = runLayout;
  if (spec.formats) groups.fixed = fixedLayout(spec.formats.length + 1);
  return groups;
}

/** z has `history` more rows than the other whole-time arrays, so it is a group of its own. */
function trialGroups(spec: NetworkSpec, backend: Backend): Record<string, Layout> {
  const { history, step } = spec.sizes;
  const shared = backend.sharesRows(spec);
  const neuronRows = (rows: number, doc: string): Field => ({
    shape: ['stream', rows, 'rec'],
    home: 'post',
    unit: '1',
    doc,
  });
  return {
    activity: { z: neuronRows(history + step, 'spikes or rates') },
    trial: {
      ...trialLayout,
      signal: neuronRows(shared.signal ? 1 : step, 'learning signal'),
      current: neuronRows(readsCurrent(spec) ? step : 0, 'summed input'),
      rateTerm: neuronRows(shared.rateTerm ? 1 : step, 'firing-rate term'),
    },
  };
}

/** Rows that only few parts look at are kept where one does. */
function readsCurrent({ rule, direct }: NetworkSpec): boolean {
  const parts = [rule?.trace, rule?.signal, direct];
  return parts.some((part) => part?.footprint.reads.includes('current'));
}

/** Scratch of a step is left out where a backend does not keep it. */
function kept(layout: Layout, { keepsTransients }: Backend): Layout {
  if (keepsTransients) return layout;
  return Object.fromEntries(Object.entries(layout).filter(([, field]) => !field.transient));
}

/** Names of all fields that may have a number format: what is stored from step to step, and rows that stages hand on. */
export function formattableFields(spec: NetworkSpec, backend: Backend): string[] {
  const groups = Object.entries(stateGroups({ ...spec, formats: null }, backend));
  const state = groups.flatMap(([group, layout]) =>
    Object.entries(layout).flatMap(([name, { transient, bookkeeping }]) =>
      transient || bookkeeping ? [] : [`${group}.${name}`],
    ),
  );
  return [
    ...state.filter((name) => !/^(gradient|run\.zTail)/.test(name)),
    ...['psi', 'y', 'error', 'signal', 'rateTerm'].map((name) => `trial.${name}`),
  ];
}

/** Numbers that a network of this spec needs: in its state, and in the arrays of a trial. */
export function networkLength(spec: NetworkSpec, backend: Backend): NetworkLengths {
  const count = (groups: Record<string, Layout>) => cut(groups, spec.sizes, (n) => new Counter(n) as never).data.length;
  return { state: count(stateGroups(spec, backend)), trial: count(trialGroups(spec, backend)) };
}

/** Stands in for an array where only the length is wanted. */
class Counter {
  readonly length: number;
  constructor(length: number) {
    this.length = length;
  }
  subarray(from: number, to: number): Counter {
    return new Counter(to - from);
  }
}

/** Neurons and readout as they are before a first step; what only learning keeps stays as it is. */
export function resetState({ spec, state }: Pick<Network, 'spec' | 'state'>): void {
  for (const [group, layout] of Object.entries({ neuron: spec.neuron.layout, readout: spec.readout.layout })) {
    for (const [name, { initial = 0, restarts }] of Object.entries(layout)) {
      if (!restarts) state.field(`${group}.${name}`).fill(initial);
    }
  }
}

/** Allocates a network's memory and compiles its stages. Weights and the signal's matrices are 0 until initialised. */
export function allocateNetwork(
  spec: NetworkSpec,
  backend: Backend,
  options: OpenOptions = {},
): { network: Network; stages: Stages } {
  const workspace = backend.open(spec, networkLength(spec, backend), options);
  const state = cut(stateGroups(spec, backend), spec.sizes, workspace.allocate);
  const block = cut(trialGroups(spec, backend), spec.sizes, workspace.allocate);
  const trial = { ...block.views('trial'), ...block.views('activity') } as unknown as TrialArrays;
  const network: Network = {
    spec,
    state,
    trial,
    weights: state.views('weights') as unknown as Weights,
    gradient: state.views('gradient') as unknown as Weights,
  };
  resetState(network);
  return { network, stages: workspace.compile(network) };
}
