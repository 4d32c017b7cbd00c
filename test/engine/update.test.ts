import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/backends/fixed/index.ts';
import { tfjs } from '../../src/backends/tfjs/index.ts';
import { scheduleAt } from '../../src/core/network.ts';
import { createRng } from '../../src/core/rng.ts';
import { createFeed } from '../../src/engine/feed.ts';
import { gradientOf } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { blocks, doTrial, type LiveOptions, liveExperiment, liveReadouts } from '../support/live.ts';
import { createOptimizer, type Settings } from '../support/optimizers.ts';
import { tolerances } from '../support/tolerances.ts';

const reductions = ['mean', 'sum'] as const;
const rates = { in: 0.02, rec: 0.03, out: 0.04 };
const blockNames = ['in', 'rec', 'out', 'out.bias'] as const;
const rateOf = { in: 0.02, rec: 0.03, out: 0.04, 'out.bias': 0.04 };

describe.each(reductions)('updates every n trials, %s', (reduction) => {
  it.each(['online', 'deferred'])('take the gradients of all their trials and streams, %s', (execution) => {
    const options: LiveOptions = {
      optimizer: { rates },
      training: { execution, streams: 3, total: 18, update: { every: 2, unit: 'trial', reduction } },
    };
    const [trained, byHand] = [liveExperiment(options), liveExperiment(options)];
    trained.train();
    expect(trained.run.clock).toMatchObject({ trial: 6, updates: 3, pending: 0 });
    const { weights, gradient } = byHand.run.network;
    for (let trial = 0; trial < 6; trial++) {
      doTrial(byHand);
      if (trial % 2 === 0) continue;
      const sum = gradientOf(byHand.run);
      const share = reduction === 'mean' ? 1 / (3 * 2) : 1;
      for (const name of blockNames) {
        for (let s = 0; s < sum[name].length; s++) weights[name][s] -= rateOf[name] * share * sum[name][s];
        gradient[name].fill(0);
      }
    }
    expect(blocks(trained.run.network.weights)).toBeClose(blocks(weights), tolerances.reordered);
  });
});

describe.each(reductions)('updates every n steps, %s', (reduction) => {
  it.each([1, 4, 9])('take the gradients of those steps (n = %i)', (every) => {
    const options: LiveOptions = {
      optimizer: { rates },
      rateTerm: { strength: 0.2, targetHz: 300, mean: 'running' },
      training: { streams: 3, total: 6, update: { every, unit: 'step', reduction } },
    };
    const [trained, byHand] = [liveExperiment(options), liveExperiment(options)];
    trained.train();
    // Steps that are left over at the end make a last update.
    expect(trained.run.clock.updates).toBe(Math.ceil(100 / every));
    const { run, task } = byHand;
    const { weights, gradient } = run.network;
    const feed = createFeed(run, task, createRng(0), null, 'train');
    let since = 0;
    for (let trial = 0; trial < 2; trial++) {
      feed.fill(50);
      prepareTrial(byHand);
      for (let t = 0; t < 50; t++) {
        run.stages.forward(t, t + 1);
        run.stages.readout(t, t + 1);
        run.stages.error(t, t + 1, run.lossScale);
        run.stages.rateRunning(t, t + 1);
        run.stages.signal(t, t + 1, () => 1);
        run.stages.gradient(t, t + 1);
        since += 1;
        if (since < every && !(trial === 1 && t === 49)) continue;
        since = 0;
        const sum = gradientOf(run);
        for (const name of blockNames) {
          for (let s = 0; s < sum[name].length; s++) {
            weights[name][s] -= rateOf[name] * sum[name][s] * (reduction === 'mean' ? 1 / 3 : 1);
          }
          gradient[name].fill(0);
        }
      }
      run.clock.trial += 1;
    }
    expect(blocks(trained.run.network.weights)).toBeClose(blocks(weights), tolerances.reordered);
  });
});

/** State and traces of a trial that starts afresh. */
function prepareTrial({ run }: Experiment): void {
  const { state, activity } = run.network;
  const roles = ['neuron', 'trace', 'readout'];
  for (const { name, role } of state.table) if (roles.includes(role)) state.field(name).fill(0);
  activity[0].z.data.fill(0);
  run.lossScale.fill(1);
}

const optimizers: readonly Settings[] = [
  { kind: 'sgd' },
  { kind: 'momentum', momentum: 0.7 },
  { kind: 'adam', beta1: 0.8, beta2: 0.9, epsilon: 1e-3 },
];

