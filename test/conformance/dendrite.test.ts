import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import {
  assertAlive,
  closedDynamicsOf,
  doTrial,
  expectRefused,
  isRefused,
  type LiveOptions,
  liveExperiment,
  liveNeurons,
  liveReadouts,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

type Matrix = number[][];
type Setting = Readonly<Record<string, unknown>> & { readonly delays: number };

const base = {
  credit: 'activity',
  predicts: 'future',
  jacobian: 'linear',
  delays: 3,
  label: true,
  squash: 'none',
  copyEvery: 1,
  normalised: true,
  reset: false,
};
const lif = liveNeurons[0];
const rate = liveNeurons.find(({ label }) => label === 'rate, leaky') ?? lif;
const alif = liveNeurons.find(({ label }) => label === 'alif') ?? lif;
const each = liveNeurons.find(({ label }) => label === 'lif, each by its own constants') ?? lif;
const cuba = liveNeurons.find(({ label }) => label === 'cuba-lif') ?? lif;
const integrator = liveNeurons.find(({ label }) => label === 'integrator') ?? lif;
const [plain, filtered] = liveReadouts;

const settings: readonly [string, Setting, LiveOptions][] = [
  ['SG-r/D', base, { neuron: lif, readout: plain }],
  ['SG-r/D of ALIF neurons', base, { neuron: alif, readout: plain }],
  ['SG-r/D of LIF neurons that differ', base, { neuron: each, readout: plain }],
  ['SG-r/D of two stages, behind a filter', base, { neuron: cuba, readout: filtered }],
  ['SG-r of integrators', { ...base, predicts: 'present', delays: 1, normalised: false }, { neuron: integrator }],
  ['SG-r/D behind a readout with a filter', base, { neuron: lif, readout: filtered }],
  ['SG-r/D, one delay, no label, rates as they are', { ...base, delays: 1, label: false, normalised: false }, {}],
  ['SG-r with a slow copy', { ...base, predicts: 'present', delays: 1, copyEvery: 5, normalised: false }, {}],
  ['SG-z', { ...base, predicts: 'present', delays: 2, jacobian: 'gated', squash: 'tanh' }, { neuron: lif }],
  ['SG-v', { ...base, predicts: 'present', jacobian: 'gated', credit: 'membrane' }, { neuron: lif, readout: plain }],
  ['SG-d', { ...base, jacobian: 'gated', credit: 'membrane' }, { neuron: lif, readout: plain }],
  ['SG-d with the reset', { ...base, jacobian: 'exact', credit: 'membrane', reset: true }, { neuron: lif }],
  ['rates, gated', { ...base, predicts: 'present', delays: 1, jacobian: 'gated' }, { neuron: rate }],
  ['rates, exact', { ...base, predicts: 'present', delays: 1, jacobian: 'exact' }, { neuron: rate }],
];

function build(setting: Setting, options: LiveOptions, signal: Readonly<Record<string, unknown>> = {}): Experiment {
  return liveExperiment({
    neuron: lif,
    ...options,
    task: { mode: 'stream', target: 'one-hot' },
    loss: { kind: 'softmax' },
    network: { recurrent: { init: { kind: 'normal', gain: 0.9 }, autapses: true } },
    rule: {
      name: 'factored',
      trace: { kind: 'eligibility' },
      signal: { kind: 'dendrite', ...setting, rateA: 0.2, rateJ: 0.3, startA: 'normal', startJ: 'weights', ...signal },
    },
    training: { streams: 3, total: 180, chunkSteps: 30, update: { unit: 'step' } },
  });
}

/** What the signal wrote and knew after every step of a frozen trial. */
function watched(experiment: Experiment) {
  const rows: { signal: number[]; A: number[]; J: number[] }[] = [];
  const { state, activity, spec } = experiment.run.network;
  const { stream } = spec.sizes;
  const signal = state.views('population.rec.signal');
  const [written] = activity[0].signals;
  const start = { A: Array.from(signal.A), J: Array.from(signal.J ?? []), Jin: Array.from(signal.Jin ?? []) };
  const B = Array.from(signal.B);
  doTrial(experiment, {
    onStep(t) {
      const rowOf = (b: number) => {
        const from = rowAt(written, b, t);
        return Array.from(written.data.subarray(from, from + written.size));
      };
      rows.push({
        signal: Array.from({ length: stream }, (_, b) => rowOf(b)).flat(),
        A: Array.from(signal.A),
        J: Array.from(signal.J ?? []),
      });
    },
  });
  return { rows, start, B, run: experiment.run };
}

const table = (flat: readonly number[], width: number): Matrix =>
  Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));

