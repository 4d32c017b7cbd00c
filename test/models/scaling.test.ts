import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
import { buildProjection } from '../../src/engine/projections.ts';
import { runTrial } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const scaling = { kind: 'presynaptic-scaling', goal: 4, averageRate: 0.2, rate: 0.01, largest: 0.5 };

interface Setup {
  readonly backend?: string;
  readonly rule?: object;
  readonly streams?: number;
  readonly rate?: number;
  /** Of the projection from the input, and of the recurrent one. */
  readonly input?: object;
  readonly recurrent?: object;
  readonly fixed?: object;
  readonly execution?: string;
}

/** Ten neurons that the input makes fire; their recurrent synapses are scaled. */
function experimentOf({ backend = 'reference', streams = 1, rate = 0, ...own }: Setup = {}): Experiment {
  return createExperiment(
    {
      backend,
      task: { kind: 'pattern-generation', steps: 50, inputs: 6 },
      network: {
        neurons: 10,
        neuron: { kind: 'lif', membrane: { tauMs: 10 }, vTh: 0.2 },
        input: { bias: 0.02, ...own.input },
        recurrent: { connectivity: { kind: 'probability', p: 0.5 }, scaling, ...own.recurrent },
      },
      rule: own.rule ?? { name: 'readout-only' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: rate, rec: rate, out: 0 } },
      training: { total: 12 * streams, streams, execution: own.execution ?? 'auto' },
      ...(own.fixed ? { fixed: own.fixed } : {}),
    },
    catalogue,
  );
}

/** Spikes of every neuron in the trial just done, mean over the streams. */
function spikesOf({ run: { network } }: Experiment): Float64Array {
  const [{ z }] = network.activity;
  const { stream, step } = network.spec.sizes;
  const counts = new Float64Array(z.size);
  for (let b = 0; b < stream; b++) {
    for (let t = 0; t < step; t++) for (let i = 0; i < z.size; i++) counts[i] += z.data[rowAt(z, b, t) + i] / stream;
  }
  return counts;
}

describe.each([
  { backend: 'reference', tolerance: 1e-12 },
  { backend: 'wasm', tolerance: 1e-5 },
])('on $backend', ({ backend, tolerance }) => {
  it.each([1, 3])('follows its equation trial by trial, weights below 0 left alone: %i streams', (streams) => {
    const experiment = experimentOf({ backend, streams });
    const { network } = experiment.run;
    const { synapses } = network.spec.projections[1];
    const { pre, post } = network.state.views('projection.rec.scaling');
    const want = Float64Array.from(network.weights.rec);
    const mean = new Float64Array(10);
    let [moved, negative] = [0, 0];
    for (const _ of experiment.trainTrials()) {
      const spikes = spikesOf(experiment);
      for (let i = 0; i < 10; i++) mean[i] += 0.2 * (spikes[i] - mean[i]);
      for (let i = 0; i < 10; i++) {
        for (let s = synapses.rowStart[i]; s < synapses.rowStart[i + 1]; s++) {
          if (want[s] <= 0) {
            negative++;
            continue;
          }
          const before = want[s];
          const next = before + 0.01 * mean[i] * (4 - mean[synapses.post[s]]) * before;
          want[s] = Math.min(Math.max(next, 0), 0.5);
          if (want[s] !== before) moved++;
        }
      }
      expect(pre).toBeClose(mean, { relative: tolerance });
      expect(post).toBeClose(mean, { relative: tolerance });
      expect(network.weights.rec).toBeClose(want, { relative: tolerance });
    }
    expect(moved).toBeGreaterThan(100);
    expect(negative).toBeGreaterThan(100);
    expect(Math.max(...mean)).toBeGreaterThan(1);
  });
});

it('goes beside a rule: after the update of the trial', () => {
  const rule = { name: 'e-prop-1' };
  const experiment = experimentOf({ rule, rate: 0.01 });
  const alone = experimentOf({ rule, rate: 0.01, recurrent: { scaling: null } });
  experiment.train({ until: 1 });
  alone.train({ until: 1 });
  const spikes = spikesOf(alone);
  expect(spikesOf(experiment)).toBeBitEqual(spikes);
  const { synapses } = alone.run.network.spec.projections[1];
  const want = alone.run.network.weights.rec.map((w, s) => {
    const i = synapses.rowStart.findIndex((start) => start > s) - 1;
    const change = 0.01 * 0.2 * spikes[i] * (4 - 0.2 * spikes[synapses.post[s]]) * w;
    return w > 0 ? Math.min(w + change, 0.5) : w;
  });
  expect(experiment.run.network.weights.rec).toBeClose(want, { relative: 1e-12 });
});

it('scales the input by the input, and leaves a bias alone', () => {
  const input = { dale: 'excitatory', scaling: { ...scaling, rate: 1e-4 } };
  const experiment = experimentOf({ input, recurrent: { scaling: null } });
  const { network } = experiment.run;
  const before = network.weights.in.slice();
  experiment.train({ until: 1 });
  const { x } = network.trial;
  const { pre } = network.state.views('projection.in.scaling');
  const activity = new Float64Array(7);
  for (let t = 0; t < 50; t++) for (let i = 0; i < 7; i++) activity[i] += 0.2 * x.data[rowAt(x, 0, t) + i];
  expect(pre).toBeClose(activity, { relative: 1e-12 });
  expect(network.weights.in.slice(60)).toBeBitEqual(before.slice(60));
  expect(network.weights.in.slice(0, 60)).not.toBeBitEqual(before.slice(0, 60));
});

