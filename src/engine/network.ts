import {
  blockGroup,
  blockLength,
  channelName,
  populationSizes,
  projectionSizes,
  readoutSizes,
  signalNames,
  signalSizes,
} from '../core/bindings.ts';
import { cut, type Field, type Group, groupsLength, type Layout, type Role } from '../core/layout.ts';
import {
  type Backend,
  creditsInSteps,
  type Network,
  type NetworkLengths,
  type NetworkSpec,
  type OpenOptions,
  type PopulationSpec,
  type Stages,
  type WeightBlock,
} from '../core/network.ts';
import type { Activity, TrialRows } from '../core/plugins.ts';
import { noRows, type Rows } from '../core/rows.ts';
import { resetState } from './borders.ts';
import { moving } from './passes.ts';

const blockDocs: Readonly<Record<WeightBlock['kind'], string>> = {
  projection: 'weights of the projection, a bias last',
  readout: 'weights of the readout',
  bias: 'bias of the readout',
  signal: 'weights from the population to learning signals',
};

/** A group for each block of weights, with the field `name`: none of its numbers where nothing learns, and no copies of what does not. */
function blockGroups(spec: NetworkSpec, role: 'weights' | 'gradient' | 'optimizer' | undefined, name: string): Group[] {
  return spec.blocks.map((block) => {
    const { kind, owner, synapses, plastic } = block;
    const unit = role === 'gradient' ? 'gradient' : 'weight';
    const home = kind === 'bias' ? 'post' : 'synapse';
    const shape: Field['shape'] = synapses ? ['syn'] : kind === 'bias' ? ['out'] : ['pre', 'out'];
    const layout = { [name]: { shape, home, unit, doc: blockDocs[kind] } as const };
    const sizes = synapses ? { syn: synapses.nSyn } : readoutSizes(spec, spec.readouts[owner]);
    const none = { syn: 0, pre: 0, out: 0 };
    const needed = role === 'weights' || (spec.learns && (role !== undefined || plastic));
    return { name: blockGroup(block, spec), ...(role ? { role } : {}), layout, sizes: needed ? sizes : none };
  });
}

/** Groups of the state buffer, in the order in which a checkpoint holds them. */
function stateGroups(spec: NetworkSpec, backend: Backend): Group[] {
  const { sizes, populations, projections, readouts } = spec;
  const group = (name: string, role: Role, layout: Layout, of: Group['sizes']): Group => ({
    name,
    role,
    layout,
    sizes: of,
  });
  const groups: Group[] = [...blockGroups(spec, 'weights', 'weights'), ...blockGroups(spec, 'gradient', 'gradient')];
  for (const slot of spec.optimizer.slots) groups.push(...blockGroups(spec, 'optimizer', slot));
  for (const population of populations) {
    const { name, neuron } = population;
    groups.push(group(`population.${name}`, 'neuron', neuron.layout, populationSizes(spec, population)));
  }
  for (const readout of readouts) {
    groups.push(group(`readout.${readout.name}`, 'readout', readout.readout.layout, readoutSizes(spec, readout)));
  }
  // The other executions keep no traces from step to step.
  if (spec.execution === 'online') {
    for (const projection of projections) {
      projection.traces.forEach((trace, c) => {
        const name = channelName(`projection.${projection.name}.trace`, spec, c);
        groups.push(group(name, 'trace', kept(trace.layout, backend), projectionSizes(spec, projection)));
      });
    }
  }
  for (const population of populations) {
    population.signals.forEach((signal, c) => {
      const name = channelName(`population.${population.name}.signal`, spec, c);
      groups.push(group(name, 'signal', kept(signal.layout, backend), signalSizes(spec, population, c)));
    });
  }
  if (creditsInSteps(spec)) {
    for (const block of spec.blocks) {
      groups.push(
        group(`modulator.${block.name}`, 'trace', creditLayout(blockLength(block, spec)), { stream: sizes.stream }),
      );
    }
  }
  for (const projection of projections) {
    const { name, rewiring, scaling } = projection;
    const own = projectionSizes(spec, projection);
    if (rewiring) groups.push(group(`projection.${name}.rewiring`, 'upkeep', rewiring.part.layout, own));
    if (scaling) groups.push(group(`projection.${name}.scaling`, 'upkeep', scaling.part.layout, own));
  }
  if (spec.direct)
    groups.push(group('direct', 'direct', spec.direct.layout, { stream: sizes.stream, step: sizes.step }));
  if (spec.passes) groups.push(group('passes', 'passes', spec.passes.layout, { stream: sizes.stream }));
  for (const population of populations) {
    const own = populationSizes(spec, population);
    const name = `population.${population.name}`;
    groups.push(group(name, 'past', tailLayout(population), own), group(name, 'run', runLayout, own));
  }
  if (sizes.inHistory > 0) {
    const tail: Field = { shape: ['stream', sizes.inHistory, 'in'], home: 'pre', unit: '1', doc: 'last input' };
    groups.push(group('task', 'past', { tail }, { stream: sizes.stream, in: sizes.in }));
  }
  if (spec.formats) groups.push(group('fixed', 'fixed', fixedLayout(spec.formats.length + 1), {}));
  return groups;
}

