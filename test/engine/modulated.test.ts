import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { models } from '../../models/index.ts';
import type { Catalogue, Environment, TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
import { createFeed } from '../../src/engine/feed.ts';
import { createRecorder } from '../../src/engine/recorder.ts';
import { gradientOf, runTrial } from '../../src/engine/run.ts';
import { createAudit } from '../../src/experiment/audit.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';

/** A task that answers: action 1 moves a counter on, its value is shown to the network, and an episode ends at 4. */
const steps = 30;
const environment: Environment = {
  actions: 2,
  state: 1,
  acts: (t) => t % 3 === 2,
  begin: (state) => void state.fill(0),
  step(state, action, t, x, row) {
    if (action === 1) state[0] += 1;
    if (x) for (let i = 0; i < 4; i++) x[row + i] = i === state[0] || (t + i) % 5 === 0 ? 1 : 0;
    return action < 0 ? 0.01 : state[0] - 1;
  },
  ended: (state) => state[0] >= 4,
};
const counter: TaskInstance = {
  nIn: 4,
  nOut: 2,
  mode: { kind: 'trial', steps },
  statesExpected: false,
  testIsNew: true,
  bounds: [],
  inputPopulations: [],
  environment,
  fill(out) {
    for (let t = 0; t < steps; t++) for (let i = 0; i < 4; i++) out.x[t * out.xStride + i] = t === 0 && i === 0 ? 1 : 0;
    out.weight.fill(1, 0, steps);
    out.target.fill(0, 0, 2 * steps);
  },
};
const catalogue: Catalogue = {
  ...models,
  tasks: [
    ...tasks,
    { kind: 'counter', source: 'test', params: z.strictObject({ kind: z.literal('counter') }), derive: () => counter },
  ],
};

const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.4, nRef: 2 };
function configOf(change: Record<string, unknown> = {}, { entropy = 0, unit = 'trial', execution = 'auto' } = {}) {
  const readout = { kind: 'leaky', filter: { decay: 0.7 }, bias: true };
  return {
    name: 'counter',
    seed: 3,
    backend: 'reference',
    task: { kind: 'counter' },
    network: {
      populations: { rec: { size: 12, neuron: lif } },
      projections: {
        in: { from: 'input', to: 'rec', init: { kind: 'normal', gain: 2 } },
        rec: { from: 'rec', to: 'rec' },
      },
      readouts: {
        actor: { from: 'rec', readout, loss: { kind: 'policy', entropy } },
        critic: { from: 'rec', readout, outputs: [0], loss: { kind: 'value' }, weight: 0.3 },
      },
    },
    rule: { name: 'e-prop-1', feedback: 'random' },
    modulator: { kind: 'td-error', discount: 0.9 },
    loss: { kind: 'square' },
    optimizer: { kind: 'sgd', rates: { in: 0.02, rec: 0.02, actor: 0.02, critic: 0.02 } },
    training: { total: 12, streams: 3, update: { unit }, execution },
    evaluation: { total: 6, streams: 3 },
    ...change,
  };
}
const experimentOf = (change = {}, more = {}) => createExperiment(configOf(change, more), catalogue);

/** One learning trial with weights as they are. */
function trialOf(experiment: Experiment, split: 'train' | 'test' = 'train') {
  const { run, task } = experiment;
  const feed = createFeed(run, task, createRng(3).split('data'), null, split);
  feed.fill(steps);
  runTrial(run, steps, { learn: true, freeze: true, answer: feed.answer });
  return run;
}