/** The equations of the doc comment, matrix by matrix, from the arrays that the trial left behind. */
function oracle(setting: Setting, run: Run, start: { A: number[]; J: number[]; Jin: number[] }, flatB: number[]) {
  const { spec, trial, weights } = run.network;
  const [{ z: spikes, psi: gates }] = run.network.activity;
  const { stream: S, step: T, in: nIn, out } = spec.sizes;
  const n = spec.populations[0].size;
  const { decay: kappa, gain: readGain } = spec.readouts[0];
  const p = { ...base, ...setting } as typeof base;
  // A linear model of the activity knows no constant of the neuron.
  const known = p.jacobian === 'linear' ? { form: null, decay: Number.NaN, gain: Number.NaN } : closedDynamicsOf(spec);
  const { form, decay, gain } = known;
  const of = (x: Rows, b: number, t: number, width: number) =>
    Array.from({ length: width }, (_, j) => x.data[rowAt(x, b, t) + j]);
  const z = (b: number, t: number) => of(spikes, b, t, n);
  const times = (M: Matrix, x: readonly number[]) =>
    M[0].map((_, j) => M.reduce((sum, line, i) => sum + line[j] * x[i], 0));
  const back = (M: Matrix, x: readonly number[]) =>
    M.map((line) => line.reduce((sum, value, j) => sum + value * x[j], 0));
  const wRec = table(Array.from(weights.rec), n);
  const wIn = table(Array.from(weights.in), n);
  const A = table(start.A, n);
  let slow = A.map((line) => [...line]);
  const J = table(start.J, n);
  const Jin = table(start.Jin, n);
  const B = table(flatB, out);
  const r = Array.from({ length: S }, () => Array.from({ length: T }, () => new Array<number>(n).fill(0)));
  for (let b = 0; b < S; b++) {
    for (let t = 0; t < T; t++) {
      const now = z(b, t);
      for (let j = 0; j < n; j++) r[b][t][j] = kappa * (t > 0 ? r[b][t - 1][j] : 0) + readGain * now[j];
    }
  }
  const none = new Array<number>(n).fill(0);
  const rOf = (b: number, t: number) => (t < 0 ? none : r[b][t]);
  const f = (b: number, t: number) => [
    ...Array.from({ length: p.delays }, (_, d) => rOf(b, t - d)).flat(),
    ...(p.label ? of(trial.target, b, Math.max(t, 0), out) : []),
    1,
  ];
  const q = (b: number, t: number) => (t < 0 ? none : back(B, of(trial.error, b, t, out)));
  const squash = (x: readonly number[]) => (p.squash === 'tanh' ? x.map(Math.tanh) : [...x]);
  const pull = (F: readonly number[], b: number, t: number) => {
    if (p.jacobian === 'linear') return back(J, F);
    const M = p.jacobian === 'exact' ? wRec : J;
    if (p.credit === 'membrane')
      return back(
        M,
        F.map((value) => gain * value),
      );
    const psi = of(gates, b, t, n);
    const passed = back(
      M,
      F.map((value, j) => gain * psi[j] * value),
    );
    return form === 'post-then-filter' ? passed.map((value, j) => value + decay * F[j]) : passed;
  };
  const square = (x: readonly number[]) => x.reduce((sum, value) => sum + value * value, 0);
  let [mR, mF] = [n / 2, (n * p.delays) / 2];
  let age = 0;
  return Array.from({ length: T }, (_unused, t) => {
    const streams = Array.from({ length: S }, (_, b) => b);
    mR += 0.005 * (streams.reduce((sum, b) => sum + square(rOf(b, t - 1)), 0) / S - mR);
    mF += 0.005 * (streams.reduce((sum, b) => sum + square(f(b, t)), 0) / S - mF);
    const rateJ = 0.3 / (p.normalised ? 1 + mR : 1) / S;
    const rateA = 0.2 / (p.normalised ? 1 + mF : 1) / S;
    if (p.jacobian === 'linear') {
      const errors = streams.map((b) => times(J, rOf(b, t - 1)).map((value, j) => rOf(b, t)[j] - value));
      for (const b of streams)
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) J[i][j] += rateJ * rOf(b, t - 1)[i] * errors[b][j];
    }
    if (p.jacobian === 'gated') {
      const errors = streams.map((b) => {
        const x = of(trial.x, b, t, nIn);
        const current = times(wRec, z(b, t - 1)).map((value, j) => value + times(wIn, x)[j]);
        const guess = times(J, z(b, t - 1)).map((value, j) => value + times(Jin, x)[j]);
        return current.map((value, j) => value - guess[j]);
      });
      for (const b of streams) {
        const x = of(trial.x, b, t, nIn);
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) J[i][j] += rateJ * z(b, t - 1)[i] * errors[b][j];
        for (let i = 0; i < nIn; i++) for (let j = 0; j < n; j++) Jin[i][j] += rateJ * x[i] * errors[b][j];
      }
    }
    const F = streams.map((b) => squash(times(slow, f(b, t))));
    const reset = p.reset ? closedDynamicsOf(spec).resetGain : 0;
    const V = streams.map((b) =>
      pull(F[b], b, t).map((value, j) => q(b, t)[j] + value - (p.credit === 'membrane' ? reset * F[b][j] : 0)),
    );
    const targets = streams.map((b) => {
      const psi = (at: number) => (at < 0 ? none : of(gates, b, at, n));
      if (p.predicts === 'future') {
        return p.credit === 'membrane' ? V[b].map((value, j) => psi(t)[j] * value + decay * F[b][j]) : V[b];
      }
      const owed = pull(F[b], b, t).map((value, j) => q(b, t - 1)[j] + value);
      return p.credit === 'membrane' ? owed.map((value, j) => psi(t - 1)[j] * value + decay * F[b][j]) : owed;
    });
    const errors = streams.map((b) => times(A, f(b, t - 1)).map((value, j) => value - targets[b][j]));
    for (const b of streams)
      f(b, t - 1).forEach((value, i) => {
        for (let j = 0; j < n; j++) A[i][j] -= rateA * value * errors[b][j];
      });
    age += 1;
    if (age % p.copyEvery === 0) slow = A.map((line) => [...line]);
    const signal = streams.flatMap((b) =>
      (p.predicts === 'future' ? V[b] : times(A, f(b, t))).map((v) => readGain * v),
    );
    return { signal, A: A.flat(), J: J.flat() };
  });
}

