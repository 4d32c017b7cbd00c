import { describe, expect, it } from 'vitest';
import { type ChipProfile, demandOf, deploy, profiles } from '../../hardware/index.ts';
import {
  contrastive,
  models,
  nodePerturbationWith,
  type PerturbationNoise,
  weightPerturbationWith,
} from '../../models/index.ts';
import { type SeePass, watchPasses } from '../../src/cli/verify/passes.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import type { Catalogue } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';
import {
  blocks,
  doTrial,
  type LiveOptions,
  liveCatalogue,
  liveConfig,
  liveExperiment,
  liveGradient,
  liveNeurons,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const perturbations = ['weight-perturbation', 'node-perturbation'] as const;
const rules = [...perturbations, 'contrastive'] as const;
const neuronOf = (name: string) => liveNeurons.find(({ label }) => label === name);
/** Without noise behind the filter, which says nothing of the bias. */
const readout = { label: 'no filter', params: { kind: 'leaky', filter: { decay: 0 } } };

/** Any settings at which the rule runs. */
function ruleOf(name: string): NonNullable<LiveOptions['rule']> {
  return name === 'contrastive'
    ? { name, teacher: 'target', strength: 0.3, feedback: 'random', phases: 'trial' }
    : { name, sigma: 0.3 };
}

describe.each(rules)('%s', (name) => {
  const rule = ruleOf(name);

  it.each(liveNeurons)('the first pass is the network itself, states and scores: $label', (neuron) => {
    const training = { state: 'carry', traces: 'carry' };
    const taught = liveExperiment({ neuron, rule, training });
    const plain = liveExperiment({ neuron, rule: { name: 'readout-only' }, training });
    for (let trial = 0; trial < 2; trial++) {
      const seen: number[][] = [];
      for (const experiment of [taught, plain]) {
        const { activity, trial } = doTrial(experiment).network;
        seen.push([...activity[0].z.data, ...activity[0].psi.data, ...trial.y.data, ...trial.error.data]);
      }
      expect(seen[0].some((value) => value !== 0)).toBe(true);
      expect(seen[0]).toEqual(seen[1]);
    }
    const { state } = plain.run.network;
    const moving = state.table.filter(({ role }) => ['neuron', 'past'].includes(role)).map((field) => field.name);
    expect(moving.length).toBeGreaterThan(1);
    for (const field of moving) expect(taught.run.network.state.field(field)).toBeBitEqual(state.field(field));
  });

  it('passes leave weights as they were', () => {
    const experiment = liveExperiment({ rule });
    const before = blocks(experiment.run.network.weights);
    doTrial(experiment);
    expect(blocks(experiment.run.network.weights)).toBeBitEqual(before);
    expect(Math.max(...gradientOf(experiment.run).rec.map(Math.abs))).toBeGreaterThan(0);
  });

  it('goes on from a checkpoint bit for bit', () => {
    const options = { rule, training: { total: 12, streams: 2, state: 'carry', traces: 'carry' } };
    const whole = liveExperiment(options);
    whole.train();
    const half = liveExperiment(options);
    half.train({ until: 6 });
    const rest = liveExperiment(options);
    rest.restore(half.checkpoint());
    rest.train();
    expect(rest.checkpoint()).toEqual(whole.checkpoint());
  });

  it('is the same on wasm', () => {
    const [exact, fast] = ['reference', 'wasm'].map((backend) => {
      const experiment = createExperiment({ ...liveConfig({ rule }), backend }, liveCatalogue);
      return blocks(gradientOf(doTrial(experiment)));
    });
    expect(fast).toBeClose(exact, { relative: 2e-4 });
  });

  it('is watched without another result', () => {
    const watched = liveExperiment({ rule });
    const steps: number[] = [];
    doTrial(watched, { onStep: (t) => steps.push(t) });
    expect(steps).toEqual(Array.from({ length: 50 }, (_, t) => t));
    expect(blocks(gradientOf(watched.run))).toEqual(blocks(liveGradient({ rule })));
  });

  it('readouts have the gradient of their error', () => {
    const { out, ...others } = liveGradient({ rule });
    const plain = liveGradient({ rule: { name: 'readout-only' } });
    expect([out, others['out.bias']]).toBeClose([plain.out, plain['out.bias']], tolerances.reordered);
  });

  it.each([
    [{ training: { update: { every: 1, unit: 'step' } } }, 'training.update.unit'],
    [{ rateTerm: { strength: 1, targetHz: 10 } }, 'rateTerm.strength'],
    [{ network: { recurrent: { scaling: { kind: 'presynaptic-scaling', goal: 1 } } } }, 'scaling'],
    [
      {
        network: {
          recurrent: { connectivity: { kind: 'probability', p: 0.5 }, rewiring: { kind: 'deep-r', l1: 0.01 } },
        },
      },
      'rewiring',
    ],
  ] as const)('refuses what it cannot be put together with: %o', (options, path) => {
    const build = () => liveExperiment({ rule, ...(options as LiveOptions) });
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(path);
  });

  it.each(['fixed', 'tfjs'])('is refused by name on %s', (backend) => {
    const fixed = { formats: { 'projection.*.weights': { bits: 8, range: 1 } } };
    const raw = { ...liveConfig({ rule }), backend, ...(backend === 'fixed' ? { fixed } : {}) };
    const build = () => createExperiment(raw, liveCatalogue);
    expect(build).toThrow(UnsupportedError);
    expect(build).toThrow(/a rule of several passes over a trial/);
  });
});

describe.each(perturbations)('%s', (name) => {
  it.each(['normal', 'sign'])('on average is the gradient: %s noise', (noise) => {
    const options = { neuron: neuronOf('rate, leaky'), readout, task: { steps: 12 }, training: { streams: 1 } };
    const exact = liveGradient({ ...options, rule: { name: 'bptt' } });
    const copies = 10000;
    const rule = { name, sigma: 1e-3, noise, copies, output: 'perturbed' };
    const experiment = liveExperiment({ ...options, rule });
    doTrial(experiment);
    const mean = blocks(gradientOf(experiment.run)).flatMap((block) => Array.from(block));
    const wanted = blocks(exact).flatMap((block) => Array.from(block));
    const square = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
    const error = Math.sqrt(square(mean.map((value, s) => value - wanted[s])) / square(wanted));
    // sqrt((D + 1) / N) of the gradient, D what was perturbed; for nodes of the gradient by nodes, which is another norm.
    const perturbed = name === 'weight-perturbation' ? wanted.length : 12 * (7 + 3);
    expect(error / Math.sqrt((perturbed + 1) / copies)).toBeGreaterThan(0.4);
    expect(error / Math.sqrt((perturbed + 1) / copies)).toBeLessThan(name === 'weight-perturbation' ? 1.6 : 3);
  });

  it.each([
    ['sparse', { network: { recurrent: { connectivity: { kind: 'in-degree', n: 4 } } } }],
    ['delays', { network: { recurrent: { delayMs: 3 } } }],
    ['spikes dropped at the border', { network: { borderSpikes: 'drop' } }],
    ['rates', { neuron: neuronOf('rate, leaky') }],
    ['neurons that differ', { neuron: neuronOf('alif, each by its own constants') }],
    ['many streams', { training: { streams: 17, total: 34 } }],
  ] as const)('is the same on wasm, readouts perturbed: %s', (_label, own) => {
    const rule = { name, sigma: 0.3, output: 'perturbed' };
    const [exact, fast] = ['reference', 'wasm'].map((backend) => {
      const config = liveConfig({ readout, rule, ...(own as LiveOptions) });
      return blocks(gradientOf(doTrial(createExperiment({ ...config, backend }, liveCatalogue))));
    });
    for (const block of exact) expect(block.some((value) => value !== 0)).toBe(true);
    expect(fast).toBeClose(exact, { relative: 1e-3 });
  });

  it('copies are so many trials of their own', () => {
    const source: PerturbationNoise = (_trial, pass, place) => {
      let at = pass * 100 + place.length;
      return (out, from, n, sd) => {
        for (let s = from; s < from + n; s++) out[s] = sd * Math.sin(at++);
      };
    };
    const gradient = (copies: number, shift: number) => {
      const shifted: PerturbationNoise = (trial, pass, place, b) => source(trial, pass + shift, place, b);
      const passes = [weightPerturbationWith(shifted), nodePerturbationWith(shifted)] as unknown as Catalogue['passes'];
      const raw = liveConfig({ rule: { name, sigma: 0.3, copies } });
      return blocks(gradientOf(doTrial(createExperiment(raw, { ...liveCatalogue, passes }))));
    };
    const both = gradient(2, 0);
    const [first, second] = [gradient(1, 0), gradient(1, 1)];
    const mean = first.map((block, k) => block.map((value, s) => (value + second[k][s]) / 2));
    expect(both).toBeClose(mean, tolerances.reordered);
    expect(first).not.toBeClose(second, { relative: 1e-3 });
  });

  it('frozen weights are neither perturbed nor learned', () => {
    const run = doTrial(
      liveExperiment({ rule: { name, sigma: 0.3 }, optimizer: { rates: { in: 0, rec: 0.01, out: 0.01 } } }),
    );
    const { gradient } = run.network;
    expect(gradient.in.every((value) => value === 0)).toBe(true);
    expect(gradient.rec.some((value) => value !== 0)).toBe(true);
  });

  it('learns', () => {
    const losses: number[] = [];
    createExperiment(
      {
        backend: 'wasm',
        seed: 2,
        task: { kind: 'pattern-generation', steps: 100, inputs: 20 },
        network: {
          neurons: 20,
          neuron: { kind: 'rate', leak: { tauMs: 10 } },
          readout: { kind: 'leaky', bias: false },
        },
        rule: { name, sigma: 0.01, copies: 4 },
        loss: { kind: 'square', scale: 'mean' },
        optimizer: { kind: 'sgd', rates: { in: 0.3, rec: 0.3, out: 0 } },
        training: { total: 300 },
      },
      { ...models, tasks },
    ).train({
      listener(event) {
        if (event.type === 'trial') losses.push(event.loss);
      },
    });
    const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
    expect(mean(losses.slice(-20))).toBeLessThan(0.8 * mean(losses.slice(0, 20)));
  });
});

describe('on chips', () => {
  const learningOf = (name: string) => demandOf(liveExperiment({ rule: ruleOf(name) }).run.network.spec).learning;

  it.each([
    ['weight-perturbation', 'noise', true],
    ['node-perturbation', 'eligibility', true],
  ] as const)('%s asks for one number per synapse, %s, and for a judge', (name, field, judged) => {
    const learning = learningOf(name);
    expect(learning?.passes).toEqual({ count: 2, judged });
    const kept = learning?.variables.filter(({ home }) => home === 'synapse').map((one) => [one.name, one.count]);
    expect(kept).toEqual([
      [`projection.in.passes.${field}`, 5 * 7],
      [`projection.rec.passes.${field}`, 7 * 7],
    ]);
  });

  it('a contrast asks for neither', () => {
    const learning = learningOf('contrastive');
    expect(learning?.passes).toEqual({ count: 2, judged: false });
    expect(learning?.variables.filter(({ home }) => home === 'synapse')).toEqual([]);
    expect(learning?.variables.filter(({ name }) => name === 'passes.rec.B').map(({ count }) => count)).toEqual([21]);
  });

  it.each([
    ['ideal', 'degraded', /each trial in 2 passes/],
    ['loihi2', 'fail', /sum-of-products/],
    ['reckon', 'fail', /fixed-rule/],
    ['xylo', 'fail', /does not learn/],
  ] as const)('%s: form of the rule %s', (kind, status, why) => {
    const { spec } = liveExperiment({ rule: ruleOf('node-perturbation') }).run.network;
    const chip = profiles.find((profile) => profile.id === kind) as ChipProfile;
    const check = deploy(demandOf(spec), chip).checks.find(({ name }) => name === 'form of the rule');
    expect(check?.status).toBe(status);
    expect(check?.because).toMatch(why);
  });
});

describe('node-perturbation', () => {
  it('says why it cannot perturb readouts with a filter and a bias', () => {
    const rule = { name: 'node-perturbation', sigma: 0.1, output: 'perturbed' };
    expect(() => liveExperiment({ rule })).toThrow(/rule\.output.*without a bias or without a filter/);
  });
});

describe('contrastive', () => {
  const settling = { kind: 'rate', leaks: 'potential', leak: { decay: 0.5 } };
  const config = (rule: object, backend = 'reference') => ({
    backend,
    seed: 3,
    task: { kind: 'live', steps: 60, outputs: 2 },
    network: {
      populations: { hidden: { size: 6, neuron: settling }, output: { size: 2, neuron: settling } },
      projections: {
        in: { from: 'input', to: 'hidden' },
        rec: { from: 'hidden', to: 'hidden' },
        up: { from: 'hidden', to: 'output' },
      },
      readouts: { out: { from: 'output', readout: { kind: 'leaky', filter: { decay: 0 }, bias: false } } },
    },
    rule: { name: 'contrastive', ...rule },
    loss: { kind: 'square' },
    optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, up: 0.01, out: 0 } },
    training: { total: 4, streams: 1 },
  });

  it('holds a population at its target', () => {
    const held: number[] = [];
    const see: SeePass = ({ populations: [, { z }], readouts: [{ target }] }, pass, steps) => {
      for (let t = 0; t < steps; t++) {
        for (let k = 0; k < 2; k++)
          held.push(pass === 1 ? z.data[rowAt(z, 0, t) + k] - target.data[rowAt(target, 0, t) + k] : 0);
      }
    };
    const passes = [watchPasses(contrastive, see)];
    doTrial(createExperiment(config({ teacher: 'clamp', clamps: 'output' }), { ...liveCatalogue, passes }));
    expect(held).toEqual(new Array(2 * 2 * 60).fill(0));
  });

  it.each([
    [{ teacher: 'clamp' }, /rule\.clamps.*one of hidden, output/],
    [{ teacher: 'clamp', clamps: 'hidden' }, /rule\.clamps.*2 neurons, one for each output/],
    [{ clamps: 'output' }, /rule\.clamps.*null with the teacher "nudge"/],
    [{ strength: 0 }, /rule\.strength/],
  ] as const)('says what is wrong with %o', (rule, message) => {
    expect(() => createExperiment(config(rule), liveCatalogue)).toThrow(message);
  });

  it.each([{}, { phases: 'trial' }, { feedback: 'random' }, { teacher: 'target' }])(
    'is the same on wasm: %o',
    (rule) => {
      const [exact, fast] = ['reference', 'wasm'].map((backend) => {
        const experiment = createExperiment(config(rule, backend), liveCatalogue);
        return Object.values(gradientOf(doTrial(experiment))).map((block) => Array.from(block));
      });
      expect(Math.max(...exact[0].map(Math.abs))).toBeGreaterThan(0);
      expect(fast).toBeClose(exact, { relative: 2e-4 });
    },
  );

  it('does not hold activity on wasm', () => {
    const spiking = {
      ...liveConfig({ rule: { name: 'contrastive', teacher: 'clamp', clamps: 'rec' }, task: { outputs: 7 } }),
    };
    expect(() => createExperiment({ ...spiking, backend: 'wasm' }, liveCatalogue)).toThrow(
      /activity that is held at a target/,
    );
  });
});