describe.each(optimizers)('training with $kind', (settings) => {
  it('is the optimiser on the gradient of each trial, with limits on the weights', () => {
    const clamp = [-0.45, 0.4] as const;
    const options: LiveOptions = { optimizer: { ...settings, rates, clamp }, training: { total: 10 } };
    const [trained, byHand] = [liveExperiment(options), liveExperiment(options)];
    trained.train();
    const optimizer = createOptimizer(settings);
    const { weights, gradient } = byHand.run.network;
    const slots = blockNames.map((name) => optimizer.slots.map(() => new Float64Array(weights[name].length)));
    for (let trial = 0; trial < 5; trial++) {
      doTrial(byHand);
      const sum = gradientOf(byHand.run);
      blockNames.forEach((name, n) => {
        const step = Float64Array.from(sum[name], (g) => g / 2);
        optimizer.step(step, slots[n], rateOf[name], trial + 1, n);
        weights[name].forEach((w, s) => {
          weights[name][s] = Math.min(Math.max(w - step[s], clamp[0]), clamp[1]);
        });
        gradient[name].fill(0);
      });
    }
    expect(blocks(trained.run.network.weights)).toBeClose(blocks(weights), tolerances.reordered);
    const all = blocks(weights).flatMap((block) => Array.from(block));
    expect(Math.min(...all)).toBe(clamp[0]);
    expect(Math.max(...all)).toBe(clamp[1]);
  });
});

describe('schedules', () => {
  const falling = { kind: 'linear-to-zero', holdUntil: 0.5 } as const;

  /** Relative size of every update: the step of the weights over the gradient behind it. */
  const scales = (unit: 'step' | 'trial', name: 'in' | 'out', setting: Readonly<Record<string, unknown>>) => {
    const experiment = liveExperiment({
      optimizer: setting,
      training: { streams: 1, total: 10, execution: 'online', update: { every: unit === 'step' ? 50 : 1, unit } },
    });
    const { network } = experiment.run;
    const result: number[] = [];
    let before = Float64Array.from(network.weights[name]);
    let gradient = Float64Array.from(network.gradient[name]);
    const told: number[] = [];
    const training = experiment.trainTrials({
      recorder: {
        fields: [],
        wants: () => true,
        step(run, t) {
          if (t === 49) gradient = Float64Array.from(gradientOf(run)[name]);
        },
      },
      listener(event) {
        if (event.type === 'trial') told.push(event.rateScale);
      },
    });
    for (const _ of training) {
      const largest = gradient.reduce((at, g, s) => (Math.abs(g) > Math.abs(gradient[at]) ? s : at), 0);
      result.push((before[largest] - network.weights[name][largest]) / gradient[largest]);
      before = Float64Array.from(network.weights[name]);
    }
    return { scales: result, told };
  };

  it('per trial: a rate is that of the start of its trial, over the whole training', () => {
    const { scales: seen, told } = scales('trial', 'in', { rates, schedule: falling });
    expect(seen).toBeClose(
      [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2].map((s) => 0.02 * s),
      { relative: 1e-9 },
    );
    expect(told).toBeClose([1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0], { relative: 1e-12 });
  });

  it('per step: a rate is that of the last step before the update', () => {
    const { scales: seen } = scales('step', 'in', { rates, schedule: falling });
    const wanted = Array.from({ length: 10 }, (_, trial) => 0.02 * scheduleAt(falling, (50 * trial + 49) / 500));
    expect(seen).toBeClose(wanted, { relative: 1e-9 });
  });

  it('rates that are powers of two fall in octaves', () => {
    const { scales: seen } = scales('trial', 'in', { rates, schedule: falling, powersOfTwo: true });
    const wanted = [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2].map((s) => 2 ** Math.round(Math.log2(0.02 * s)));
    expect(new Set(wanted).size).toBe(3);
    expect(seen).toBeClose(wanted, { relative: 1e-9 });
  });

  it('a block may have a schedule of its own', () => {
    const own = { rates: { ...rates, out: { rate: 0.04, schedule: { kind: 'constant' } } }, schedule: falling };
    expect(scales('trial', 'out', own).scales).toBeClose(Array(10).fill(0.04), { relative: 1e-9 });
  });

  it('reach the signals with the progress of the recurrent weights', () => {
    const { run } = liveExperiment({
      optimizer: { rates: { ...rates, in: { rate: 1, schedule: { kind: 'constant' } } }, schedule: falling },
      training: { streams: 1, total: 10 },
    });
    run.clock.step = 300;
    expect(run.signalScale(25)).toBeClose(0.7, { relative: 1e-12 });
  });
});

