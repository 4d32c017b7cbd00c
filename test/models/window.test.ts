import { describe, expect, it } from 'vitest';
import { demandOf } from '../../hardware/demand.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { through } from '../../src/cli/verify/eprop3.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import type { Real } from '../../src/core/layout.ts';
import { createRng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
import { createRecorder } from '../../src/engine/recorder.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import {
  assertAlive,
  blocks,
  doTrial,
  hasMatrices,
  type LiveOptions,
  liveCatalogue,
  liveConfig,
  liveExperiment,
  liveGradient,
  liveNeurons,
  liveReadouts,
  subtracts,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const neurons = liveNeurons.filter(subtracts);
const alif = liveNeurons.find(({ label }) => label === 'alif');
const windows = (own: object = {}) => ({ name: 'e-prop-3', window: 12, ...own });
const signalOf = ({ network }: Run) => network.state.views('population.rec.signal', 'signal');
const copied = (field: Real) => Array.from(field);
const cases = neurons.flatMap((neuron) =>
  liveReadouts.map((readout) => ({ neuron, readout, name: neuron.label, filter: readout.label })),
);

describe.each(cases)('$name, $filter', ({ neuron, readout }) => {
  const gradient = (rule: NonNullable<LiveOptions['rule']>, training = {}) =>
    blocks(liveGradient({ neuron, readout, rule, training }));

  it('one window is backpropagation through time', () => {
    const one = gradient(windows({ window: 50 }));
    expect(one).toBeClose(gradient({ name: 'bptt', reset: 'attached' }), tolerances.identity);
    expect(one).not.toBeClose(gradient({ name: 'bptt', reset: 'detached' }), { relative: 1e-3 });
    const detached = gradient(windows({ window: 50, reset: 'detached' }));
    expect(detached).toBeClose(gradient({ name: 'bptt', reset: 'detached' }), tolerances.identity);
  });

  it('the online gradient is the deferred one, the last window shorter', () => {
    const rule = windows({ rate: 0.3 });
    expect(gradient(rule, { execution: 'online' })).toBeClose(
      gradient(rule, { execution: 'deferred' }),
      tolerances.reordered,
    );
  });

  it('without prediction and traces it is truncated backpropagation', () => {
    // In the last window of bptt errors reach beyond its beginning where it is shorter.
    const rule = windows({ window: 10, predicts: 'nothing', traces: 'none' });
    if (hasMatrices(neuron)) {
      expect(() => gradient(rule)).toThrow(/a trace without gate needs neurons with one filter/);
      return;
    }
    const truncated = gradient({ name: 'bptt', reset: 'attached', window: 10, segment: 10 });
    expect(gradient(rule)).toBeClose(truncated, tolerances.identity);
    expect(gradient(windows({ window: 10, predicts: 'nothing' }))).not.toBeClose(truncated, { relative: 1e-3 });
  });
});

it.each(neurons)('windows of a step that know what the readout will owe are symmetric e-prop 1, $label', (neuron) => {
  const options = { neuron, task: { steps: 9 }, training: { streams: 1 } };
  const rule = windows({ window: 1, rate: 0 });
  const features: number[][] = [];
  // Where the trial goes on, there are features at its end, too.
  const open = liveExperiment({ ...options, rule, training: { ...options.training, state: 'carry' } });
  doTrial(open, { onStep: () => features.push(copied(signalOf(open.run).border)) });
  const { error } = open.run.network.trial;
  const { decay, size } = open.run.network.spec.readouts[0];
  const targets = signalOf(open.run).target.length;
  const points = features.slice(0, -1).map((f, t) => {
    const row = new Array<number>(targets).fill(0);
    for (let s = t + 1; s < features.length; s++) {
      for (let k = 0; k < size; k++) {
        row[targets - size + k] += decay ** (s - t - 1) * error.data[rowAt(error, 0, s) + k];
      }
    }
    return { f, row };
  });
  const told = liveExperiment({ ...options, rule });
  const Psi = through(points);
  signalOf(told.run).Psi.set(Psi[0].flatMap((_, f) => Psi.map((row) => row[f])));
  const got = blocks(gradientOf(doTrial(told)));
  const want = blocks(
    gradientOf(doTrial(liveExperiment({ ...options, rule: { name: 'e-prop-1', feedback: 'symmetric' } }))),
  );
  expect(got).toBeClose(want, { relative: 1e-8 });
  expect(blocks(gradientOf(doTrial(liveExperiment({ ...options, rule }))))).not.toBeClose(want, { relative: 1e-2 });
});

describe('Psi', () => {
  it('says what it should have said after one step of a whole rate', () => {
    const rule = windows({ window: 25, rate: 1 });
    const experiment = liveExperiment({ neuron: alif, rule, training: { streams: 1 } });
    const seen: { readonly border: number[]; readonly target: number[] }[] = [];
    const keep = (t: number) => {
      const { border, target } = signalOf(experiment.run);
      if ((t + 1) % 25 === 0) seen.push({ border: copied(border), target: copied(target) });
    };
    doTrial(experiment, { onStep: keep });
    const { Psi, losses } = signalOf(experiment.run);
    const [{ border }, { target, border: last }] = seen;
    const said = target.map((_, s) => border.reduce((sum, f, i) => sum + f * Psi[i * target.length + s], 0));
    expect(said).toBeClose(target, tolerances.identity);
    // It started at 0, and nothing follows the trial.
    expect(losses[0]).toBe(losses[1]);
    expect(losses[0]).toBeGreaterThan(0);
    expect(losses[2]).toBe(2);
    expect(last.every((value) => value === 0)).toBe(true);
  });

  it('has a border at the end of a trial that goes on', () => {
    const experiment = liveExperiment({ rule: windows(), training: { state: 'carry', traces: 'carry' } });
    doTrial(experiment);
    const { border } = signalOf(experiment.run);
    expect(border[border.length - 1]).toBe(1);
    expect(signalOf(experiment.run).losses[2]).toBe(5);
  });

  it('is not there where nothing is predicted', () => {
    const { run } = liveExperiment({ rule: windows({ predicts: 'nothing' }) });
    expect(Object.keys(signalOf(run))).toEqual([]);
  });
});

describe('hidden units', () => {
  const hidden = 3;

  /** A prediction learned once, at the end of the second window, from weights that are given. */
  function learned(own: object, sizeOfPsi: number) {
    const rule = windows({ window: 25, hidden, ...own });
    const experiment = liveExperiment({ neuron: alif, rule, training: { streams: 2 } });
    const signal = signalOf(experiment.run);
    const rng = createRng(3);
    for (let s = 0; s < signal.Psi.length; s++) signal.Psi[s] = sizeOfPsi * rng.normal();
    const before = { V: copied(signal.V), Psi: copied(signal.Psi) };
    let border: number[] = [];
    doTrial(experiment, {
      onStep: (t: number) => {
        if (t === 24) border = copied(signal.border);
      },
    });
    const target = copied(signal.target);
    const after = { V: copied(signal.V), Psi: copied(signal.Psi) };
    return { border, target, before, after };
  }

  type Learned = ReturnType<typeof learned>;

  /** E = |Psi^T [tanh(V^T f), 1] - target|^2 / 4 of stream b of two. */
  function loss({ border, target }: Learned, { V, Psi }: Learned['before'], b: number): number {
    const [features, targets] = [border.length / 2, target.length / 2];
    const f = border.slice(b * features, (b + 1) * features);
    const units = [0, 1, 2].map((l) => Math.tanh(f.reduce((total, x, i) => total + x * V[i * hidden + l], 0)));
    let sum = 0;
    for (let s = 0; s < targets; s++) {
      const said = [...units, 1].reduce((total, q, l) => total + q * Psi[l * targets + s], 0);
      sum += (said - target[b * targets + s]) ** 2 / 4;
    }
    return sum;
  }

  /** dE/dw of every weight, by central differences. */
  function slope(of: Learned, name: 'V' | 'Psi', b: number): number[] {
    return of.before[name].map((_, s) => {
      const [high, low] = [1e-5, -1e-5].map((by) =>
        loss(of, { ...of.before, [name]: of.before[name].map((w, at) => (at === s ? w + by : w)) }, b),
      );
      return (high - low) / 2e-5;
    });
  }

  const power = (x: readonly number[]) => x.reduce((sum, value) => sum + value * value, 0);
  const half = (x: readonly number[], b: number) => x.slice((b * x.length) / 2, ((b + 1) * x.length) / 2);
  const moved = ({ before, after }: Learned, name: 'V' | 'Psi') => after[name].map((w, s) => w - before[name][s]);

  it.each(['state', 'spikes'])('go down the squared error of what is predicted: %s', (predicts) => {
    const of = learned({ predicts, normalised: false, rate: 1e-3 }, 0.3);
    for (const name of ['V', 'Psi'] as const) {
      const [first, second] = [slope(of, name, 0), slope(of, name, 1)];
      const want = first.map((value, s) => -1e-3 * (value + second[s]));
      expect(moved(of, name)).toBeClose(want, { relative: 1e-6 });
    }
  });

  it('take steps in the unit of the credit and of the features', () => {
    const of = learned({ rate: 0.1 }, 0.3);
    const { Psi } = of.before;
    const length = power(Psi.slice(0, hidden * (of.target.length / 2)));
    const [first, second] = [0, 1].map((b) => {
      const own = 0.1 / (power(half(of.border, b)) * (length + power(half(of.target, b))));
      return slope(of, 'V', b).map((value) => -own * value);
    });
    expect(moved(of, 'V')).toBeClose(
      first.map((value, s) => value + second[s]),
      { relative: 1e-6 },
    );
  });

  it('take the same steps in any unit of the credit, and do not start where nothing was predicted', () => {
    const step = (scale: number) => {
      const rule = windows({ window: 25, hidden, rate: 0.3 });
      const experiment = liveExperiment({ neuron: alif, rule, loss: { kind: 'square', scale } });
      doTrial(experiment);
      const { V, Psi } = signalOf(doTrial(experiment));
      return { V: copied(V), Psi: Array.from(Psi, (w) => w / scale) };
    };
    const [one, small] = [step(1), step(2 ** -10)];
    expect(small.V).toBeBitEqual(one.V);
    expect(small.Psi).toBeBitEqual(one.Psi);
    const { before, after } = learned({ rate: 0.3 }, 0);
    expect(after.V).toEqual(before.V);
    expect(after.Psi).not.toEqual(before.Psi);
    expect(one.V).not.toEqual(before.V);
  });

  it('stay where they are where nothing is owed', () => {
    const rule = windows({ window: 25, hidden, predicts: 'spikes' });
    const network = { output: { init: { kind: 'constant', value: 0 } } };
    const experiment = liveExperiment({ neuron: alif, rule, network });
    const before = copied(signalOf(experiment.run).V);
    const { V, target } = signalOf(doTrial(experiment));
    expect(target.every((value) => value === 0)).toBe(true);
    expect(V).toBeBitEqual(Float64Array.from(before));
  });

  it('start at random, as large as keeps a sum of so many features at 1', () => {
    const { before } = learned({}, 0);
    expect(power(before.V) / hidden).toBeGreaterThan(0.5);
    expect(power(before.V) / hidden).toBeLessThan(2);
  });
});

/** A population in a layer above another one, each with a rule. */
function layers(rule: object, low?: object): Experiment {
  const neuron = liveNeurons[0].params;
  const init = { kind: 'normal', gain: 1.5 };
  const network = {
    populations: { low: { size: 8, neuron, ...(low ? { rule: low } : {}) }, high: { size: 6, neuron } },
    projections: {
      in: { from: 'input', to: 'low', init },
      up: { from: 'low', to: 'high', delayMs: 0, init },
      high: { from: 'high', to: 'high' },
    },
    readouts: { out: { from: 'high', readout: { kind: 'leaky' } } },
  };
  const optimizer = { kind: 'sgd', rates: { in: 0.01, up: 0.01, high: 0.01, out: 0.01 } };
  return createExperiment({ ...liveConfig(), network, optimizer, rule }, liveCatalogue);
}

it('teaches the last of several populations beside another rule', () => {
  const low = { name: 'e-prop-1', feedback: 'random' };
  const own = gradientOf(doTrial(layers(windows({ window: 50 }), low)));
  const exact = gradientOf(doTrial(layers({ name: 'bptt', reset: 'attached' })));
  const below = gradientOf(doTrial(layers(low)));
  for (const name of ['up', 'high']) {
    expect(own[name].some((g) => Math.abs(g) > 1e-3)).toBe(true);
    expect(own[name]).toBeClose(exact[name], tolerances.identity);
  }
  expect(own.in).toBeClose(below.in, tolerances.reordered);
  expect(own.in.some((g) => Math.abs(g) > 1e-3)).toBe(true);
});

it('says which rows of a window a machine has to keep', () => {
  const { run } = liveExperiment({ rule: windows() });
  const variables = demandOf(run.network.spec).learning?.variables ?? [];
  const past = variables.flatMap(({ name, kind, count, perStep }) =>
    kind === 'past' ? [{ name, count, perStep }] : [],
  );
  expect(past).toEqual(
    // Four inputs and the constant, seven neurons, three outputs.
    [
      ['x', 5],
      ['z', 7],
      ['psi', 7],
      ['error', 3],
    ].map(([name, perStep]) => ({
      name: `population.rec.signal.past.${name}`,
      count: 12 * Number(perStep),
      perStep,
    })),
  );
});

const predictions = ['state', 'spikes'].flatMap((predicts) =>
  ['kept', 'none'].map((traces) => ({ predicts, traces, rule: windows({ window: 5, predicts, traces, rate: 0.2 }) })),
);

describe.each(predictions)('predicts $predicts, traces $traces', ({ rule }) => {
  const train = (experiment: Experiment, until?: number) => {
    experiment.train(until === undefined ? {} : { until });
    return experiment.run;
  };
  const stream = (chunkSteps: number, every: number): LiveOptions => ({
    rule,
    neuron: alif,
    task: { mode: 'stream' },
    optimizer: { kind: 'adam', rates: { in: 0.001, rec: 0.001, out: 0.001 } },
    training: { chunkSteps, total: 480, streams: 2, update: { unit: 'step', every } },
  });

  it.each([
    ['trials', { rule, neuron: alif }],
    ['a stream, updates after windows', stream(30, 5)],
    ['a stream, updates within chunks', stream(30, 15)],
    ['trials, with hidden units', { rule: { ...rule, hidden: 3 }, neuron: alif }],
  ] as const)('goes on from a checkpoint bit for bit: %s', (_name, options) => {
    const whole = train(liveExperiment(options));
    const half = liveExperiment(options);
    train(half, half.config.training.total / 2);
    const rest = liveExperiment({ ...options, seed: 5 });
    rest.restore(half.checkpoint());
    expect(rest.run.network.state.data).toBeBitEqual(half.run.network.state.data);
    expect(train(rest).network.state.data).toBeBitEqual(whole.network.state.data);
    expect(half.run.network.state.data).not.toBeBitEqual(whole.network.state.data);
    expect(signalOf(whole).Psi.some((value) => value !== 0)).toBe(true);
  });

  it('chunks of any number of windows give the same bits', () => {
    const [short, long] = [train(liveExperiment(stream(10, 10))), train(liveExperiment(stream(40, 10)))];
    expect(blocks(short.network.weights)).toBeBitEqual(blocks(long.network.weights));
    for (const field of ['Psi', 'border']) expect(signalOf(short)[field]).toBeBitEqual(signalOf(long)[field]);
  });

  it('an update that falls due within a window comes at its end', () => {
    const [early, due] = [train(liveExperiment(stream(40, 1))), train(liveExperiment(stream(40, 5)))];
    expect(early.network.state.data).toBeBitEqual(due.network.state.data);
    expect(early.clock).toEqual(due.clock);
  });

  it('is the same where somebody watches', () => {
    const [seen, unseen] = [0, 1].map(() => liveExperiment({ rule, neuron: alif }));
    doTrial(seen, { onStep: () => undefined });
    doTrial(unseen);
    assertAlive(seen.run);
    expect(seen.run.network.state.data).toBeBitEqual(unseen.run.network.state.data);
  });

  it('goes on from a checkpoint in fixed point, its numbers on their grids', () => {
    const formats = { '*': { bits: 16, range: 8, rounding: 'stochastic' } };
    const config = { ...liveConfig({ rule, neuron: alif }), backend: 'fixed', fixed: { formats } };
    const [whole, half, rest] = [0, 1, 2].map(() => createExperiment(config, liveCatalogue));
    train(whole);
    train(half, 6);
    rest.restore(half.checkpoint());
    expect(train(rest).network.state.data).toBeBitEqual(whole.run.network.state.data);
    const { Psi } = signalOf(whole.run);
    expect(Psi.some((value) => value !== 0)).toBe(true);
    for (const value of Psi) expect(Number.isInteger(value * 2 ** 12)).toBe(true);
  });
});

describe('is refused', () => {
  const build = (options: LiveOptions) => () => liveExperiment({ rule: windows(), ...options });
  const recurrent = { init: { kind: 'normal', gain: 0.8 }, delayMs: 3 };

  it.each([
    ['neurons with rates', { neuron: liveNeurons.find(({ label }) => label === 'rate') }, /reset "attached" needs/],
    [
      'neurons with rates, without reset',
      { neuron: liveNeurons.find(({ label }) => label === 'rate'), rule: windows({ reset: 'detached' }) },
      /windows need spiking neurons/,
    ],
    ['a longer delay', { network: { recurrent } }, /projection rec goes to rec with a delay of 3$/],
  ])('%s', (_name, options, message) => {
    expect(build(options)).toThrow(UnsupportedError);
    expect(build(options)).toThrow(message);
  });

  it('a population that feeds another one', () => {
    expect(() => layers(windows())).toThrow(
      /synapses of low onto itself with a delay of 1 alone; projection up goes to high with a delay of 0$/,
    );
  });

  it('a window beside another one', () => {
    const neuron = liveNeurons[0].params;
    const network = {
      populations: { one: { size: 5, neuron }, two: { size: 4, neuron, rule: windows({ window: 6 }) } },
      projections: { one: { from: 'input', to: 'one' }, two: { from: 'input', to: 'two' } },
      readouts: { out: { from: ['one', 'two'], readout: { kind: 'leaky' } } },
    };
    const config = { ...liveConfig({ rule: windows() }), network };
    const optimizer = { kind: 'sgd', rates: { one: 0.01, two: 0.01, out: 0.01 } };
    expect(() => createExperiment({ ...config, optimizer }, liveCatalogue)).toThrow(
      'rule.window: got 6, expected 12, as in the other populations',
    );
  });

  const carried = { state: 'carry' };
  it.each([
    [
      'a chunk that ends within a window',
      { task: { mode: 'stream' }, training: { chunkSteps: 30, total: 60 } },
      'training.chunkSteps',
    ],
    [
      'a stream that is reset',
      { task: { mode: 'stream' }, training: { chunkSteps: 24, total: 48, state: 'reset' } },
      'training.state',
    ],
    [
      'a border whose spikes are dropped',
      { training: carried, network: { borderSpikes: 'drop' } },
      'network.borderSpikes',
    ],
  ])('%s', (_name, options, path) => {
    expect(build(options)).toThrow(ConfigError);
    expect(build(options)).toThrow(path);
  });

  it.each(['signal', 'trace.eps'])('to record %s, which waits for the window', (field) => {
    const experiment = liveExperiment({ rule: windows(), training: { execution: 'online' } });
    const name = field === 'signal' ? 'population.rec.signal' : `projection.rec.${field}`;
    expect(() => createRecorder(experiment.run, { fields: [name] })).toThrow(ConfigError);
    expect(() => createRecorder(experiment.run, { fields: [name] })).toThrow(/wait for a window of 12 steps/);
  });

  it('by wasm, by name', () => {
    const { run } = liveExperiment({ rule: windows() });
    expect(wasm.missing(run.network.spec)).toEqual(['the signal "window" as it is set']);
  });
});
