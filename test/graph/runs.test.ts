import { describe, expect, it } from 'vitest';
import { gradientOf } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { firstTrial, graphExperiment } from '../support/graphs.ts';

/** What every run can do, on a graph with delays of single synapses, signs, two readouts and frozen weights. */
const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5, nRef: 2 };
const readout = { kind: 'leaky', filter: { decay: 0.7 } };
const config = {
  task: { kind: 'live', steps: 40, inputs: 12, outputs: 3 },
  network: {
    populations: {
      front: { size: 8, neuron: lif },
      exc: { size: 14, neuron: { ...lif, kind: 'alif', adaptation: { decay: 0.95 }, adaptBeta: 0.1 } },
      inh: { size: 6, neuron: lif, bias: 0.01 },
    },
    projections: {
      a: { from: 'input', to: 'front', init: { kind: 'normal', gain: 2 } },
      b: { from: 'front', to: 'exc', delayMs: 0, init: { kind: 'normal', gain: 2 } },
      c: { from: 'front', to: 'inh', plastic: false, init: { kind: 'normal', gain: 2 } },
      d: { from: 'exc', to: 'inh', dale: 'excitatory', delayMs: { kind: 'uniform', low: 1, high: 3 } },
      e: { from: 'inh', to: 'exc', dale: 'inhibitory', connectivity: { kind: 'probability', p: 0.4 } },
    },
    readouts: {
      one: { from: ['exc', 'inh'], readout, outputs: [0, 1] },
      two: { from: 'front', readout, outputs: [2], weight: 0.5 },
    },
  },
  optimizer: {
    kind: 'adam',
    rates: { a: 0.002, b: 0.002, d: 0.002, e: 0.002, one: 0.01, two: 0.01, 'inh.bias': 0.001 },
  },
  training: { total: 12, streams: 2 },
};

const rules = [
  ['e-prop 1', { name: 'e-prop-1', feedback: 'random' }],
  ['e-prop 1, adaptive', { name: 'e-prop-1', feedback: 'adaptive' }],
  ['errors as spikes', { name: 'e-prop-1', errorSpikeSize: 0.3 }],
  ['BPTT', { name: 'bptt' }],
  ['UORO', { name: 'uoro' }],
] as const;

function weightsOf({ run }: Experiment): Record<string, number[]> {
  return Object.fromEntries(Object.entries(run.network.weights).map(([name, values]) => [name, Array.from(values)]));
}

describe.each(rules)('a graph learns by %s', (_label, rule) => {
  it('and a run that stops and goes on ends with the bytes of one that does not', () => {
    const whole = graphExperiment({ ...config, rule });
    const before = weightsOf(whole);
    whole.train();
    const half = graphExperiment({ ...config, rule });
    half.train({ until: 5 });
    const rest = graphExperiment({ ...config, rule });
    rest.restore(half.checkpoint(), 'half');
    rest.train();
    expect(rest.checkpoint()).toEqual(whole.checkpoint());
    const after = weightsOf(whole);
    for (const name of Object.keys(before)) {
      if (name === 'c') expect(after[name]).toEqual(before[name]);
      else expect(after[name], name).not.toEqual(before[name]);
    }
  });
});

it('signs hold through training, and bind where they are said to', () => {
  const experiment = graphExperiment({ ...config, rule: rules[0][1] });
  experiment.train();
  const { weights } = experiment.run.network;
  const parts = Object.entries(weights).filter(([name]) => /^d(@|$)/u.test(name));
  expect(parts.length).toBe(3);
  for (const [name, values] of parts) expect(Math.min(...values), name).toBeGreaterThanOrEqual(0);
  expect(Math.max(...weights.e)).toBeLessThanOrEqual(0);
  expect(Math.min(...weights.a)).toBeLessThan(0);
});

describe('the fixed backend on a graph', () => {
  const fixed = (formats: Record<string, unknown>) =>
    graphExperiment({ ...config, rule: rules[0][1], backend: 'fixed', fixed: { formats } });

  it('keeps every weight on its grid, each projection on its own, and counts', () => {
    const experiment = fixed({
      '*.weights': { bits: 8, range: 4, rounding: 'stochastic' },
      'projection.e.weights': { bits: 6, range: 2 },
    });
    experiment.train();
    const { weights, state } = experiment.run.network;
    const onGrid = (values: ArrayLike<number>, step: number) =>
      Array.from(values).every((value) => Number.isInteger(value / step));
    expect(onGrid(weights.a, 4 / 128)).toBe(true);
    expect(onGrid(weights.e, 2 / 32)).toBe(true);
    expect(onGrid(state.field('readout.two.weights'), 4 / 128)).toBe(true);
    expect(Array.from(weights.a).some((value) => value !== 0)).toBe(true);
  });

  it('with words that are wide enough has the gradients of the reference', () => {
    const wide = firstTrial(fixed({ '*.weights': { bits: 32, fraction: 26 }, '*.v': { bits: 32, fraction: 26 } }));
    const exact = firstTrial(graphExperiment({ ...config, rule: rules[0][1] }));
    const want = gradientOf(exact);
    for (const [name, got] of Object.entries(gradientOf(wide))) {
      expect(got, name).toBeClose(want[name], { relative: 1e-4, absolute: 1e-4 });
    }
  });
});
