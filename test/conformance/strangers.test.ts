import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ChipProfile, demandOf, deploy, profiles } from '../../hardware/index.ts';
import { models } from '../../models/index.ts';
import { loadTensorFlow } from '../../src/backends/tfjs/load.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import type {
  Catalogue,
  ClosedDynamics,
  Entry,
  Loss,
  LossModel,
  NeuronModel,
  ReadoutModel,
  SignalModel,
  TraceModel,
} from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { assertAlive, blocks, doTrial, type LiveOptions, liveCatalogue, liveConfig } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/**
 * Parts that somebody else might write: each works on every backend and in `deploy`, or is refused by its name.
 */

function catalogueWith(parts: { readonly [K in keyof Catalogue]?: readonly unknown[] }): Catalogue {
  return Object.fromEntries(
    Object.entries(liveCatalogue).map(([kind, list]) => [kind, [...list, ...(parts[kind as keyof Catalogue] ?? [])]]),
  ) as unknown as Catalogue;
}

const experimentOf = (catalogue: Catalogue, options: LiveOptions, changes: object = {}): Experiment =>
  createExperiment({ ...liveConfig(options), ...changes }, catalogue);

/** Input that brings a neuron with a small gain into its range. */
const driven = { input: { init: { kind: 'normal', gain: 1.5 }, bias: 0.4 } };

const chip = profiles.find(({ id }) => id === 'reckon') as ChipProfile;
const checkOf = (experiment: Experiment, name: string) =>
  deploy(demandOf(experiment.run.network.spec), chip).checks.find((check) => check.name === name);

// ---------------------------------------------------------------- a loss

const huberParams = z.strictObject({ kind: z.literal('huber'), width: z.number().positive().default(0.1) });
/** w^2 (sqrt(1 + (e / w)^2) - 1) of every output. */
const huber: LossModel<z.infer<typeof huberParams>> = {
  kind: 'huber',
  source: 'test',
  params: huberParams,
  derive: ({ width }): Loss => ({
    classification: false,
    kernel: null,
    error(error, y, target, row, nOut) {
      for (let k = row; k < row + nOut; k++) {
        const e = y[k] - target[k];
        error[k] = e / Math.sqrt(1 + (e / width) ** 2);
      }
    },
    value(y, target, row, nOut) {
      let sum = 0;
      for (let k = row; k < row + nOut; k++) sum += width ** 2 * (Math.sqrt(1 + ((y[k] - target[k]) / width) ** 2) - 1);
      return sum;
    },
  }),
};

describe('a loss of a stranger', () => {
  const catalogue = catalogueWith({ losses: [huber] });
  const options: LiveOptions = { loss: { kind: 'huber', width: 0.2, scale: 0.7 } };

  it('is made on the host beside the kernels of wasm, which auto takes, with the gradient of the reference', () => {
    const experiment = experimentOf(catalogue, options, { backend: 'auto' });
    const told: string[] = [];
    experiment.train({
      listener: (event) => {
        if (event.type === 'warning' && event.finding === null) told.push(event.message);
      },
    });
    expect(experiment.config.backend).toBe('wasm');
    expect(told).toEqual([]);
    const [fast, exact] = ['wasm', 'reference'].map((backend) =>
      gradientOf(doTrial(experimentOf(catalogue, options, { backend }))),
    );
    expect(blocks(fast)).toBeClose(blocks(exact), { relative: 1e-5, absolute: 1e-7 });
    const square = gradientOf(doTrial(experimentOf(catalogue, {}, { backend: 'wasm' })));
    expect(blocks(square)).not.toBeClose(blocks(exact), { relative: 1e-2, absolute: 1e-7 });
  });

  it('has its parameters checked like any other', () => {
    expect(() => experimentOf(catalogue, { loss: { kind: 'huber', width: -1 } })).toThrow(/loss\.width: got -1/);
    expect(() => experimentOf(catalogue, { loss: { kind: 'hinge' } })).toThrow(/loss\.kind: got "hinge".*"huber"/);
  });

  it.each(['reference', 'fixed', 'wasm'])('has its own error on %s', (backend) => {
    const fixed =
      backend === 'fixed' ? { fixed: { formats: { 'readout.out.weights': { bits: 32, fraction: 20 } } } } : {};
    const { network } = doTrial(experimentOf(catalogue, options, { backend, ...fixed }));
    const { y, target, weight, error } = network.trial;
    const { out } = network.spec.sizes;
    const want = Array.from(y.data, (value, s) => {
      const e = value - target.data[s];
      return (0.7 * weight.data[Math.floor(s / out)] * e) / Math.sqrt(1 + (e / 0.2) ** 2);
    });
    expect(Array.from(error.data)).toBeClose(
      want,
      backend === 'wasm' ? { relative: 1e-5, absolute: 1e-6 } : tolerances.formula,
    );
  });
});

