import { describe, expect, it } from 'vitest';
import { kernlWith, type TwinNoise } from '../../models/index.ts';
import type { Catalogue } from '../../src/core/plugins.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { graphExperiment, zeroRates } from '../support/graphs.ts';
import {
  blocks,
  doTrial,
  type LiveOptions,
  liveCatalogue,
  liveConfig,
  liveExperiment,
  liveGradient,
  liveReadouts,
  liveSize,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** The numbers of the paper's equations: test/golden/kernl-small.json. Here is what they do in other networks. */

const neuron = { label: '', params: { kind: 'rate', leak: { decay: 0.6 } } };
/** A and leaks stay as they are. */
const still = { rateA: 0, rateLeak: 0 };

/** An experiment whose twin is given this noise. */
function withNoise(noise: TwinNoise, options: LiveOptions): Experiment {
  const own = kernlWith(() => noise);
  const direct = liveCatalogue.direct.map((model) => (model.kind === own.kind ? own : model)) as Catalogue['direct'];
  return createExperiment(liveConfig({ neuron, ...options }), { ...liveCatalogue, direct });
}

/** Another number for every neuron, stream and step. */
const placed: TwinNoise = (out, count, b) => {
  for (let j = 0; j < out.length; j++) out[j] = 0.1 * Math.sin(1 + 7 * j + 13 * count + 29 * b);
};

function numberAt(count: number, b: number, n = liveSize): Float64Array {
  const out = new Float64Array(n);
  placed(out, count, b);
  return out;
}

describe('with A = 1 and the leaks of the neurons, not learned, it is rflo', () => {
  const networks: readonly { readonly label: string; readonly network: object; readonly training?: object }[] = [
    { label: 'dense', network: {} },
    { label: 'sparse', network: { recurrent: { connectivity: { kind: 'in-degree', n: 4 } } } },
    { label: 'a delay of three steps', network: { recurrent: { delayMs: 3 } } },
    { label: 'border spikes dropped', network: { borderSpikes: 'drop' }, training: { state: 'carry' } },
  ];
  const rows = networks.flatMap((row) => liveReadouts.map((readout) => ({ ...row, readout, name: readout.label })));
  it.each(rows)('$label, $name', ({ network, training, readout }) => {
    const gradientBy = (rule: { readonly name: string; readonly [parameter: string]: unknown }) => {
      const experiment = liveExperiment({ neuron, readout, network: { ...network }, training: { ...training }, rule });
      doTrial(experiment);
      return gradientOf(doTrial(experiment));
    };
    const local = gradientBy({ name: 'rflo', feedback: 'symmetric' });
    const names = Object.keys(local);
    const got = gradientBy({ name: 'kernl', ...still });
    for (const name of names) expect(got[name], name).toBeClose(local[name], tolerances.identity);
    const learned = gradientBy({ name: 'kernl', rateA: 0.5, rateLeak: 0.1 });
    expect(learned.in).not.toBeBitEqual(local.in);
  });

  it('in two populations with readouts of their own', () => {
    const rate = { size: 5, neuron: neuron.params };
    const gradientBy = (rule: object) => {
      const experiment = graphExperiment({
        task: { kind: 'live' },
        network: {
          populations: { front: rate, back: { size: 4, neuron: { ...neuron.params, leak: { decay: 0.3 } } } },
          projections: {
            a: { from: 'input', to: 'front' },
            b: { from: 'front', to: 'back', delayMs: 0 },
            c: { from: 'back', to: 'back', delayMs: 2 },
            d: { from: 'back', to: 'front' },
          },
          readouts: {
            two: { from: 'back', readout: { kind: 'leaky', filter: { decay: 0 } }, outputs: [2] },
            one: { from: ['front', 'back'], readout: { kind: 'leaky', filter: { decay: 0.5 } }, outputs: [0, 1] },
          },
        },
        rule,
        optimizer: { kind: 'sgd', rates: zeroRates('a', 'b', 'c', 'd', 'one', 'two') },
        training: { total: 4 },
      });
      return gradientOf(doTrial(experiment));
    };
    const local = gradientBy({ name: 'rflo', feedback: 'symmetric' });
    const got = gradientBy({ name: 'kernl', ...still });
    for (const name of Object.keys(local)) expect(got[name], name).toBeClose(local[name], tolerances.identity);
  });
});

describe('the twin', () => {
  const silent: TwinNoise = (out) => out.fill(0);
  const networks = [
    { label: 'state reset', network: {}, training: {} },
    { label: 'state reset, traces carried', network: {}, training: { traces: 'carry' } },
    { label: 'state carried', network: {}, training: { state: 'carry', traces: 'carry' } },
    { label: 'longer delays', network: { recurrent: { delayMs: 3 } }, training: { state: 'carry', traces: 'carry' } },
  ];
  it.each(networks)('without noise does what the network does, $label', ({ network, training }) => {
    const rule = { name: 'kernl', resetEvery: null };
    const experiment = withNoise(silent, { network, training, rule });
    const { state } = experiment.run.network;
    let steps = 0;
    for (let trial = 0; trial < 2; trial++) {
      doTrial(experiment, {
        onStep() {
          steps += 1;
          expect(state.field('direct.mismatch').every((e) => e === 0)).toBe(true);
          expect(state.field('direct.rec.twin').some((z) => z !== 0)).toBe(true);
        },
      });
    }
    expect(steps).toBe(100);
  });

  it('leaves the states of the network alone', () => {
    const potentials = ['kernl', 'readout-only'].map((name) => {
      const { network } = doTrial(liveExperiment({ neuron, rule: { name } }));
      return network.state.field('population.rec.u');
    });
    expect(potentials[0]).toBeBitEqual(potentials[1]);
  });

  it('starts again from the network after so many steps, and with it omega', () => {
    const experiment = withNoise(placed, { rule: { name: 'kernl', resetEvery: 5 }, training: { streams: 1 } });
    const { state, activity } = experiment.run.network;
    const omegas: Float64Array[] = [];
    const gammas: Float64Array[] = [];
    doTrial(experiment, {
      onStep() {
        omegas.push(Float64Array.from(state.field('direct.omega')));
        gammas.push(Float64Array.from(state.field('direct.gamma')));
      },
    });
    omegas.forEach((omega, t) => {
      if (t % 5 === 0) {
        expect(omega).toBeBitEqual(numberAt(t + 1, 0));
        expect(gammas[t].every((value) => value === 0)).toBe(true);
      } else expect(omega).not.toBeBitEqual(numberAt(t + 1, 0));
    });
    expect(activity[0].z.data.some((z) => z !== 0)).toBe(true);
  });

  it('of order "code" has its noise a draw before omega', () => {
    const rule = { name: 'kernl', order: 'code', ...still };
    const experiment = withNoise(placed, { rule, task: { steps: 1 }, training: { streams: 1 } });
    const { state } = experiment.run.network;
    doTrial(experiment);
    expect(state.field('direct.omega')).toBeBitEqual(numberAt(1, 0));
    const aligned = withNoise(placed, { rule: { name: 'kernl', ...still }, task: { steps: 1 } });
    doTrial(aligned);
    // At step 0 omega is what the twin was given, less nothing: A = 1 guesses it.
    expect(aligned.run.network.state.field('direct.mismatch')).toBeClose(new Float64Array(2 * liveSize), {
      relative: 0,
      absolute: 1e-15,
    });
    expect(state.field('direct.mismatch').some((e) => Math.abs(e) > 1e-3)).toBe(true);
  });
});

function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, s) => sum + value * y[s], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('what is learned', () => {
  it('follows the mean over streams', () => {
    const rule = { name: 'kernl', rateA: 0.3, rateLeak: 0 };
    const experiment = withNoise(placed, { rule, task: { steps: 1 } });
    const A = experiment.run.network.state.field('direct.A');
    A.fill(0);
    doTrial(experiment);
    const want = Array.from(A, (_, s) => {
      const [i, k] = [Math.floor(s / liveSize), s % liveSize];
      const products = [0, 1].map((b) => numberAt(1, b)[i] * numberAt(1, b)[k]);
      return (0.3 * (products[0] + products[1])) / 2;
    });
    expect(A).toBeClose(want, { relative: 1e-12 });
  });

  it('keeps leaks within their limits, and a kernel keeps nothing beyond a leak of 1', () => {
    const leaksWith = (leakRange: unknown) => {
      const rule = { name: 'kernl', rateA: 0, rateLeak: 20, leakRange };
      const experiment = liveExperiment({ neuron, rule });
      doTrial(experiment);
      return Array.from(experiment.run.network.state.field('direct.leak'));
    };
    const free = leaksWith(null);
    expect(Math.min(...free)).toBeLessThan(0.3);
    expect(Math.max(...free)).toBeGreaterThan(0.5);
    const held = leaksWith([0.3, 0.5]);
    expect(Math.min(...held)).toBeGreaterThanOrEqual(0.3);
    expect(Math.max(...held)).toBeLessThanOrEqual(0.5);
  });

  it('makes the gradient point more along the exact one', () => {
    const network = { recurrent: { init: { kind: 'orthogonal', gain: 1 }, autapses: true } };
    const training = { chunkSteps: 10, total: 6000, streams: 1 };
    const build = (rule: LiveOptions['rule']) =>
      liveExperiment({ neuron, network, task: { mode: 'stream' }, training, ...(rule && { rule }) });
    const [exact, local, learned] = [{ name: 'rtrl' }, { name: 'kernl', ...still }, { name: 'kernl' }].map(build);
    const next = (experiment: Experiment) => {
      experiment.run.network.gradient.rec.fill(0);
      return gradientOf(doTrial(experiment)).rec;
    };
    const sums = { local: 0, learned: 0 };
    for (let chunk = 0; chunk < 300; chunk++) {
      const want = next(exact);
      const [own, better] = [next(local), next(learned)].map((gradient) => cosine(gradient, want));
      if (chunk < 100) continue;
      sums.local += own / 200;
      sums.learned += better / 200;
    }
    expect(sums.local).toBeGreaterThan(0.5);
    expect(1 - sums.learned).toBeLessThan(0.8 * (1 - sums.local));
  });
});

it('draws noise of the given size, other in every neuron, stream and step', () => {
  const network = { neurons: 200 };
  const options = { neuron, network, rule: { name: 'kernl', noise: 0.3, resetEvery: 1, ...still } };
  const experiment = liveExperiment({ ...options, task: { steps: 3 } });
  const omega = experiment.run.network.state.field('direct.omega');
  const seen: Float64Array[] = [];
  doTrial(experiment, {
    onStep: () =>
      void seen.push(Float64Array.from(omega.subarray(0, 200)), Float64Array.from(omega.subarray(200))) as undefined,
  });
  expect(new Set(seen.flatMap((values) => Array.from(values))).size).toBe(1200);
  for (const values of seen) {
    const size = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    expect(size).toBeGreaterThan(0.24);
    expect(size).toBeLessThan(0.36);
  }
});

it('hears random feedback where it is asked to', () => {
  const gradientBy = (feedback: string) => blocks(liveGradient({ neuron, rule: { name: 'kernl', feedback } }));
  expect(gradientBy('random')[1]).not.toBeBitEqual(gradientBy('symmetric')[1]);
});
