import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { preset } from '../../src/config/presets.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';
import {
  activityOf,
  expectSame,
  firstTrial,
  graphExperiment,
  largestOf,
  slope,
  slopesOf,
  smoothCatalogue,
} from '../support/graphs.ts';
import { liveCatalogue } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const lif = { kind: 'lif', membrane: { decay: 0.85 }, vTh: 0.5, ...slope };
const alif = { ...lif, kind: 'alif', adaptation: { decay: 0.95 }, adaptBeta: [0, 0.1, 0.2, 0.05, 0.15] };
const cuba = { ...lif, kind: 'cuba-lif', synapse: { decay: 0.6 } };
const mixed = { ...lif, membrane: { decay: [0.8, 0.85, 0.9, 0.7, 0.75] } };

const names = ['in', 'rec', 'see', 'watch', 'module', 'out', 'module.signal'];

interface Options {
  readonly neuron?: object;
  readonly module?: object;
  readonly rule?: object;
  readonly projections?: object;
  readonly populations?: object;
  readonly readouts?: object;
  readonly config?: object;
  readonly smooth?: boolean;
  readonly drop?: boolean;
}

/** Five neurons with a module of four, whose input and recurrence have delays; a trial of 25 steps. */
function experimentOf({
  neuron = lif,
  module = lif,
  rule = {},
  config = {},
  smooth = true,
  drop = false,
  ...own
}: Options = {}) {
  const init = { kind: 'normal', gain: 1.2 };
  return graphExperiment(
    {
      network: {
        borderSpikes: drop ? 'drop' : 'keep',
        populations: { rec: { size: 5, neuron }, module: { size: 4, neuron: module }, ...own.populations },
        projections: {
          in: { from: 'input', to: 'rec', init },
          rec: { from: 'rec', to: 'rec', init, delayMs: { kind: 'uniform', low: 1, high: 3 } },
          see: { from: 'input', to: 'module', init, delayMs: 1 },
          watch: { from: 'rec', to: 'module', init, delayMs: 0 },
          module: { from: 'module', to: 'module', init, connectivity: { kind: 'in-degree', n: 2 } },
          ...own.projections,
        },
        readouts: { out: { from: 'rec', readout: { kind: 'leaky', filter: { decay: 0.8 } } }, ...own.readouts },
      },
      rule: { name: 'e-prop-2', module: 'module', rate: 0.05, filter: { decay: 0.7 }, scale: '1-kappa', ...rule },
      optimizer: { kind: 'sgd', rates: Object.fromEntries(names.map((name) => [name, 1])) },
      task: { kind: 'live', steps: 25, inputs: 3, outputs: 2 },
      training: { total: 2, streams: 2, update: { reduction: 'sum' } },
      ...config,
    },
    smooth ? smoothCatalogue : liveCatalogue,
  );
}

const everything = (length: number) => Array.from({ length }, (_, s) => s);

/** The gradient where the loss has a slope to be measured, and that slope. */
function both(experiment: Experiment) {
  const gradient = gradientOf(firstTrial(experiment));
  const measured = slopesOf(experiment, everything);
  const pick = (value: (name: string, s: number, difference: number) => number) => {
    const found: Record<string, number[]> = {};
    for (const { name, s, difference } of measured) {
      found[name] ??= [];
      found[name].push(value(name, s, difference));
    }
    return found;
  };
  return {
    analytic: pick((name, s) => gradient[name][s]),
    numeric: pick((_name, _s, difference) => difference),
  };
}

describe.each([
  ['lif', { neuron: lif }],
  ['alif', { neuron: alif }],
  ['current-based lif', { neuron: cuba }],
  ['lif of several membranes, an adaptive module', { neuron: mixed, module: { ...alif, adaptBeta: 0.1 } }],
] as const)('%s', (_label, options) => {
  it('the full gradient is the slope of the loss of the test trial', () => {
    const experiment = experimentOf(options);
    const { analytic, numeric } = both(experiment);
    expect(activityOf(experiment.run)).toBeGreaterThan(1);
    for (const name of names)
      expect(largestOf({ [name]: numeric[name.replace('rec', 'rec@1')] ?? numeric[name] })).toBeGreaterThan(1e-4);
    expectSame(analytic, numeric, 1e-6, 0);
  });

  it('first order differs from it in the weights of the taught network alone', () => {
    const full = gradientOf(firstTrial(experimentOf(options)));
    const first = gradientOf(firstTrial(experimentOf({ ...options, rule: { gradient: 'first-order' } })));
    const taught = Object.keys(full).filter((name) => /^(in|rec)/.test(name));
    for (const name of Object.keys(full)) {
      if (!taught.includes(name)) expect(first[name]).toBeClose(full[name], tolerances.reordered);
    }
    const pickTaught = (of: typeof full) => Object.fromEntries(taught.map((name) => [name, of[name]]));
    expect(() => expectSame(pickTaught(first), pickTaught(full), 1e-3, 0)).toThrow();
  });
});