// ---------------------------------------------------------------- a readout with names of its own

const plainReadoutParams = z.strictObject({ kind: z.literal('two-words') });
/** The leaky readout under other names, with filter 0.7. */
const twoWords: ReadoutModel<z.infer<typeof plainReadoutParams>> = {
  kind: 'two-words',
  source: 'test',
  params: plainReadoutParams,
  derive(_params, context) {
    const inner = models.readouts[0].derive(
      { kind: 'leaky', filter: { decay: 0.7 }, scale: '1-kappa', bias: true } as never,
      context,
    );
    const layout: Layout = { charge: inner.layout.u, memory: inner.layout.zBar };
    const named = <T extends { readonly state: Readonly<Record<string, Real>> }>(binding: T) => ({
      ...binding,
      state: { u: binding.state.charge, zBar: binding.state.memory },
    });
    return {
      ...inner,
      layout,
      kernel: null,
      bind: (binding) => inner.bind(named(binding)),
      bindGradient: (binding) => inner.bindGradient(named(binding)),
    };
  },
};

describe('a readout whose state has names of its own', () => {
  const catalogue = catalogueWith({ readouts: [twoWords] });
  const mine = { label: 'two-words', params: { kind: 'two-words' } };
  const ours = { label: 'leaky', params: { kind: 'leaky', filter: { decay: 0.7 } } };

  it('is what auto takes the reference backend for, and says so', () => {
    const experiment = experimentOf(catalogue, { readout: mine }, { backend: 'auto' });
    const told: string[] = [];
    experiment.train({
      listener: (event) => {
        if (event.type === 'warning' && event.finding === null) told.push(event.message);
      },
    });
    expect(experiment.config.backend).toBe('reference');
    expect(told[0]).toMatch(/on the reference backend, since wasm has no kernel for the readout "two-words"/);
  });

  it.each(['online', 'deferred'])('trains as ours does, %s', (execution) => {
    const trained = (readout: typeof mine) => {
      const experiment = experimentOf(catalogue, { readout, training: { execution } });
      experiment.train();
      assertAlive(experiment.run);
      return experiment;
    };
    const [own, leaky] = [trained(mine), trained(ours)];
    for (const name of ['projection.in.weights', 'readout.out.weights']) {
      expect(own.run.network.state.field(name)).toBeBitEqual(leaky.run.network.state.field(name));
    }
    expect(own.run.network.state.field('readout.out.memory')).toBeBitEqual(
      leaky.run.network.state.field('readout.out.zBar'),
    );
  });

  it('is refused by name where there is no kernel, and its decays are seen by deploy', () => {
    expect(() => experimentOf(catalogue, { readout: mine }, { backend: 'wasm' })).toThrow(/the readout "two-words"/);
    const decays = demandOf(experimentOf(catalogue, { readout: mine }).run.network.spec).decays;
    expect(decays).toContainEqual({ name: 'readout.out.charge', of: 'readout', decay: 0.7, learns: false });
    expect(decays).toContainEqual({ name: 'readout.out.memory', of: 'readout', decay: 0.7, learns: true });
  });
});

// ---------------------------------------------------------------- a trace without rate term

const hebbParams = z.strictObject({ kind: z.literal('hebb') });
/** signal_j(t) times psi_j(t) times the presynaptic activity, dense, and nothing else. */
const hebb: TraceModel<z.infer<typeof hebbParams>> = {
  kind: 'hebb',
  source: 'test',
  params: hebbParams,
  derive: () => ({
    layout: {},
    filter: { decay: 0, gain: 1 },
    footprint: { reads: ['pre', 'psi', 'signal'], phases: ['soma'] },
    kernel: null,
    bind: ({ sizes: { stream, pre: nPre }, pre, delay, psi, signal, gradient, projection: { rowStart, post } }) => ({
      step(t) {
        for (let b = 0; b < stream; b++) {
          const from = rowAt(pre, b, t - delay);
          const [gate, owed] = [rowAt(psi, b, t), rowAt(signal, b, t)];
          for (let i = 0; i < nPre; i++) {
            for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
              gradient[s] += pre.data[from + i] * psi.data[gate + post[s]] * signal.data[owed + post[s]];
            }
          }
        }
      },
      finish() {},
    }),
    bindDeferred: null,
  }),
};

