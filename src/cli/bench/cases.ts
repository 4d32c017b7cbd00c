import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preset } from '../../config/presets.ts';
import { applySettings } from '../../config/settings.ts';
import { createExperiment, type Experiment } from '../../experiment/experiment.ts';
import { catalogue } from '../catalogue.ts';
import { buildTraining, type EpropTrainingFile } from '../verify/epropTraining.ts';
import { type Loop, reckonEpoch } from './reckon.ts';

/** A case that is no experiment of ours: a loop, by itself. */
export interface LoopCase {
  readonly name: string;
  readonly repetitions: number;
  readonly timed: 'loop';
  /** What computes it. */
  readonly backend: string;
  build(): Loop;
  readonly needsTensorFlow?: false;
}

/** One timed case. */
export interface Case {
  readonly name: string;
  /** Thread counts to time; the numbers that come out must not depend on it. */
  readonly threads: readonly number[];
  readonly repetitions: number;
  build(threads: number): Experiment;
  /** `trial`: one training iteration on data that are there. `training`: with data, scores and checks, as a user waits for it. */
  readonly timed: 'trial' | 'training';
  /** Arguments of bench/native/online.c for the same loop in C; null where there is none. */
  readonly native: readonly number[] | null;
  /** Skipped, visibly, where TensorFlow.js is not installed. */
  readonly needsTensorFlow?: boolean;
}

const golden = fileURLToPath(new URL('../../../../test/golden/eprop-nest-pattern-generation.json', import.meta.url));

const alif = {
  kind: 'alif',
  membrane: { tauMs: 20 },
  adaptation: { tauMs: 200 },
  vTh: 0.6,
  adaptBeta: 0.05,
  adaptiveShare: 0.5,
  nRef: 5,
};

/** ALIF network on the pattern task, half of the neurons adaptive, at 10 to 20 Hz. */
function network(neurons: number, settings: readonly string[] = []): unknown {
  return applySettings(preset('pattern-generation'), [
    'seed=3',
    `network.neurons=${neurons}`,
    `network.neuron=${JSON.stringify(alif)}`,
    'network.input={"init":{"kind":"normal","gain":0.95}}',
    'network.recurrent={"init":{"kind":"normal","gain":0.5}}',
    'network.readout={"kind":"leaky","filter":{"tauMs":20},"bias":false}',
    'task.inputRateHz=20',
    'rateTerm={"strength":2,"targetHz":10,"mean":"trial"}',
    'optimizer.rates={"in":1e-6,"rec":1e-6,"out":1e-6}',
    'training.total=1000000',
    ...settings,
  ]);
}

/** 50 LIF and 50 ALIF neurons, 40 inputs, 2250 steps, as in evidence accumulation. */
function evidence(streams: number): unknown {
  return network(100, [
    'task.steps=2250',
    'task.inputs=40',
    'task.outputs=2',
    'loss={"kind":"softmax","window":{"start":2100,"length":150}}',
    `training.streams=${streams}`,
  ]);
}

/** 100 plastic synapses a neuron: 90 recurrent, 10 from 100 inputs. */
function sparse(neurons: number): unknown {
  return network(neurons, [
    'network.input={"connectivity":{"kind":"in-degree","n":10},"init":{"kind":"normal","gain":1.05}}',
    'network.recurrent={"connectivity":{"kind":"in-degree","n":90},"init":{"kind":"normal","gain":0.5}}',
  ]);
}

const recurrentSd = 0.5 / Math.sqrt(1000);

/** 800 ALIF and 200 LIF neurons, each with the input, and four projections between them; `p`: share of the pairs that are connected. */
function excitatoryInhibitory(p: number): unknown {
  const { adaptiveShare: _, adaptation, adaptBeta, ...lif } = alif;
  const connectivity = p < 1 ? { kind: 'probability', p } : { kind: 'dense' };
  const init = { kind: 'normal-sd', sd: recurrentSd / Math.sqrt(p) };
  const input = (to: string) => ({ from: 'input', to, init: { kind: 'normal', gain: 0.95 } });
  const between = (from: string, to: string) => ({ from, to, connectivity, init });
  return graph(
    {
      exc: { size: 800, neuron: { ...lif, kind: 'alif', adaptation, adaptBeta } },
      inh: { size: 200, neuron: { ...lif, kind: 'lif' } },
    },
    {
      'input-exc': input('exc'),
      'input-inh': input('inh'),
      'exc-exc': between('exc', 'exc'),
      'exc-inh': between('exc', 'inh'),
      'inh-exc': between('inh', 'exc'),
      'inh-inh': between('inh', 'inh'),
    },
    ['exc', 'inh'],
  );
}

/** The same neurons as one population. */
function together(p: number): unknown {
  const connectivity = p < 1 ? { kind: 'probability', p } : { kind: 'dense' };
  const recurrent = { connectivity, init: { kind: 'normal-sd', sd: recurrentSd / Math.sqrt(p) } };
  return network(1000, ['network.neuron.adaptiveShare=0.8', `network.recurrent=${JSON.stringify(recurrent)}`]);
}

/** Three layers of 200 LIF neurons within a step. */
function layers(): unknown {
  const { adaptiveShare: _, adaptation: __, adaptBeta: ___, ...lif } = alif;
  const layer = { size: 200, neuron: { ...lif, kind: 'lif' } };
  const feed = (from: string, to: string, gain: number) => ({ from, to, delayMs: 0, init: { kind: 'normal', gain } });
  return graph(
    { one: layer, two: layer, three: layer },
    { in: feed('input', 'one', 0.95), up: feed('one', 'two', 3), top: feed('two', 'three', 3) },
    ['three'],
  );
}

