import { describe, expect, it } from 'vitest';
import { gradientOf } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { activityOf, firstTrial, graphExperiment } from '../support/graphs.ts';

/** What rules do on graphs of several populations, on the fast backend against the reference. */

const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5, nRef: 2 };
const alif = { kind: 'alif', membrane: { decay: 0.85 }, vTh: 0.5, adaptation: { decay: 0.95 }, adaptBeta: 0.1 };
const spread = { ...alif, membrane: { decay: { kind: 'uniform', low: 0.7, high: 0.9 } } };
const filter = (decay: number) => ({ kind: 'leaky', filter: { decay } });

const strong = { kind: 'normal', gain: 2 };

const graph = {
  populations: { front: { size: 9, neuron: lif }, exc: { size: 14, neuron: alif }, inh: { size: 6, neuron: spread } },
  projections: {
    a: { from: 'input', to: 'front', init: strong },
    b: { from: 'front', to: 'exc', delayMs: 0, init: strong },
    c: { from: 'front', to: 'inh', delayMs: 0, connectivity: { kind: 'probability', p: 0.7 }, init: strong },
    d: { from: 'exc', to: 'exc', dale: 'excitatory' },
    e: { from: 'exc', to: 'inh', dale: 'excitatory' },
    f: { from: 'inh', to: 'exc', dale: 'inhibitory', connectivity: { kind: 'probability', p: 0.5 } },
  },
};
const alike = {
  out: { from: ['exc', 'inh'], readout: filter(0.7), outputs: [0, 1] },
  other: { from: ['front', 'inh'], readout: filter(0.7), outputs: [2], weight: 0.5 },
};
const different = {
  ...alike,
  other: { ...alike.other, readout: filter(0.4), loss: { kind: 'bernoulli' } },
  third: { from: 'inh', readout: filter(0), outputs: [3] },
};

function build(backend: string, config: Record<string, unknown>): Experiment {
  const { execution, unit = 'trial', readouts = alike, network = {}, optimizer = {}, projections, ...rest } = config;
  const all = { ...graph.projections, ...(projections as object) };
  const names = [...Object.keys(all), ...Object.keys(readouts as object)];
  return graphExperiment({
    backend,
    task: { kind: 'live', steps: 50, inputs: 8, outputs: readouts === different ? 4 : 3 },
    network: { ...graph, projections: all, readouts, ...(network as object) },
    optimizer: {
      kind: 'sgd',
      ...(optimizer as object),
      rates: Object.fromEntries(names.map((name) => [name, 0.01])),
    },
    training: { total: 8, streams: 3, execution, update: { unit } },
    ...rest,
  });
}

function pairOf(config: Record<string, unknown>): readonly [want: Experiment, got: Experiment] {
  const online = config.execution === 'postponed' ? 'online' : config.execution;
  return [build('reference', { ...config, execution: online }), build('wasm', config)];
}

/** Gradients of the first trial, as the reference has them. */
function expectSameGradients(config: Record<string, unknown>): void {
  const [want, got] = pairOf(config).map((experiment) => firstTrial(experiment));
  expect(activityOf(want)).toBeGreaterThan(100);
  const gradients = gradientOf(got);
  for (const [name, block] of Object.entries(gradientOf(want))) {
    expect(Math.max(...block.map(Math.abs)), name).toBeGreaterThan(1e-5);
    expect(gradients[name], name).toBeClose(block, { relative: 2e-5, absolute: 1e-7 });
  }
}

/** Weights and feedback after a training. */
function expectSameTraining(config: Record<string, unknown>): void {
  const [want, got] = pairOf(config);
  for (const experiment of [want, got]) experiment.train();
  const { weights, state } = got.run.network;
  for (const [name, block] of Object.entries(want.run.network.weights)) {
    expect(weights[name], name).toBeClose(block, { relative: 1e-4, absolute: 2e-6 });
  }
  const { state: expected } = want.run.network;
  const fields = expected.table.map(({ name }) => name).filter((name) => /\.(A|B|J|losses|errorsDrawn)$/.test(name));
  for (const name of fields) {
    expect(state.field(name), name).toBeClose(expected.field(name), { relative: 1e-4, absolute: 2e-6 });
  }
}