describe('a trace that is no eligibility of the neuron', () => {
  const catalogue = catalogueWith({ traces: [hebb], neurons: [twoStates(null) as unknown as Entry<NeuronModel>] });
  const rule = { name: 'factored', trace: { kind: 'hebb' }, signal: { kind: 'broadcast' } };

  it('trains without the firing-rate term, and is refused with it', () => {
    const experiment = experimentOf(catalogue, { rule });
    const before = Float64Array.from(experiment.run.network.weights.rec);
    experiment.train();
    expect(experiment.run.network.weights.rec).not.toBeBitEqual(before);
    expect(() => experimentOf(catalogue, { rule, rateTerm: { strength: 1, mean: 'running' } })).toThrow(
      /rateTerm\.strength: got 1, expected 0 with the trace "hebb"/,
    );
  });

  it('has no deferred form and says so; auto takes the online one', () => {
    expect(experimentOf(catalogue, { rule }).run.network.spec.execution).toBe('online');
    expect(() => experimentOf(catalogue, { rule, training: { execution: 'deferred' } })).toThrow(/training\.execution/);
  });

  it('trains a neuron of any dynamics', () => {
    const neuron = { label: 'synaptic', params: { kind: 'synaptic' } };
    const experiment = experimentOf(catalogue, { rule, neuron, network: driven, seed: 6 });
    experiment.train();
    assertAlive(experiment.run);
  });
});

// ---------------------------------------------------------------- an adaptive signal without kernel

const adaptiveParams = z.strictObject({ kind: z.literal('own-adaptive') });
/** The adaptive broadcast without a word on kernels, its matrix under another name. */
const ownAdaptive: SignalModel<z.infer<typeof adaptiveParams>> = {
  kind: 'own-adaptive',
  source: 'test',
  params: adaptiveParams,
  derive(_params, context) {
    const broadcast = models.signals[0].derive(
      { kind: 'broadcast', feedback: 'adaptive', scale: 1, errorSpikeSize: null, decay: 1e-3 } as never,
      context,
    );
    return {
      ...broadcast,
      layout: { M: broadcast.layout.B },
      followsReadout: 'M',
      kernel: null,
      init: (state, rng, network) => broadcast.init({ B: state.M }, rng, network),
      bind: (binding) => broadcast.bind({ ...binding, state: { B: binding.state.M } }),
    };
  },
};

describe('an adaptive signal without kernel', () => {
  const catalogue = catalogueWith({ signals: [ownAdaptive] });
  const rule = { name: 'factored', trace: { kind: 'eligibility' }, signal: { kind: 'own-adaptive' } };

  it('stays on its grid in fixed point', () => {
    const formats = { 'signal.*': { bits: 8, fraction: 6 }, 'weights.*': { bits: 16, fraction: 10 } };
    const experiment = experimentOf(catalogue, { rule }, { backend: 'auto', fixed: { formats } });
    experiment.train();
    const M = experiment.run.network.state.field('population.rec.signal.M');
    expect(Array.from(M).filter((value) => !Number.isInteger(64 * value))).toEqual([]);
    expect(new Set(M).size).toBeGreaterThan(5);
  });

  it('is refused by name on wasm', () => {
    expect(() => experimentOf(catalogue, { rule }, { backend: 'wasm' })).toThrow(/the signal "own-adaptive"/);
  });
});

// ---------------------------------------------------------------- neurons

/** The dynamics of one state as they are. */
const oneFilter: ClosedDynamics = {
  form: 'filter-then-post',
  decay: 0.8,
  gain: 0.4,
  adaptation: null,
  resetGain: 0.6,
};