it('does nothing in a trial that does not learn, or whose weights are left as they are', () => {
  const experiment = experimentOf();
  const { run, feed } = experiment;
  const before = run.network.weights.rec.slice();
  for (const options of [{ learn: false }, { learn: true, freeze: true }]) {
    feed.fill(50);
    runTrial(run, 50, options);
    expect(run.network.weights.rec).toBeBitEqual(before);
    expect([...run.network.state.views('projection.rec.scaling').post]).toEqual(new Array(10).fill(0));
  }
  runTrial(run, 50, { learn: true });
  expect(run.network.weights.rec).not.toBeBitEqual(before);
});

const cases = fc.record({
  n: fc.integer({ min: 1, max: 7 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  presynaptic: fc.boolean(),
  rate: fc.constantFrom(1e-3, 0.1, 5),
});

it('whatever the activity: zeros and signs stay, weights end within [0, largest], and move towards the goal', () => {
  fc.assert(
    fc.property(cases, ({ n, seed, presynaptic, rate }) => {
      const rng = createRng(seed);
      const shape = { nPre: n, nPost: n, bias: false, autapses: true, recurrent: true } as const;
      const synapses = buildProjection({ ...shape, connectivity: { kind: 'probability', p: 0.6 } }, rng);
      const weights = new Float64Array(synapses.nSyn).map(() => rng.integer(3) * (rng.uniform() - 0.3));
      const goal = Array.from({ length: n }, () => rng.integer(4));
      const choice = { kind: 'presynaptic-scaling', goal, averageRate: 0.5, rate, largest: 0.8, presynaptic };
      const context = { path: 'scaling', synapses, rng };
      const instance = models.scalings[0].derive(choice as never, context);
      const z = { data: new Float64Array(2 * 5 * n), width: n, from: 0, size: n, history: 1, steps: 4 };
      const state = { pre: new Float64Array(n), post: new Float64Array(n) };
      const sizes = { stream: 2, pre: n, post: n };
      const scale = instance.bind({ sizes, state, weights, synapses, sources: n, pre: z, post: z });
      for (let trial = 0; trial < 5; trial++) {
        z.data.forEach((_, at) => {
          z.data[at] = rng.bernoulli(0.4);
        });
        const before = weights.slice();
        scale(4);
        weights.forEach((w, s) => {
          if (before[s] <= 0) {
            expect(w).toBe(before[s]);
            return;
          }
          expect(w).toBeGreaterThanOrEqual(0);
          expect(w).toBeLessThanOrEqual(0.8);
          const j = synapses.post[s];
          if (state.post[j] > goal[j]) expect(w).toBeLessThanOrEqual(before[s]);
          else expect(w).toBeGreaterThanOrEqual(Math.min(before[s], 0.8));
        });
      }
    }),
    { numRuns: 100, seed: 1 },
  );
});

it('has a silent presynaptic neuron change nothing, where plain scaling does', () => {
  const input = { init: { kind: 'constant', value: 0 }, bias: null } as const;
  for (const presynaptic of [true, false]) {
    const recurrent = { scaling: { ...scaling, largest: 100, presynaptic } };
    const experiment = experimentOf({ input, recurrent });
    const before = experiment.run.network.weights.rec.slice();
    experiment.train({ until: 3 });
    expect(Math.max(...spikesOf(experiment))).toBe(0);
    if (presynaptic) expect(experiment.run.network.weights.rec).toBeBitEqual(before);
    else expect(experiment.run.network.weights.rec).not.toBeBitEqual(before);
  }
});

it('takes a goal of every neuron, and refuses a list of another length', () => {
  const goals = (length: number) => ({
    scaling: { ...scaling, goal: Array.from({ length }, (_, j) => (j < 5 ? 0 : 30)) },
  });
  const experiment = experimentOf({ recurrent: goals(10) });
  const { network } = experiment.run;
  const { post } = network.spec.projections[1].synapses;
  const before = network.weights.rec.slice();
  experiment.train({ until: 3 });
  network.weights.rec.forEach((w, s) => {
    if (before[s] > 0 && before[s] < 0.5) {
      if (post[s] < 5) expect(w).toBeLessThanOrEqual(before[s]);
      else expect(w).toBeGreaterThanOrEqual(before[s]);
    }
  });
  expect(() => experimentOf({ recurrent: goals(4) })).toThrow(/network\.recurrent\.scaling\.goal: got "4 values"/);
});

it('is refused by backends that do without, by name', () => {
  const asked = () => experimentOf({ backend: 'fixed', fixed: { formats: {} }, execution: 'online' });
  expect(asked).toThrow(UnsupportedError);
  expect(asked).toThrow(/backend "fixed" .* the scaling "presynaptic-scaling" of rec/);
});