const tailLayout = ({ history, neuron: { initialActivity = 0 } }: PopulationSpec): Layout => ({
  tail: {
    shape: ['stream', history, 'self'],
    home: 'post',
    unit: '1',
    doc: 'last activity of the trial before',
    initial: initialActivity,
  },
});

const creditLayout = (length: number): Layout => ({
  G: {
    shape: ['stream', length],
    home: 'synapse',
    unit: 'dE/dw',
    doc: 'trace times signal, as the modulator keeps it',
  },
});

const runLayout = {
  mean: { shape: ['stream', 'self'], home: 'post', unit: 'spikes/step', doc: 'running mean of the activity' },
} as const satisfies Layout;

const fixedLayout = (formats: number): Layout => ({
  chance: {
    shape: [formats],
    home: 'global',
    unit: '1',
    doc: 'sweeps of stochastic rounding, or the word of its LFSR',
  },
});

/** The rows of a trial: z and x have rows of the past before them. */
function trialGroups(spec: NetworkSpec, backend: Backend): Group[] {
  const { sizes, populations } = spec;
  const { step } = sizes;
  const shared = backend.sharesRows(spec);
  const currentRows = readsCurrent(spec) ? step : 0;
  const injects = spec.passes?.injects;
  const rows = (count: number, width: Field['shape'][number], doc: string): Field => ({
    shape: ['stream', count, width],
    home: 'post',
    unit: '1',
    doc,
  });
  const own = populations.flatMap((population): Group[] => {
    const { name, history } = population;
    const signals = signalNames(spec).map((signal) => [
      signal,
      rows(shared.signal ? 1 : step, 'self', 'learning signal'),
    ]);
    const layout: Layout = {
      z: rows(history + step, 'self', 'spikes or rates'),
      psi: rows(step, 'self', 'pseudo-derivative'),
      current: rows(currentRows, 'self', 'summed input'),
      injected: rows(injects?.current ? step : 0, 'self', 'injected current'),
      rateTerm: rows(shared.rateTerm ? 1 : step, 'self', 'firing-rate term'),
      ...Object.fromEntries(signals),
    };
    return [{ name: `population.${name}`, layout, sizes: populationSizes(spec, population) }];
  });
  const outputs: Layout = {
    y: rows(step, 'out', 'readout'),
    target: rows(step, 'out', 'target'),
    expected: rows(step, 'out', 'expected target'),
    weight: rows(step, 1, 'weight of the step in the loss'),
    error: rows(step, 'out', 'error'),
    reward: rows(spec.rewarded ? step : 0, 1, 'reward'),
    injected: rows(injects?.output ? step : 0, 'out', 'injected into readouts'),
  };
  return [
    ...own,
    ...copyGroups(spec),
    {
      name: 'task',
      layout: { x: rows(sizes.inHistory + step, 'in', 'input'), ...outputs },
      sizes: { stream: sizes.stream, in: sizes.in, out: sizes.out },
    },
  ];
}

/** Of a rule in passes: what it works with beside rows. */
function copyGroups(spec: NetworkSpec): Group[] {
  return (spec.passes?.copies ?? []).flatMap((name) => blockGroups(spec, undefined, name));
}

/** Rows that only few parts look at are kept where one does. */
function readsCurrent({ populations, projections, direct }: NetworkSpec): boolean {
  const parts = [
    ...populations.flatMap(({ signals }) => signals),
    ...projections.flatMap(({ traces }) => traces),
    ...(direct ? [direct] : []),
  ];
  return parts.some(({ footprint }) => footprint.reads.includes('current'));
}