const more = {
  populations: { more: { size: 3, neuron: { ...alif, adaptBeta: 0.1 } } },
  projections: {
    up: { from: 'rec', to: 'more', delayMs: 1 },
    down: { from: 'more', to: 'rec', delayMs: 2, connectivity: { kind: 'in-degree', n: 2 } },
    tell: { from: 'more', to: 'module', delayMs: 1 },
  },
  readouts: { out: { from: ['rec', 'more'], readout: { kind: 'leaky', filter: { decay: 0.8 } } } },
};
const noDelays = {
  rec: { from: 'rec', to: 'rec', init: { kind: 'normal', gain: 1.2 } },
  see: { from: 'input', to: 'module', init: { kind: 'normal', gain: 1.2 } },
};
const within = {
  ...more,
  projections: {
    ...noDelays,
    up: { from: 'rec', to: 'more', delayMs: 0, init: { kind: 'normal', gain: 1.2 } },
    down: { from: 'more', to: 'rec', delayMs: 1 },
    tell: { from: 'more', to: 'module', delayMs: 1 },
  },
};
const allNames = [...names, 'up', 'down', 'tell'];
const frozen = { in: { from: 'input', to: 'rec', plastic: false, init: { kind: 'normal', gain: 1.2 } } };
const noRates = { kind: 'sgd', rates: { ...Object.fromEntries(names.map((name) => [name, 1])), in: 0, rec: 0 } };
const ofAll = (config: object = {}) => ({
  optimizer: { kind: 'sgd', rates: Object.fromEntries(allNames.map((name) => [name, 1])) },
  ...config,
});

it('two populations that are taught each have their own signals', () => {
  const { analytic, numeric } = both(experimentOf({ ...more, config: ofAll() }));
  expectSame(analytic, numeric, 1e-6, 0);
});

const float32 = { relative: 2e-4 };

/** Float32 against float64 where all spikes agree; see `test/conformance/backends.test.ts` for the tolerance. */
describe.each([
  ['lif', { neuron: lif }],
  ['alif', { neuron: alif, module: { ...alif, adaptBeta: 0.1 } }],
  ['current-based lif', { neuron: cuba, module: cuba }],
  ['lif of several membranes', { neuron: mixed }],
  ['two populations that are taught', { ...more, config: ofAll() }],
  ['frozen projections', { projections: frozen }],
  ['projections that the outer loop leaves as they are', { config: { optimizer: noRates } }],
  ['no spikes across the border of a trial', { projections: noDelays, drop: true }],
  ['no spikes across the border, from one to the next within a step', { ...within, config: ofAll(), drop: true }],
  ['a firing-rate term', { config: { rateTerm: { strength: 2, targetHz: 50, mean: 'batch' } } }],
  ['streams of several shards', { config: { training: { total: 20, streams: 20, update: { reduction: 'sum' } } } }],
] as const)('the kernel, %s', (_label, options: Options) => {
  it.each(['full', 'first-order'])('has the gradient of the reference, %s', (gradient) => {
    const [want, have] = (['reference', 'wasm'] as const).map((backend) => {
      const config = { ...options.config, backend };
      const experiment = experimentOf({ ...options, rule: { gradient }, config, smooth: false });
      const run = firstTrial(experiment);
      const { trial, activity } = run.network;
      expect(trial.error.data).toBeInstanceOf(backend === 'wasm' ? Float32Array : Float64Array);
      const rows = { error: trial.error.data, told: activity[0].signals[0].data };
      return { spikes: activityOf(run), gradient: gradientOf(run), ...rows };
    });
    expect(want.spikes).toBeGreaterThan(1);
    expect(have.spikes).toBe(want.spikes);
    for (const [name, values] of Object.entries(want.gradient)) {
      // One delay of three may have synapses that owe nothing.
      if (name !== 'rec@1') expect(largestOf({ [name]: values })).toBeGreaterThan(1e-4);
      expect(have.gradient[name]).toBeClose(values, float32);
    }
    for (const name of ['error', 'told'] as const) {
      expect(largestOf({ [name]: want[name] })).toBeGreaterThan(0);
      expect(have[name]).toBeClose(want[name], float32);
    }
  });
});

it('a rate of 0 leaves the test trial without what was told, and its gradient that of backpropagation', () => {
  const own = gradientOf(firstTrial(experimentOf({ rule: { rate: 0 }, smooth: false })));
  const beside = experimentOf({ rule: { rate: 0 }, smooth: false });
  const { network } = beside.run;
  const alone = graphExperiment({
    ...beside.config,
    network: {
      ...beside.config.network,
      populations: { rec: beside.config.network.populations.rec },
      projections: { in: beside.config.network.projections.in, rec: beside.config.network.projections.rec },
    },
    rule: { name: 'bptt', reset: 'attached' },
    optimizer: { kind: 'sgd', rates: { in: 1, rec: 1, out: 1 } },
  });
  for (const { name } of alone.run.network.spec.blocks) alone.run.network.weights[name].set(network.weights[name]);
  const bptt = gradientOf(firstTrial(alone));
  expect(largestOf(bptt)).toBeGreaterThan(0);
  for (const name of Object.keys(bptt)) expect(own[name]).toBeClose(bptt[name], tolerances.reordered);
});