describe('adaptive feedback', () => {
  it.each(optimizers)('B - W_out shrinks by the decay at every update, and B turns to W_out ($kind)', (settings) => {
    const decay = 0.01;
    const experiment = liveExperiment({
      rule: { name: 'e-prop-1', feedback: 'adaptive', feedbackDecay: decay },
      optimizer: { ...settings, rates: { in: 0, rec: 0, out: 0.02 } },
      training: { total: 300, streams: 1 },
    });
    const { weights, state } = experiment.run.network;
    const B = state.field('population.rec.signal.B');
    const distance = () => Array.from(B, (b, s) => b - weights.out[s]);
    const cosine = () => {
      const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
        Array.from(x, (value, s) => value * y[s]).reduce((a, b) => a + b);
      return dot(B, weights.out) / Math.sqrt(dot(B, B) * dot(weights.out, weights.out));
    };
    const at0 = distance();
    const start = cosine();
    for (const _ of experiment.trainTrials()) {
      const updates = experiment.run.clock.updates;
      expect(distance()).toBeClose(
        at0.map((d) => d * (1 - decay) ** updates),
        { relative: 1e-11 },
      );
    }
    expect(start).toBeLessThan(0.5);
    expect(cosine()).toBeGreaterThan(0.9);
  });

  it('W_out loses the same share, after its step', () => {
    const rule = (decay: number) => ({ name: 'e-prop-1', feedback: 'adaptive', feedbackDecay: decay });
    const weightsWith = (decay: number) => {
      const experiment = liveExperiment({ rule: rule(decay), training: { total: 2 } });
      experiment.train();
      return experiment.run.network.weights;
    };
    expect(weightsWith(0.25).out).toBeBitEqual(Array.from(weightsWith(0).out, (w) => 0.75 * w));
    expect(weightsWith(0.25)['out.bias']).toBeBitEqual(weightsWith(0)['out.bias']);
    expect(weightsWith(0.25).in).toBeBitEqual(weightsWith(0).in);
  });
});

describe.each([
  ['reference', tolerances.identity],
  ['wasm', { relative: 1e-5 }],
] as const)('a clipped gradient on %s', (backend, closeness) => {
  const once = (clip: number | null, reduction: 'mean' | 'sum' = 'mean') => {
    const experiment = liveExperiment({
      backend,
      optimizer: { rates: { in: 1, rec: 1, out: 1 }, clip },
      training: { streams: 3, total: 3, update: { every: 1, unit: 'trial', reduction } },
    });
    const { weights } = experiment.run.network;
    const before = Object.fromEntries(blockNames.map((name) => [name, Float64Array.from(weights[name])]));
    experiment.train();
    return blockNames.flatMap((name) => Array.from(weights[name], (w, s) => before[name][s] - w));
  };
  const norm = (step: readonly number[]) => Math.sqrt(step.reduce((sum, value) => sum + value * value, 0));

  it.each(reductions)('has the norm that is asked for and its own direction, %s', (reduction) => {
    const free = once(null, reduction);
    const length = norm(free);
    expect(length).toBeGreaterThan(0);
    const clipped = once(length / 3, reduction);
    expect(norm(clipped)).toBeClose(length / 3, closeness);
    expect(clipped.map((value) => 3 * value)).toBeClose(free, closeness);
    expect(once(2 * length, reduction)).toBeBitEqual(free);
  });
});

it.each([fixed, tfjs])('a clipped gradient is what $name lacks', (backend) => {
  const { spec } = liveExperiment({ optimizer: { rates, clip: 1 } }).run.network;
  expect(backend.missing(spec)).toContain('a clipped gradient');
  expect(backend.missing({ ...spec, clip: null })).not.toContain('a clipped gradient');
});

describe('frozen blocks', () => {
  it.each([
    ['in', ['in']],
    ['rec', ['rec']],
    ['out', ['out', 'out.bias']],
  ] as const)('a rate of 0 for %s keeps the bits of %j alone', (block, kept) => {
    const experiment = liveExperiment({
      optimizer: { kind: 'adam', rates: { ...rates, [block]: 0 }, clamp: [-0.2, 0.2] },
    });
    const { weights } = experiment.run.network;
    const before = Object.fromEntries(blockNames.map((name) => [name, Float64Array.from(weights[name])]));
    experiment.train();
    for (const name of blockNames) {
      if ((kept as readonly string[]).includes(name)) expect(weights[name]).toBeBitEqual(before[name]);
      else expect(weights[name]).not.toBeBitEqual(before[name]);
    }
  });

  it('readout-only keeps the network, a readout without bias its bias', () => {
    const rule = { name: 'readout-only' };
    const experiment = liveExperiment({ rule, readout: liveReadouts[2] });
    const { weights } = experiment.run.network;
    const before = Object.fromEntries(blockNames.map((name) => [name, Float64Array.from(weights[name])]));
    experiment.train();
    expect(weights.in).toBeBitEqual(before.in);
    expect(weights.rec).toBeBitEqual(before.rec);
    expect(weights['out.bias']).toBeBitEqual([0, 0, 0]);
    expect(weights.out).not.toBeBitEqual(before.out);
  });

  it('an update takes the gradient with it', () => {
    const experiment = liveExperiment();
    doTrial(experiment, { freeze: false });
    const { gradient } = experiment.run.network;
    expect(blocks(gradient).every((block) => block.every((g) => g === 0))).toBe(true);
  });
});