/** Scratch of a step is left out where a backend does not keep it. */
function kept(layout: Layout, { keepsTransients }: Backend): Layout {
  if (keepsTransients) return layout;
  return Object.fromEntries(Object.entries(layout).filter(([, field]) => !field.transient));
}

const formatted: readonly Role[] = ['weights', 'optimizer', 'neuron', 'readout', 'trace', 'signal', 'direct', 'run'];

/** Names of all fields that may have a number format: what is stored from step to step, and rows that stages hand on. */
export function formattableFields(spec: NetworkSpec, backend: Backend): string[] {
  const state = stateGroups({ ...spec, formats: null }, backend)
    .filter(({ role = 'rows' }) => formatted.includes(role))
    .flatMap(({ name: group, layout }) =>
      Object.entries(layout).flatMap(([name, { transient, bookkeeping }]) =>
        transient || bookkeeping ? [] : [`${group}.${name}`],
      ),
    );
  const { populations, readouts } = spec;
  const perPopulation = (name: string) => populations.map((population) => `population.${population.name}.${name}`);
  const perReadout = (name: string) => readouts.map((readout) => `readout.${readout.name}.${name}`);
  return [
    ...state,
    ...perPopulation('psi'),
    ...perReadout('y'),
    ...perReadout('error'),
    ...signalNames(spec).flatMap(perPopulation),
    ...perPopulation('rateTerm'),
  ];
}

function movingLength(groups: readonly Group[]): number {
  return groupsLength(groups.filter(({ role = 'rows' }) => moving.includes(role)));
}

/** Numbers that a network of this spec needs: in its state, and in the arrays of a trial. */
export function networkLength(spec: NetworkSpec, backend: Backend): NetworkLengths {
  const [state, trial] = [stateGroups(spec, backend), trialGroups(spec, backend)];
  const lengths = { state: groupsLength(state), trial: groupsLength(trial) };
  // A rule in passes keeps states as they were before and after the first one, and what it did.
  const rows = lengths.trial - groupsLength(copyGroups(spec));
  return spec.passes ? { ...lengths, trial: lengths.trial + rows + 2 * movingLength(state) } : lengths;
}

/** Allocates a network's memory and compiles its stages. Weights and the signal's matrices are 0 until initialised. */
export function allocateNetwork(
  spec: NetworkSpec,
  backend: Backend,
  options: OpenOptions = {},
): { network: Network; stages: Stages } {
  const workspace = backend.open(spec, networkLength(spec, backend), options);
  const state = cut(stateGroups(spec, backend), workspace.allocate);
  const block = cut(trialGroups(spec, backend), workspace.allocate);
  const { sizes } = spec;
  const rows = (name: string, width: number, history = 0): Rows => {
    const data = block.field(name);
    const steps = width === 0 ? 0 : data.length / (sizes.stream * width) - history;
    return { data, width, from: 0, size: width, history, steps };
  };
  const activity = spec.populations.map(({ name, size, history }): Activity => {
    const own = (field: string, past = 0) => rows(`population.${name}.${field}`, size, past);
    return {
      z: own('z', history),
      psi: own('psi'),
      current: own('current'),
      injected: spec.passes?.injects.current ? own('injected') : noRows(block.field(`population.${name}.injected`)),
      rateTerm: own('rateTerm'),
      signals: signalNames(spec).map((signal) => own(signal)),
    };
  });
  const trial: TrialRows = {
    x: rows('task.x', sizes.in, sizes.inHistory),
    y: rows('task.y', sizes.out),
    target: rows('task.target', sizes.out),
    expected: rows('task.expected', sizes.out),
    weight: rows('task.weight', 1),
    error: rows('task.error', sizes.out),
    reward: rows('task.reward', spec.rewarded ? 1 : 0),
    injected: rows('task.injected', spec.passes?.injects.output ? sizes.out : 0),
  };
  const blocks = (field: string, from = state) =>
    Object.fromEntries(spec.blocks.map((of) => [of.name, from.field(`${blockGroup(of, spec)}.${field}`)]));
  const network: Network = {
    spec,
    state,
    trial,
    activity,
    weights: blocks('weights'),
    gradient: blocks('gradient'),
    copies: Object.fromEntries((spec.passes?.copies ?? []).map((name) => [name, blocks(name, block)])),
  };
  resetState(network);
  return { network, stages: workspace.compile(network) };
}