describe.each(settings)('%s', (_label, setting, options) => {
  it('does what its equations say, step by step', () => {
    const experiment = build(setting, options);
    const { rows, start, B, run } = watched(experiment);
    assertAlive(run);
    const want = oracle(setting, run, start, B);
    expect(rows).toHaveLength(want.length);
    for (const [t, row] of rows.entries()) {
      expect(row.signal, `signal at step ${t}`).toBeClose(want[t].signal, { relative: 1e-10 });
      expect(row.A, `A at step ${t}`).toBeClose(want[t].A, { relative: 1e-10 });
      if (setting.jacobian !== 'exact') expect(row.J, `J at step ${t}`).toBeClose(want[t].J, { relative: 1e-10 });
    }
    expect(rows[29].A).not.toBeBitEqual(Float64Array.from(start.A));
  });
});

describe('identities', () => {
  const sgrd = (own: object, backend: string) => {
    const config = preset('four-six-back') as Record<string, Record<string, unknown>>;
    return createExperiment(
      { ...config, backend, rule: own, training: { ...config.training, total: 3200, streams: 4, chunkSteps: 50 } },
      { ...models, tasks },
    );
  };

  it.each(['reference', 'wasm'])('without J the rule is e-prop 1, bit for bit: %s', (backend) => {
    const [off, eprop] = [sgrd({ name: 'sg-r-d', rateJ: 0 }, backend), sgrd({ name: 'e-prop-1' }, backend)];
    off.train();
    eprop.train();
    for (const name of ['in', 'rec', 'out', 'out.bias'] as const) {
      expect(off.run.network.weights[name]).toBeBitEqual(eprop.run.network.weights[name]);
    }
    expect(off.run.network.state.field('population.rec.signal.A').some((value) => value !== 0)).toBe(true);
  });

  it('the lean form is the full one without filter and label', () => {
    const lean = sgrd({ name: 'sg-r-d-lean' }, 'reference');
    const full = sgrd(
      {
        name: 'factored',
        trace: { kind: 'eligibility', presynapticFilter: false },
        signal: { kind: 'dendrite', label: false },
      },
      'reference',
    );
    lean.train();
    full.train();
    expect(lean.run.network.weights.rec).toBeBitEqual(full.run.network.weights.rec);
  });

  it('a late signal is that of the step before, and the gradient of T steps that of T - 1', () => {
    const options = { neuron: lif, readout: plain } as const;
    const rule = (late: boolean) => ({
      name: 'factored',
      trace: { kind: 'eligibility', late },
      signal: { kind: 'dendrite', delays: 2, late },
    });
    const once = (late: boolean, steps: number) => {
      const experiment = liveExperiment({
        ...options,
        task: { mode: 'stream' },
        rule: rule(late),
        training: { streams: 2, total: 80, chunkSteps: 40, update: { unit: 'step' } },
      });
      return { run: doTrial(experiment, { steps }), experiment };
    };
    const [late, timely] = [once(true, 40), once(false, 39)];
    expect(gradientOf(late.run).rec).toBeClose(gradientOf(timely.run).rec, tolerances.reordered);
    expect(gradientOf(late.run).in).toBeClose(gradientOf(timely.run).in, tolerances.reordered);
    const n = late.run.network.spec.populations[0].size;
    const [signal] = late.run.network.activity[0].signals;
    expect(signal.data.subarray(n, 39 * n)).toBeClose(
      timely.run.network.activity[0].signals[0].data.subarray(0, 38 * n),
      {
        relative: 1e-12,
      },
    );
  });

  it('between phases the signal is 0 and nothing is learned', () => {
    const experiment = build({ ...base, delays: 2, stepsPerPhase: 5 }, { neuron: lif, readout: filtered });
    const { rows } = watched(experiment);
    for (const [t, row] of rows.entries()) {
      const phase = (t + 1) % 5 === 0;
      expect(row.signal.some((value) => value !== 0)).toBe(phase);
      if (t > 0 && !phase) expect(row.A).toEqual(rows[t - 1].A);
    }
  });
});