describe('a task that answers', () => {
  it('is told actions of the policy, pays, shows what follows, and ends', () => {
    const { network } = trialOf(experimentOf());
    const { x, target, weight, reward } = network.trial;
    let ended = 0;
    for (let b = 0; b < 3; b++) {
      let count = 0;
      for (let t = 0; t < steps; t++) {
        const taken = [0, 1].map((k) => target.data[rowAt(target, b, t) + k]);
        expect(weight.data[rowAt(weight, b, t)]).toBe(count < 4 ? 1 : 0);
        if (count >= 4) {
          expect(taken).toEqual([0, 0]);
          expect(reward.data[rowAt(reward, b, t)]).toBe(0);
          continue;
        }
        expect(taken[0] + taken[1]).toBe(environment.acts(t) ? 1 : 0);
        count += taken[1];
        expect(reward.data[rowAt(reward, b, t)]).toBeCloseTo(environment.acts(t) ? count - 1 : 0.01, 12);
        if (t + 1 < steps && count < 4) expect(x.data[rowAt(x, b, t + 1) + count]).toBe(1);
      }
      if (count >= 4) ended += 1;
    }
    expect(ended).toBeGreaterThan(0);
  });

  it('draws actions as the softmax says, and takes the likeliest where test data are shown', () => {
    const share = (split: 'train' | 'test', bias: number) => {
      const experiment = experimentOf({ training: { total: 600, streams: 300 } });
      experiment.run.network.weights.actor.fill(0);
      experiment.run.network.weights['actor.bias'].set([0, bias]);
      const { target } = trialOf(experiment, split).network.trial;
      let ones = 0;
      for (let b = 0; b < 300; b++) ones += target.data[rowAt(target, b, 2) + 1];
      return ones / 300;
    };
    expect(share('train', Math.log(3))).toBeGreaterThan(0.68);
    expect(share('train', Math.log(3))).toBeLessThan(0.82);
    expect(share('test', 0.01)).toBe(1);
    expect(share('test', -0.01)).toBe(0);
  });

  it('draws anew in every trial', () => {
    const experiment = experimentOf({ training: { total: 80, streams: 40 } });
    const { run, task } = experiment;
    run.network.weights.actor.fill(0);
    const feed = createFeed(run, task, createRng(3).split('data'), null, 'train');
    const firsts = [0, 1].map(() => {
      feed.fill(steps);
      runTrial(run, steps, { learn: true, freeze: true, answer: feed.answer });
      const { target } = run.network.trial;
      return Array.from({ length: 40 }, (_, b) => target.data[rowAt(target, b, 2) + 1]);
    });
    expect(firsts[0]).not.toEqual(firsts[1]);
  });

  it('gives the same bits after a checkpoint as without one, and in any order of streams the same episodes', () => {
    const whole = experimentOf();
    whole.train();
    const half = experimentOf();
    half.train({ until: 6 });
    const rest = experimentOf();
    rest.restore(half.checkpoint());
    rest.train();
    expect(rest.checkpoint()).toEqual(whole.checkpoint());
  });

  it('has its mean reward among the scores', () => {
    const experiment = experimentOf();
    const { network } = trialOf(experiment);
    const paid = Array.from(network.trial.reward.data).reduce((sum, value) => sum + value, 0) / 3;
    const rewards: number[] = [];
    const again = experimentOf({ optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, actor: 0, critic: 0 } } });
    again.train({
      listener: (event) => {
        if (event.type === 'trial' || event.type === 'evaluation') rewards.push(event.own.reward);
      },
    });
    expect(rewards).toHaveLength(5);
    expect(rewards.every(Number.isFinite)).toBe(true);
    expect(Math.abs(paid)).toBeGreaterThan(0);
  });
});