/** A synaptic current before the membrane, with whatever its author declares. */
function twoStates(eligibility: ClosedDynamics | null): NeuronModel<{ readonly kind: 'synaptic' }> {
  return {
    kind: 'synaptic',
    source: 'test',
    spiking: true,
    params: z.strictObject({ kind: z.literal('synaptic') }),
    derive: () => ({
      layout: {
        s: { shape: ['stream', 'self'], home: 'post', unit: 'weight', doc: 'synaptic current', decay: 0.6 },
        v: { shape: ['stream', 'self'], home: 'post', unit: 'weight', doc: 'membrane', decay: 0.8 },
      },
      eligibility,
      threshold: (_state, _b, out) => out.fill(0.6),
      membrane: 'v',
      nRef: 0,
      kernel: null,
      bind: ({ sizes: { self: n }, state: { s, v }, z, psi, current }) => {
        return (b, t) => {
          const [to, before, gate] = [rowAt(z, b, t), rowAt(z, b, t - 1), rowAt(psi, b, t)];
          for (let j = 0; j < n; j++) {
            const at = b * n + j;
            s[at] = 0.6 * s[at] + current[j];
            v[at] = 0.8 * v[at] + 0.4 * s[at] - 0.6 * z.data[before + j];
            z.data[to + j] = v[at] > 0.6 ? 1 : 0;
            psi.data[gate + j] = 0.5 * Math.max(0, 1 - Math.abs(v[at] - 0.6) / 0.6);
          }
        };
      },
    }),
  };
}

describe('a neuron with two states', () => {
  const neuron = { label: 'synaptic', params: { kind: 'synaptic' } };

  it('is refused where it declares one, with the step and both numbers', () => {
    const catalogue = catalogueWith({ neurons: [twoStates(oneFilter)] });
    expect(() => experimentOf(catalogue, { neuron })).toThrow(
      /network\.neuron "synaptic" is not what it declares.*2 steps after a pulse of 0\.01 its membrane "v" has moved by 0\.00560000, by the declaration 0\.00320000/,
    );
  });

  it.each([
    { name: 'e-prop-1' },
    { name: 'rflo' },
    { name: 'bptt' },
    { name: 'rtrl' },
    { name: 'uoro' },
    { name: 'kernl' },
    { name: 'sg-r-d' },
  ])('which it declares to be of no known form: $name refuses it by name', (rule) => {
    const catalogue = catalogueWith({ neurons: [twoStates(null)] });
    expect(() => experimentOf(catalogue, { neuron, rule })).toThrow(
      new RegExp(`the rule "${rule.name}" rests on the dynamics of the neuron, and "synaptic" declares none`),
    );
  });

  it('runs with a learning readout, and no chip is said to have it', () => {
    const catalogue = catalogueWith({ neurons: [twoStates(null)] });
    const experiment = experimentOf(catalogue, { neuron, network: driven, seed: 6, rule: { name: 'readout-only' } });
    experiment.train();
    assertAlive(experiment.run);
    expect(checkOf(experiment, 'neuron model')).toMatchObject({ status: 'fail' });
    expect(checkOf(experiment, 'neuron model')?.because).toMatch(/"synaptic" declares dynamics of no form/);
  });

  it.each([
    ['a wrong decay', { ...oneFilter, decay: 0.9 }, /membrane/],
    ['a wrong gain', { ...oneFilter, gain: 0.5 }, /membrane/],
    ['a reset that it has not', { ...oneFilter, resetGain: 0.3 }, /and a spike its membrane/],
    [
      'an adaptation that it has not',
      { ...oneFilter, adaptation: { decay: 0.9, strength: new Float64Array(7).fill(0.1) } },
      /threshold/,
    ],
  ])('of one state, %s is refused', (_what, declared, why) => {
    const catalogue = catalogueWith({ neurons: [oneState(declared)] });
    expect(() => experimentOf(catalogue, { neuron: { label: '', params: { kind: 'plain' } } })).toThrow(why);
  });

  it('of one state, what it is passes', () => {
    const catalogue = catalogueWith({ neurons: [oneState(oneFilter)] });
    experimentOf(catalogue, { neuron: { label: '', params: { kind: 'plain' } } }).train();
  });
});