it('frozen projections are not changed between the passes', () => {
  const experiment = experimentOf({
    smooth: false,
    projections: { in: { from: 'input', to: 'rec', plastic: false, init: { kind: 'normal', gain: 1.2 } } },
  });
  const { run } = experiment;
  firstTrial(experiment);
  expect(run.outer?.test.network.weights.in).toBeBitEqual(run.network.weights.in);
  expect(run.outer?.test.network.weights['rec@1']).not.toBeBitEqual(run.network.weights['rec@1']);
});

describe('as an experiment', () => {
  const catalogue = { ...models, tasks };
  const small = (settings: object = {}) => ({
    ...preset('one-shot-patterns'),
    training: { total: 96, streams: 8 },
    evaluation: { total: 16, streams: 8 },
    ...settings,
  });

  const own = preset('one-shot-patterns').network as { readonly readouts: { readonly out: object } };
  const critical = { ...own, readouts: { out: { ...own.readouts.out, loss: { kind: 'value' } } } };

  it('a resumed run has the bits of one that went on', () => {
    const whole = createExperiment(small(), catalogue);
    whole.train();
    const first = createExperiment(small(), catalogue);
    first.train({ until: 40 });
    const second = createExperiment(small(), catalogue);
    second.restore(first.checkpoint());
    second.train();
    expect(second.checkpoint()).toEqual(whole.checkpoint());
    expect(second.evaluate()).toEqual(whole.evaluate());
  });

  it('scores both passes, in training and on fresh trials, and its module has weights of its own', () => {
    const experiment = createExperiment(small(), catalogue);
    const start = Float64Array.from(experiment.run.network.weights['module.signal']);
    const seen: string[] = [];
    experiment.train({
      listener(event) {
        if (event.type === 'trial') seen.push(...Object.keys(event.own));
      },
    });
    const { own, loss, lossPerStep } = experiment.evaluate();
    expect([...new Set(seen)]).toEqual(['lossBefore', 'nmseBefore', 'nmse']);
    expect(Object.keys(own)).toEqual(['lossBefore', 'nmseBefore', 'nmse']);
    expect(own.nmse / own.nmseBefore).toBeCloseTo(lossPerStep / own.lossBefore, 12);
    expect(loss).toBeCloseTo(lossPerStep, 12);
    expect(experiment.run.network.weights['module.signal']).not.toBeBitEqual(start);
  });

  it('watching the inner trial changes nothing', () => {
    const gradient = (onStep: boolean) => {
      const experiment = createExperiment(small(), catalogue);
      const steps: number[] = [];
      for (const _ of experiment.trainTrials({
        until: 8,
        ...(onStep ? { listener: () => {}, recorder: recorderOf(steps) } : {}),
      }));
      return { weights: experiment.run.network.weights.rec, steps };
    };
    const watched = gradient(true);
    expect(watched.steps).toHaveLength(80);
    expect(watched.weights).toBeBitEqual(gradient(false).weights);
  });

  it.each([
    [{ rule: { name: 'e-prop-2', module: 'nobody' } }, /rule\.module.*nobody/],
    [{ rule: { name: 'e-prop-2', module: 'rec' } }, /rule\.module.*projection to others/],
    [{ training: { total: 8, update: { unit: 'step' } }, rateTerm: {} }, /training\.update\.unit/],
    [{ training: { total: 8, state: 'carry' } }, /training\.state/],
    [{ modulator: { kind: 'td-error' }, network: critical }, /modulator\.kind.*two passes/],
    [{ task: { kind: 'n-back' } }, /input\.clock/],
    [{ fixed: { formats: { '*.weights': { bits: 8, range: 1 } } } }, /fixed/],
    [
      { backend: 'wasm', fixed: { formats: { 'projection.rec.weights': { bits: 6, range: 4 } } } },
      /wasm.*formats beside a rule whose trials are two passes/,
    ],
  ])('refuses %j', (settings, message) => {
    expect(() => createExperiment(small(settings), catalogue)).toThrow(message);
  });

  it('refuses neurons whose psi has no slope, but for first order, and neurons without spikes', () => {
    const neuron = { ...lif, psiLevels: 4 };
    expect(() => experimentOf({ neuron, smooth: false })).toThrow(UnsupportedError);
    expect(() => experimentOf({ neuron, smooth: false, rule: { gradient: 'first-order' } })).not.toThrow();
    expect(() => experimentOf({ neuron: { kind: 'rate' }, smooth: false })).toThrow(/"rate"/);
    expect(() => experimentOf({ neuron: { ...lif, reset: 'zero' }, smooth: false })).toThrow(UnsupportedError);
    expect(() => experimentOf({ readouts: { late: { from: 'module' } }, smooth: false })).toThrow(ConfigError);
  });
});

function recorderOf(steps: number[]) {
  return { fields: [], wants: () => true, step: (_run: unknown, t: number) => steps.push(t) } as never;
}