/** A graph on the task and with the rule of `network`. */
function graph(populations: object, projections: object, from: readonly string[]): unknown {
  const { network: short, optimizer, ...rest } = network(1) as Record<string, Record<string, unknown>>;
  const rates = Object.fromEntries([...Object.keys(projections), 'out'].map((name) => [name, 1e-6]));
  return {
    ...rest,
    network: { dtMs: short.dtMs, populations, projections, readouts: { out: { from, readout: short.readout } } },
    optimizer: { ...optimizer, rates },
  };
}

/** Evidence for a reward, 32 episodes at once; without a modulator it is e-prop 1 of the same losses. */
function cueReward(settings: readonly string[]): unknown {
  return applySettings(preset('cue-reward'), ['seed=3', 'rateTerm.strength=0', 'training.total=1000000', ...settings]);
}

/** A rule without a firing-rate term, on the network of `dense-100`. */
function passes(rule: string, ...settings: readonly string[]): unknown {
  return network(100, [`rule={${[`"name":"${rule}"`, ...settings].join()}}`, 'rateTerm.strength=0']);
}

/** Learning signals of a module, 24 trials of 80 steps at once, each done twice. */
function twoPasses(settings: readonly string[]): unknown {
  return applySettings(preset('one-shot-patterns'), ['seed=3', 'training.total=1000000', ...settings]);
}

const plain = (name: string, raw: () => unknown, repetitions: number): Case => ({
  name,
  threads: [1],
  repetitions,
  build: (threads) => createExperiment(raw(), catalogue, { threads }),
  timed: 'trial',
  native: null,
});

const online = (neurons: number, steps: number): Case => ({
  ...plain(
    `online-${neurons}`,
    () => network(neurons, ['training.execution=online', 'rateTerm.strength=0', `task.steps=${steps}`]),
    15,
  ),
  native: [neurons, 100, steps, 15],
});

/** The same network on TensorFlow.js, 500 steps, in a batch. */
const tensors = (streams: number): Case => {
  const settings = ['backend=tfjs', 'task.steps=500', `training.streams=${streams}`];
  return { ...plain(`tfjs-${streams}`, () => network(100, settings), 5), needsTensorFlow: true };
};

export const cases: readonly (Case | LoopCase)[] = [
  { ...plain('pattern', () => null, 60), build: () => pattern() },
  plain('evidence', () => evidence(1), 40),
  plain('dense-100', () => network(100), 40),
  plain('dense-400', () => network(400), 25),
  plain('dense-1000', () => network(1000), 15),
  online(100, 1000),
  online(400, 480),
  online(1000, 160),
  plain(
    'online-postponed-400',
    () => network(400, ['training.execution=postponed', 'rateTerm.strength=0', 'task.steps=480']),
    15,
  ),
  plain('graph-one', () => together(1), 15),
  plain('graph-ei', () => excitatoryInhibitory(1), 15),
  plain('graph-one-sparse', () => together(0.2), 15),
  plain('graph-ei-sparse', () => excitatoryInhibitory(0.2), 15),
  plain('layers-3', layers, 40),
  plain('sparse-10k', () => sparse(10_000), 5),
  plain('sparse-100k', () => sparse(100_000), 3),
  { ...plain('four-six-back', () => preset('four-six-back'), 60), timed: 'training' },
  {
    ...plain('sg-rd', () => applySettings(preset('four-six-back'), ['rule={"name":"sg-r-d"}']), 60),
    timed: 'training',
  },
  {
    ...plain('sg-rd-lean', () => applySettings(preset('four-six-back'), ['rule.name=sg-r-d-lean']), 60),
    timed: 'training',
  },
  { ...plain('fixed-four-six-back', () => inWords('sg-r-d-lean'), 30), timed: 'training' },
  { ...plain('fixed-e-prop-1', () => inWords('e-prop-1'), 30), timed: 'training' },
  { ...plain('reward', () => cueReward([]), 30), timed: 'training' },
  { ...plain('reward-none', () => cueReward(['modulator=null', 'training.execution=online']), 30), timed: 'training' },
  plain('forward-only', () => passes('readout-only'), 40),
  plain('perturbed-weights', () => passes('weight-perturbation'), 40),
  plain('perturbed-nodes', () => passes('node-perturbation'), 40),
  plain('perturbed-nodes-by-signs', () => passes('node-perturbation', '"noise":"sign"'), 40),
  plain('two-passes', () => twoPasses([]), 30),
  plain('two-passes-reference', () => twoPasses(['backend=reference']), 10),
  { ...plain('batch-64', () => evidence(64), 7), threads: [1, 2, 4] },
  tensors(1),
  tensors(16),
  tensors(64),
  { name: 'reckon-epoch', repetitions: 5, timed: 'loop', backend: 'integers', build: reckonEpoch },
];

/** A rule in the words of the preset that it has numbers for, updates at every step. */
function inWords(name: string): unknown {
  const raw = preset('four-six-back-8bit');
  const { formats } = raw.fixed as { formats: Record<string, unknown> };
  const own = Object.entries(formats).filter(
    ([field]) => name.startsWith('sg') || !/\.signal\.(A|J|distal)$/.test(field),
  );
  const { training } = preset('four-six-back');
  return { ...raw, rule: { name }, training, fixed: { formats: Object.fromEntries(own) } };
}

/** NEST's instance of the pattern task where its file is at hand (in a clone), else one of the same size. */
function pattern(): Experiment {
  if (!existsSync(golden))
    return createExperiment(applySettings(preset('pattern-generation'), ['training.total=1000000']), catalogue);
  const file = JSON.parse(readFileSync(golden, 'utf8')) as EpropTrainingFile;
  return buildTraining(file, 'auto');
}