/** v(t) = 0.8 v(t-1) + 0.4 I(t) - 0.6 z(t-1) about a rest of `rest`. */
function oneState(eligibility: ClosedDynamics, rest = 0): NeuronModel<{ readonly kind: 'plain' }> {
  return {
    kind: 'plain',
    source: 'test',
    spiking: true,
    params: z.strictObject({ kind: z.literal('plain') }),
    derive: () => ({
      layout: {
        v: { shape: ['stream', 'self'], home: 'post', unit: 'mV', doc: 'membrane', decay: 0.8, initial: rest },
      },
      eligibility,
      threshold: (_state, _b, out) => out.fill(rest + 0.6),
      membrane: 'v',
      nRef: 0,
      kernel: null,
      bind: ({ sizes: { self: n }, state: { v }, z, psi, current }) => {
        return (b, t) => {
          const [to, before, gate] = [rowAt(z, b, t), rowAt(z, b, t - 1), rowAt(psi, b, t)];
          for (let j = 0; j < n; j++) {
            const at = b * n + j;
            v[at] = rest + 0.8 * (v[at] - rest) + 0.4 * current[j] - 0.6 * z.data[before + j];
            z.data[to + j] = v[at] > rest + 0.6 ? 1 : 0;
            psi.data[gate + j] = 0.5 * Math.max(0, 1 - Math.abs(v[at] - rest - 0.6) / 0.6);
          }
        };
      },
    }),
  };
}

describe('a neuron that rests elsewhere than at 0', () => {
  const neuron = { label: 'plain', params: { kind: 'plain' } };
  const at = (rest: number, options: LiveOptions = {}, changes = {}) => {
    const network = { input: { init: { kind: 'normal', gain: 1.5 }, bias: 0.4 } };
    const catalogue = catalogueWith({ neurons: [oneState(oneFilter, rest)] });
    return experimentOf(catalogue, { neuron, network, ...options }, changes);
  };

  it.each(['reset', 'carry'])('fires and learns as one at 0 does, state %s', (state) => {
    const [zero, low] = [0, -64].map((rest) => {
      const experiment = at(rest, { training: { state } });
      doTrial(experiment);
      assertAlive(experiment.run);
      return experiment;
    });
    expect(low.run.network.activity[0].z.data).toBeBitEqual(zero.run.network.activity[0].z.data);
    expect(blocks(gradientOf(low.run))).toBeClose(blocks(gradientOf(zero.run)), { relative: 1e-9 });
  });

  it('rests there before its first step, and again after a reset', () => {
    const { run } = at(-64);
    expect(new Set(run.network.state.field('population.rec.v'))).toEqual(new Set([-64]));
    doTrial(at(-64));
  });

  it('resumes to the same bits', () => {
    const whole = at(-64, { training: { state: 'carry' } });
    whole.train();
    const first = at(-64, { training: { state: 'carry' } });
    first.train({ until: 6 });
    const second = at(-64, { training: { state: 'carry' } });
    second.restore(first.checkpoint());
    second.train();
    expect(second.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
  });

  it('keeps its rest in fixed point', () => {
    const formats = { 'population.rec.v': { bits: 24, fraction: 12 } };
    const experiment = at(-64, {}, { backend: 'auto', fixed: { formats } });
    doTrial(experiment);
    const v = Array.from(experiment.run.network.state.field('population.rec.v'));
    expect(v.every((value) => value > -80 && value < -50 && Number.isInteger(value * 4096))).toBe(true);
  });
});

describe('on tensors', () => {
  const catalogue = catalogueWith({
    losses: [huber],
    readouts: [twoWords],
    traces: [hebb],
    signals: [ownAdaptive],
    neurons: [twoStates(null)],
  });
  const deferred = { training: { execution: 'deferred' } };
  const factored = (trace: string, signal: string) => ({
    name: 'factored',
    trace: { kind: trace },
    signal: { kind: signal },
  });

  beforeAll(async () => {
    await loadTensorFlow();
  });

  it('a loss of a stranger is made on the host, and has the gradient of the reference', () => {
    const loss = { kind: 'huber', width: 0.2 };
    const [tensors, reference] = ['tfjs', 'reference'].map((backend) =>
      gradientOf(doTrial(experimentOf(catalogue, { loss, ...deferred }, { backend }))),
    );
    expect(blocks(tensors)).toBeClose(blocks(reference), { relative: 1e-4 });
  });

  it.each([
    ['the readout "two-words"', { readout: { label: '', params: { kind: 'two-words' } } }],
    ['the signal "own-adaptive"', { rule: factored('eligibility', 'own-adaptive'), ...deferred }],
    ['the trace "hebb"', { rule: factored('hebb', 'broadcast') }],
    ['the neuron "synaptic"', { neuron: { label: '', params: { kind: 'synaptic' } }, rule: { name: 'readout-only' } }],
  ])('%s is refused by name', (what, options) => {
    expect(() => experimentOf(catalogue, options, { backend: 'tfjs' })).toThrow(new RegExp(what));
  });
});