describe('the TD error', () => {
  it('scales errors by the discounted TD errors to come, up to the end of each episode', () => {
    const experiment = experimentOf();
    const { run } = experiment;
    trialOf(experiment);
    const { y, target, reward, weight, error } = run.network.trial;
    for (let b = 0; b < 3; b++) {
      let M = 0;
      for (let t = steps - 1; t >= 0; t--) {
        if (weight.data[rowAt(weight, b, t)] === 0) continue;
        const last = t + 1 === steps || weight.data[rowAt(weight, b, t + 1)] === 0;
        const V = (at: number) => y.data[rowAt(y, b, at) + 2];
        M = reward.data[rowAt(reward, b, t)] + (last ? 0 : 0.9 * V(t + 1)) - V(t) + 0.9 * M;
        const row = rowAt(error, b, t);
        expect(error.data[row + 2]).toBeCloseTo(-0.3 * M, 10);
        const [l0, l1] = [y.data[row], y.data[row + 1]];
        const pi1 = 1 / (1 + Math.exp(l0 - l1));
        expect(error.data[row + 1]).toBeCloseTo(environment.acts(t) ? M * (pi1 - target.data[row + 1]) : 0, 10);
      }
    }
  });

  it('makes the same gradient forwards, backwards and in steps, and on wasm', () => {
    const gradientIn = (backend: string, unit: string, execution: string) =>
      gradientOf(trialOf(experimentOf({ backend }, { unit, execution })));
    const want = gradientIn('reference', 'trial', 'online');
    for (const [name, got] of Object.entries(gradientIn('reference', 'trial', 'deferred')))
      expect(got, name).toBeClose(want[name], { relative: 1e-12 });
    for (const [name, got] of Object.entries(gradientIn('reference', 'step', 'online')))
      expect(got, name).toBeClose(want[name], { relative: 1e-11 });
    for (const execution of ['online', 'deferred']) {
      for (const [name, got] of Object.entries(gradientIn('wasm', 'trial', execution)))
        expect(got, name).toBeClose(want[name], { relative: 1e-4, absolute: 1e-5 });
    }
    expect(want.rec.some((g) => g !== 0)).toBe(true);
  });

  it('leaves the entropy of the choice as it is, in the direction of more', () => {
    const errorsOf = (entropy: number) => {
      const { network } = trialOf(experimentOf({ loss: { kind: 'square', scale: 0.4 } }, { entropy }));
      return network.trial;
    };
    const [plain, more] = [errorsOf(0), errorsOf(0.5)];
    for (let t = 0; t < steps; t++) {
      const row = rowAt(plain.error, 0, t);
      const acts = environment.acts(t) && plain.weight.data[rowAt(plain.weight, 0, t)] === 1;
      const pi = [0, 1].map((k) => 1 / (1 + Math.exp(plain.y.data[row + 1 - k] - plain.y.data[row + k])));
      const H = -pi[0] * Math.log(pi[0]) - pi[1] * Math.log(pi[1]);
      for (const k of [0, 1]) {
        const aside = acts ? 0.4 * 0.5 * pi[k] * (Math.log(pi[k]) + H) : 0;
        expect(more.error.data[row + k] - plain.error.data[row + k]).toBeCloseTo(aside, 10);
      }
    }
  });

  it('has no traces to be recorded where they wait for the end of the trial', () => {
    const fields = ['projection.rec.trace.eBar'];
    const recorderOf = (unit: string) =>
      createRecorder(experimentOf({}, { unit, execution: 'online' }).run, { fields });
    expect(() => recorderOf('trial')).toThrow(
      /recording\.fields: got "projection\.rec\.trace\.eBar", expected no trace/u,
    );
    expect(recorderOf('step').fields).toEqual([{ name: fields[0], width: 144 }]);
  });

  it('changes nothing by being watched', () => {
    const watched = experimentOf();
    const { run, task } = watched;
    const feed = createFeed(run, task, createRng(3).split('data'), null, 'train');
    feed.fill(steps);
    const seen: number[] = [];
    runTrial(run, steps, { learn: true, freeze: true, answer: feed.answer, onStep: (t) => seen.push(t) });
    expect(seen).toEqual(Array.from({ length: steps }, (_, t) => t));
    expect(gradientOf(run)).toEqual(gradientOf(trialOf(experimentOf())));
  });
});

it('an audit shows followers the actions of the leader', () => {
  const rules = ['e-prop-1', 'readout-only'].map((name) => ({ label: name, rule: { name } }));
  const audit = createAudit(configOf(), catalogue, { rules, windows: 2, chunks: 2 });
  const points = [...audit.run()].flatMap(({ point }) => (point ? [point] : []));
  expect(points).toHaveLength(2);
  const [master, readoutOnly] = points[0].alignments;
  expect(master.actor.cosine).toBeCloseTo(1, 9);
  expect(readoutOnly.actor.cosine).toBeCloseTo(1, 9);
  expect(master.rec.cosine).toBeGreaterThan(-1);
  audit.close();
});

describe('refused by name', () => {
  const refusal =
    (change: Record<string, unknown>, more = {}) =>
    () =>
      experimentOf(change, more);
  it.each([
    [
      'a critic that is not there',
      { modulator: { kind: 'td-error', critic: 'value' } },
      {},
      /modulator\.critic: got "value", expected a readout with one output: critic/,
    ],
    [
      'a signal that is not linear',
      { rule: { name: 'sg-r-d' } },
      {},
      /modulator\.kind: got "td-error", expected null beside the rule "sg-r-d"/,
    ],
    ['errors as spikes', { rule: { name: 'e-prop-1', errorSpikeSize: 0.1 } }, {}, /modulator\.kind: got "td-error"/],
    [
      'BPTT in steps',
      { rule: { name: 'bptt' } },
      { unit: 'step' },
      /training\.update\.unit: got "step", expected "trial"/,
    ],
    ['steps on wasm', { backend: 'wasm' }, { unit: 'step' }, /no kernel for updates within a trial beside a modulator/],
  ])('%s', (_what, change, more, message) => {
    expect(refusal(change, more)).toThrow(message);
  });
});