const rateTerm = { strength: 0.5, targetHz: 50, mean: 'trial' };
const executions = ['online', 'deferred'];

describe.each(executions)('adaptive feedback, %s', (execution) => {
  const rule = { name: 'e-prop-1', feedback: 'adaptive', feedbackDecay: 0.05 };

  it.each([{ kind: 'sgd' }, { kind: 'adam' }, { kind: 'momentum' }])('B follows every readout, $kind', (optimizer) => {
    expectSameTraining({ rule, execution, optimizer });
  });

  it('B follows the readouts of its own filter', () => expectSameTraining({ rule, execution, readouts: different }));
});

describe.each(executions)('errors as spikes, %s', (execution) => {
  it.each(['symmetric', 'random', 'adaptive'])('%s: each population hears its own', (feedback) => {
    const rule = { name: 'e-prop-1', feedback, errorSpikeSize: 0.3 };
    expectSameGradients({ rule, execution });
    expectSameTraining({ rule, execution });
  });

  it('of readouts with different filters', () => {
    const rule = { name: 'e-prop-1', feedback: 'random', errorSpikeSize: 0.3 };
    expectSameGradients({ rule, execution, readouts: different });
  });
});

describe.each(executions)('readouts with different filters, %s', (execution) => {
  it.each(['symmetric', 'random'])('%s', (feedback) => {
    const rule = { name: 'e-prop-1', feedback };
    expectSameGradients({ rule, execution, readouts: different });
    expectSameGradients({ rule, execution, readouts: different, rateTerm });
    expectSameGradients({ rule, execution, readouts: different, rateTerm: { ...rateTerm, mean: 'running' } });
    expectSameTraining({ rule, execution, readouts: different, rateTerm });
  });

  it('RFLO', () => expectSameGradients({ rule: { name: 'rflo' }, execution, readouts: different }));
});

it('readouts with different filters, weights that change within a trial', () => {
  expectSameTraining({ rule: { name: 'e-prop-1' }, readouts: different, unit: 'step' });
});

it('readouts with different filters, postponed', () => {
  const connectivity = { kind: 'dense' };
  const projections = { c: { ...graph.projections.c, connectivity }, f: { ...graph.projections.f, connectivity } };
  expectSameGradients({
    rule: { name: 'e-prop-1' },
    execution: 'postponed',
    readouts: different,
    rateTerm,
    projections,
  });
});

describe.each([...executions, 'postponed'])('spikes at borders are dropped, %s', (execution) => {
  it('also those of layers within a step', () => {
    const connectivity = execution === 'postponed' ? { kind: 'dense' } : { kind: 'probability', p: 0.7 };
    const projections = Object.fromEntries(
      Object.entries(graph.projections).map(([name, one]) => [
        name,
        'connectivity' in one ? { ...one, connectivity } : one,
      ]),
    );
    const current = { populations: { ...graph.populations, front: { ...graph.populations.front, current: 0.6 } } };
    const network = { ...current, projections, borderSpikes: 'drop' };
    expectSameGradients({ rule: { name: 'e-prop-1' }, execution, network });
  });
});

describe('dendrite rules within each population', () => {
  const rates = { rateA: 0.05, rateJ: 0.1 };
  const network = { populations: { ...graph.populations, inh: { size: 6, neuron: { ...lif, vTh: 0.2 } } } };

  it.each([
    { label: 'SG-r/D', config: { rule: { name: 'sg-r-d', ...rates } } },
    { label: 'symmetric', config: { rule: { name: 'sg-r-d', feedback: 'symmetric', ...rates } } },
    { label: 'lean', config: { rule: { name: 'sg-r-d-lean', ...rates }, network } },
    { label: 'errors as spikes', config: { rule: { name: 'sg-r-d', errorSpikeSize: 0.3, ...rates } } },
    {
      label: 'phases, and readouts with different filters',
      config: { rule: { name: 'sg-r-d', stepsPerPhase: 5, ...rates }, readouts: different, network },
    },
  ])('$label', ({ config }) => {
    expectSameGradients({ ...config, execution: 'online' });
    expectSameTraining({ ...config, unit: 'step' });
  });
});