describe('a spiking broadcast', () => {
  const settings = { ...base, delays: 1, label: false, squash: 'spikes', spikeSize: 0.4 };
  const build2 = () => build(settings, { neuron: lif, readout: plain }, { rateA: 0, rateJ: 0, startJ: 'zero' });

  it('has signed events that are the graded one in the mean', () => {
    const experiment = build2();
    const { state, activity, spec } = experiment.run.network;
    const { stream, step } = spec.sizes;
    const n = spec.populations[0].size;
    const [{ z, signals }] = activity;
    state.field('population.rec.signal.B').fill(0);
    const J = state.field('population.rec.signal.J');
    for (let j = 0; j < n; j++) J[j * n + j] = 1;
    const A = state.field('population.rec.signal.A');
    let [difference, variance, events] = [0, 0, 0];
    for (let repeat = 0; repeat < 40; repeat++) {
      doTrial(experiment);
      for (let b = 0; b < stream; b++) {
        for (let t = 0; t < step; t++) {
          for (let j = 0; j < n; j++) {
            let graded = A[n * n + j];
            for (let i = 0; i < n; i++) graded += z.data[rowAt(z, b, t) + i] * A[i * n + j];
            const sent = signals[0].data[rowAt(signals[0], b, t) + j];
            expect([0, 0.4]).toContain(Math.abs(sent));
            if (sent !== 0) {
              events += 1;
              expect(Math.sign(sent)).toBe(Math.sign(graded));
            }
            const meant = Math.sign(graded) * Math.min(Math.abs(graded), 0.4);
            difference += sent - meant;
            variance += Math.abs(meant) * 0.4 - meant * meant;
          }
        }
      }
    }
    expect(events).toBeGreaterThan(1000);
    expect(Math.abs(difference)).toBeLessThan(4 * Math.sqrt(variance));
  });

  it('is drawn again for every phase, and the same again after a checkpoint', () => {
    const [whole, halves] = [build2(), build2()];
    whole.train();
    halves.train({ until: 90 });
    const resumed = build2();
    resumed.restore(halves.checkpoint());
    resumed.train();
    expect(resumed.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    const { data } = whole.run.network.activity[0].signals[0];
    expect(Array.from(data.subarray(0, 70))).not.toEqual(Array.from(data.subarray(70, 140)));
  });
});

describe('on wasm', () => {
  it.each([
    ['defaults', {}],
    ['one delay, W_out as feedback, no label', { delays: 1, feedback: 'symmetric', label: false }],
    ['rates as they are', { normalised: false, rateA: 0.01, rateJ: 0.03 }],
    ['three steps a phase behind a filter', { delays: 2, stepsPerPhase: 3 }],
    ['a filter', { delays: 2 }],
    ['errors as spikes', { errorSpikeSize: 0.7 }],
    ['errors as spikes, three steps a phase behind a filter', { delays: 2, stepsPerPhase: 3, errorSpikeSize: 0.7 }],
    ['rates that are powers of two', {}],
  ])('%s: the reference in float32', (label, own) => {
    const run = (backend: string) => {
      const config = preset('four-six-back') as Record<string, Record<string, unknown>>;
      const experiment = createExperiment(
        {
          ...config,
          backend,
          network: {
            ...config.network,
            neurons: 37,
            ...(label.endsWith('filter') ? { readout: { kind: 'leaky', filter: { decay: 0.6 } } } : {}),
          },
          optimizer: { ...config.optimizer, powersOfTwo: label.startsWith('rates that') },
          rateTerm: { ...config.rateTerm, everySteps: 'stepsPerPhase' in own ? 3 : 1 },
          rule: { name: 'sg-r-d', ...own },
          training: {
            ...config.training,
            total: 6 * 30,
            streams: 6,
            chunkSteps: 30,
            update: { unit: 'step', every: 3 },
          },
        },
        { ...models, tasks },
      );
      const losses: number[] = [];
      experiment.train({
        listener: (event) => {
          if (event.type === 'trial') losses.push(event.own.lossA, event.own.lossJ);
        },
      });
      return { losses, network: experiment.run.network };
    };
    const [got, want] = [run('wasm'), run('reference')];
    for (const name of [
      'population.rec.signal.A',
      'population.rec.signal.J',
      'population.rec.signal.features',
      'population.rec.signal.distal',
      'projection.rec.weights',
      'readout.out.weights',
    ]) {
      expect(got.network.state.field(name), name).toBeClose(want.network.state.field(name), { relative: 2e-4 });
    }
    expect(got.losses).toHaveLength(2);
    for (const [k, loss] of got.losses.entries()) expect(Number(loss) / Number(want.losses[k])).toBeCloseTo(1, 3);
  });
});

describe('chip-friendly forms', () => {
  it('rates that are powers of two are the rounded ones, step by step', () => {
    const run = (own: object, powersOfTwo: boolean) => {
      const config = preset('four-six-back') as Record<string, Record<string, unknown>>;
      const experiment = createExperiment(
        {
          ...config,
          backend: 'reference',
          rule: { name: 'sg-r-d', delays: 2, ...own },
          optimizer: { kind: 'sgd', rates: { in: 0.25, rec: 0.25, out: 0.03125 }, powersOfTwo },
          training: { ...config.training, total: 160, streams: 4, chunkSteps: 20 },
        },
        { ...models, tasks },
      );
      experiment.train();
      return experiment.run.network.state.data;
    };
    const fixedRates = { normalised: false, rateA: 0.02, rateJ: 0.05 };
    const nearest = { normalised: false, rateA: 2 ** -6, rateJ: 2 ** -4 };
    expect(run(fixedRates, true)).toBeBitEqual(run(nearest, false));
    expect(run(fixedRates, false)).not.toBeBitEqual(run(nearest, false));
    // Normalised rates are rounded with what divides them.
    expect(run({ rateA: 0.5, rateJ: 0.5 }, true)).not.toBeBitEqual(run({ rateA: 0.5, rateJ: 0.5 }, false));
    expect(run({ rateA: 0.5, rateJ: 0.5 }, true)).toBeBitEqual(run({ rateA: 0.5001, rateJ: 0.4999 }, true));
  });

  it.each([
    ['sg-r-d', { errorSpikeSize: 0.5 }],
    ['sg-v', { errorSpikeSize: 0.5 }],
    ['sg-r-d', { errorSpikeSize: 0.5, squash: 'spikes' }],
  ])('%s %j: the same bits after a checkpoint', (name, own) => {
    const make = () => {
      const config = preset('four-six-back') as Record<string, Record<string, unknown>>;
      const training = { ...config.training, total: 160, streams: 4, chunkSteps: 20 };
      return createExperiment(
        { ...config, backend: 'reference', rule: { name, ...own }, training },
        { ...models, tasks },
      );
    };
    const [whole, half, rest] = [make(), make(), make()];
    whole.train();
    half.train({ until: 80 });
    rest.restore(half.checkpoint());
    rest.train();
    expect(rest.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    expect(whole.run.network.state.field('population.rec.signal.errorsDrawn')[0]).toBe(40);
  });
});

describe('what cannot be is refused', () => {
  it.each([
    ['a future of activities through gates', { jacobian: 'gated' }],
    ['a linear model of membranes', { credit: 'membrane' }],
    ['a late signal of long phases', { late: true, stepsPerPhase: 5 }],
  ])('%s', (_label, own) => {
    expect(() => build({ delays: 1, ...own }, {})).toThrow(ConfigError);
  });

  it.each(
    liveNeurons.flatMap((neuron) =>
      [
        { jacobian: 'exact', credit: 'membrane' },
        { jacobian: 'gated', credit: 'membrane' },
        { jacobian: 'gated', predicts: 'present' },
        { jacobian: 'exact', predicts: 'present' },
      ].flatMap((own) => {
        const refused = isRefused({ name: 'factored', trace: {}, signal: own }, neuron);
        return refused ? [{ neuron, own, refused, label: neuron.label }] : [];
      }),
    ),
  )('$own of $label', ({ neuron, own, refused }) => {
    expectRefused(() => build({ delays: 1, ...own }, { neuron }), refused);
  });
});