describe('BPTT', () => {
  const cuba = { kind: 'cuba-lif', membrane: { decay: 0.8 }, vTh: 0.3, synapse: { decay: 0.5 } };
  const integrator = { kind: 'integrator', leak: { decay: 0.8 } };
  const others = {
    populations: {
      front: { size: 9, neuron: integrator },
      exc: { size: 14, neuron: alif },
      inh: { size: 6, neuron: cuba, current: 0.05 },
    },
  };
  const rate = (decay: number) => ({ kind: 'rate', leak: { decay } });
  const rates = {
    populations: { ...others.populations, front: { size: 9, neuron: rate(0) }, exc: { size: 14, neuron: rate(0.6) } },
  };
  const late = { d: { ...graph.projections.d, delayMs: { kind: 'uniform', low: 1, high: 4 } } };
  const alone = { connectivity: { kind: 'in-degree', n: 5 } };
  const sparse = { a: { ...graph.projections.a, ...alone } };

  it.each([
    { label: 'symmetric', config: { rule: { name: 'bptt' } } },
    { label: 'random', config: { rule: { name: 'bptt', feedback: 'random' } } },
    {
      label: 'attached reset, delays by synapse',
      config: { rule: { name: 'bptt', reset: 'attached' }, projections: late },
    },
    { label: 'currents and integrators', config: { rule: { name: 'bptt' }, network: others } },
    { label: 'rates', config: { rule: { name: 'bptt' }, network: rates } },
    { label: 'sparse input', config: { rule: { name: 'bptt' }, projections: sparse } },
    { label: 'with a rate term', config: { rule: { name: 'bptt' }, rateTerm } },
    { label: 'spikes at borders dropped', config: { rule: { name: 'bptt' }, network: { borderSpikes: 'drop' } } },
    { label: 'windows', config: { rule: { name: 'bptt', window: 12, segment: 5 } } },
    {
      label: 'windows that are dropped',
      config: { rule: { name: 'bptt', window: 12, segment: 8, incomplete: 'drop' } },
    },
  ])('$label', ({ config }) => {
    expectSameGradients({ ...config, readouts: different });
    expectSameTraining({ ...config, readouts: different });
  });

  it.each(['attached', 'detached'])('total derivatives, reset %s', (reset) => {
    const network = reset === 'attached' ? {} : others;
    const [want, got] = pairOf({
      rule: { name: 'bptt', reset, window: 12, segment: 5 },
      network,
      execution: 'online',
    }).map((experiment) => {
      return firstTrial(experiment).network.activity.map(({ signals }) => signals[0].data);
    });
    for (const [p, signal] of want.entries()) {
      expect(Math.max(...signal.map(Math.abs))).toBeGreaterThan(1e-3);
      expect(got[p], `population ${p}`).toBeClose(signal, { relative: 2e-5, absolute: 1e-7 });
    }
  });

  it('with updates within a trial', () => {
    expectSameTraining({ rule: { name: 'bptt', window: 10, segment: 1 }, unit: 'step', readouts: different });
  });
});

it.each(executions)('a first population that does not learn holds nobody back, %s', (execution) => {
  const projections = { a: { ...graph.projections.a, plastic: false } };
  const config = { rule: { name: 'e-prop-1' }, execution, projections, rateTerm };
  const [want, got] = pairOf(config).map((experiment) => gradientOf(firstTrial(experiment)));
  for (const name of ['b', 'c', 'd', 'e', 'f']) {
    expect(Math.max(...want[name].map(Math.abs)), name).toBeGreaterThan(1e-5);
    expect(got[name], name).toBeClose(want[name], { relative: 2e-5, absolute: 1e-7 });
  }
});
