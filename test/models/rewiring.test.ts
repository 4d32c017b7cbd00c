import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { chanceOf } from '../../models/rewiring/kernels.ts';
import { readWeights, writeWeights } from '../../src/cli/weights.ts';
import { preset } from '../../src/config/presets.ts';
import { applySettings } from '../../src/config/settings.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/rng.ts';
import type { UpkeepBinding } from '../../src/core/upkeep.ts';
import { buildProjection } from '../../src/engine/projections.ts';
import { runTrial, updateWeights } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';
import { scratchFolder } from '../record/scratch.ts';
import { doTrial } from '../support/live.ts';

const catalogue = { ...models, tasks };
const small = [
  'task.steps=60',
  'task.inputs=12',
  'network.neurons=14',
  'network.neuron.vTh=0.1',
  'network.recurrent.connectivity={"kind":"probability","p":0.2}',
  'training.total=40',
];
const deepR = 'network.recurrent.rewiring={"kind":"deep-r","l1":30,"temperature":0.01}';
const pruneRegrow = 'network.recurrent.rewiring={"kind":"prune-regrow","every":3,"share":0.25,"newWeight":0.02}';

function experimentOf(settings: readonly string[]): Experiment {
  return createExperiment(applySettings(preset('pattern-generation'), [...small, ...settings]), catalogue);
}

/** Pairs of a projection that have a synapse. */
function connectedOf({ run }: Experiment, projection = 'rec'): number[] {
  const { connected } = run.network.state.views(`projection.${projection}.rewiring`);
  return [...connected.keys()].filter((s) => connected[s] === 1);
}

interface Trained {
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Updates in which the pairs that have a synapse changed. */
  readonly changes: number;
}

/** Trains, and looks after every update at what must not change. */
function watched(experiment: Experiment, projection = 'rec'): Trained {
  const { network } = experiment.run;
  const weights = network.weights[projection];
  const synapses = network.spec.projections.find(({ name }) => name === projection)?.synapses;
  const { sign } = network.state.views(`projection.${projection}.rewiring`);
  const signs = sign?.slice();
  const first = connectedOf(experiment, projection);
  let before = first;
  let changes = 0;
  for (const _ of experiment.trainTrials()) {
    const now = connectedOf(experiment, projection);
    expect(now.length).toBe(first.length);
    const present = new Set(now);
    for (let s = 0; s < weights.length; s++) {
      if (!present.has(s)) expect(weights[s], `weight ${s}`).toBe(0);
      else if (signs) expect(weights[s] * signs[s], `weight ${s}`).toBeGreaterThan(0);
    }
    for (const s of synapses?.masked ?? []) expect(present.has(s)).toBe(false);
    if (signs) expect(sign).toBeBitEqual(signs);
    if (now.some((s, k) => s !== before[k])) changes++;
    before = now;
  }
  return { first, last: before, changes };
}

const backends = ['reference', 'wasm'];
/** Parameters with which every registered rewiring changes synapses in a short training. */
const rows: Readonly<Record<string, object>> = {
  'deep-r': { l1: 30, temperature: 0.01 },
  'prune-regrow': { every: 3, share: 0.25, newWeight: 0.02 },
};

it('has a row for every registered rewiring', () => {
  expect(Object.keys(rows)).toEqual(models.rewirings.map(({ kind }) => kind));
});

describe.each(models.rewirings)('$kind', ({ kind }) => {
  it.each(backends)(
    'keeps the number of synapses and every other weight at 0, and has a state that is laid out: %s',
    (backend) => {
      const rewiring = JSON.stringify({ kind, ...rows[kind] });
      const experiment = experimentOf([`backend=${backend}`, `network.recurrent.rewiring=${rewiring}`]);
      const { table } = experiment.run.network.state;
      const own = table.filter(({ name }) => name.startsWith('projection.rec.rewiring.'));
      expect(own.map(({ role }) => role)).toEqual(own.map(() => 'upkeep'));
      expect(own.map(({ name }) => name)).toContain('projection.rec.rewiring.connected');
      const { changes } = watched(experiment);
      expect(changes).toBeGreaterThan(5);
    },
  );

  it('leaves the data, the drawn weights and the feedback of a network as they are without it', () => {
    const rewiring = JSON.stringify({ kind, ...rows[kind] });
    const [rewired, plain] = [[`network.recurrent.rewiring=${rewiring}`], []].map((own) =>
      experimentOf(['backend=reference', ...own]),
    );
    for (const { feed } of [rewired, plain]) feed.fill(60);
    expect(rewired.run.network.trial.x.data).toBeBitEqual(plain.run.network.trial.x.data);
    for (const name of ['in', 'out']) {
      expect(rewired.run.network.weights[name]).toBeBitEqual(plain.run.network.weights[name]);
    }
    const B = 'population.rec.signal.B';
    expect(rewired.run.network.state.field(B)).toBeBitEqual(plain.run.network.state.field(B));
  });
});

const rules = ['{"name":"e-prop-1"}', '{"name":"bptt"}', '{"name":"sg-r-d"}'];
const optimizers = [
  '{"kind":"sgd","rates":{"in":0.001,"rec":0.001,"out":0.001}}',
  '{"kind":"momentum","rates":{"in":0.001,"rec":0.001,"out":0.001}}',
  '{"kind":"adam","rates":{"in":0.001,"rec":0.001,"out":0.001}}',
];

describe.each(backends)('DEEP R on %s', (backend) => {
  it.each(rules)('keeps count, signs and the pairs that may have a synapse, after every update: %s', (rule) => {
    const { changes } = watched(experimentOf([`backend=${backend}`, `rule=${rule}`, 'rateTerm.strength=0', deepR]));
    expect(changes).toBeGreaterThan(10);
  });

  it.each(optimizers)('the same with the optimiser %s', (optimizer) => {
    const experiment = experimentOf([`backend=${backend}`, `optimizer=${optimizer}`, deepR]);
    const { first, last, changes } = watched(experiment);
    expect(changes).toBeGreaterThan(10);
    expect(last).not.toEqual(first);
  });

  it("keeps Dale's law, and leaves a bias alone", () => {
    const settings = [
      `backend=${backend}`,
      'network.input={"connectivity":{"kind":"in-degree","n":3},"bias":0.01,"dale":{"excitatory":0.7},' +
        '"rewiring":{"kind":"deep-r","l1":30}}',
    ];
    const experiment = experimentOf(settings);
    const { network } = experiment.run;
    const { synapses } = network.spec.projections[0];
    const { sign } = network.state.views('projection.in.rewiring');
    for (let s = 0; s < 12 * 14; s++) expect(sign[s]).toBe(Math.sign(synapses.signs?.[Math.floor(s / 14)] ?? 0));
    const bias = network.weights.in.slice(12 * 14);
    expect(bias.length).toBe(14);
    const { changes } = watchedWithBias(experiment);
    expect(changes).toBeGreaterThan(5);
    const after = network.weights.in.slice(12 * 14);
    expect(after.every((w) => w !== 0)).toBe(true);
    expect(after).not.toBeBitEqual(bias);
  });

  it.each([deepR, pruneRegrow])('changes nothing where the projection does not learn: %s', (rewiring) => {
    const experiment = experimentOf([`backend=${backend}`, 'optimizer.rates.rec=0', rewiring]);
    const { rec } = experiment.run.network.weights;
    const first = rec.slice();
    expect(watched(experiment).changes).toBe(0);
    expect(rec).toBeBitEqual(first);
  });
});

/** Counts changes of the pairs of `in`, whose last row is a bias of no fixed sign. */
function watchedWithBias(experiment: Experiment): { changes: number } {
  const { network } = experiment.run;
  const first = connectedOf(experiment, 'in');
  const { sign } = network.state.views('projection.in.rewiring');
  let before = first;
  let changes = 0;
  for (const _ of experiment.trainTrials()) {
    const now = connectedOf(experiment, 'in');
    expect(now.length).toBe(first.length);
    expect(now.filter((s) => s >= 12 * 14)).toHaveLength(14);
    for (const s of now) if (s < 12 * 14) expect(network.weights.in[s] * sign[s]).toBeGreaterThan(0);
    if (now.some((s, k) => s !== before[k])) changes++;
    before = now;
  }
  return { changes };
}

it('is plain descent on the drawn synapses where nothing pulls and nothing crosses 0', () => {
  const rates = ['optimizer.rates.rec=1e-8', 'backend=reference'];
  const rewired = experimentOf([...rates, 'network.recurrent.rewiring={"kind":"deep-r","l1":0,"temperature":0}']);
  const fixed = experimentOf(rates);
  const start = rewired.run.network.weights.rec.slice();
  const { changes, first } = watched(rewired);
  fixed.train();
  expect(changes).toBe(0);
  const { synapses } = fixed.run.network.spec.projections[1];
  const pairs = Array.from({ length: synapses.nPre }, (_, i) =>
    [...synapses.post.subarray(synapses.rowStart[i], synapses.rowStart[i + 1])].map((j) => i * synapses.nPost + j),
  ).flat();
  expect(pairs).toEqual(first);
  const moved = Float64Array.from(first, (s) => rewired.run.network.weights.rec[s]);
  expect(moved).toBeBitEqual(fixed.run.network.weights.rec);
  expect(moved).not.toBeBitEqual(Float64Array.from(first, (s) => start[s]));
});

it.each([deepR, pruneRegrow])('gives one update on wasm as on reference, to float32: %s', (rewiring) => {
  const [reference, wasm] = backends.map((backend) => experimentOf([`backend=${backend}`, rewiring]));
  for (const experiment of [reference, wasm]) experiment.train({ until: 1 });
  expect(connectedOf(wasm)).toEqual(connectedOf(reference));
  expect(wasm.run.network.weights.rec).toBeClose(reference.run.network.weights.rec, { relative: 1e-5 });
});

it('does nothing in a trial whose weights are left as they are', () => {
  const experiment = experimentOf([deepR]);
  const before = experiment.run.network.state.views('projection.rec.rewiring').connected.slice();
  const weights = experiment.run.network.weights.rec.slice();
  runTrial(doTrial(experiment), 60, { learn: false });
  expect(connectedOf(experiment).length).toBe(before.filter((one) => one === 1).length);
  expect(experiment.run.network.weights.rec).toBeBitEqual(weights);
});

// ---------------------------------------------------------------- one projection by hand

interface Bench {
  readonly binding: UpkeepBinding;
  readonly start: readonly number[];
}

/** A projection of n neurons onto themselves, or of n onto n, every pair with probability p. */
function benchOf(n: number, recurrent: boolean, p: number, seed: number): Bench {
  const shape = {
    nPre: n,
    nPost: n,
    bias: false,
    autapses: false,
    recurrent,
    connectivity: { kind: 'dense' },
  } as const;
  const rng = createRng(seed);
  const synapses = buildProjection(shape, rng);
  const forbidden = new Set(synapses.masked);
  const connected = new Float64Array(n * n).map((_, s) => (!forbidden.has(s) && rng.uniform() < p ? 1 : 0));
  const weights = new Float64Array(n * n).map((_, s) => (connected[s] === 1 ? 0.1 * rng.normal() : 0));
  const state = { connected, sign: new Float64Array(n * n) };
  const binding = { sizes: { stream: 1, pre: n, post: n }, state, weights, synapses, sources: n };
  return { binding, start: [...connected] };
}

const contextOf = ({ synapses }: UpkeepBinding, seed: number) => ({
  path: 'rewiring',
  synapses,
  rng: createRng(seed).split('own'),
});

const cases = fc.record({
  n: fc.integer({ min: 1, max: 9 }),
  recurrent: fc.boolean(),
  p: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.integer({ min: 0, max: 1000 }),
  l1: fc.constantFrom(0, 0.01, 1),
  temperature: fc.constantFrom(0, 1e-3, 0.1),
  every: fc.integer({ min: 1, max: 4 }),
  share: fc.double({ min: 0.01, max: 1, noNaN: true }),
});
const check = { numRuns: 150, seed: 1 };

describe('whatever the gradient', () => {
  it('DEEP R keeps the number of synapses, their signs, and every other weight at 0', () => {
    fc.assert(
      fc.property(cases, ({ n, recurrent, p, seed, l1, temperature }) => {
        const { binding, start } = benchOf(n, recurrent, p, seed);
        const { state, weights, synapses } = binding;
        const rewiring = models.rewirings[0].derive(
          { kind: 'deep-r', l1, temperature, newTheta: 1e-12 } as never,
          contextOf(binding, seed),
        );
        rewiring.init(binding);
        const rewire = rewiring.bind(binding);
        const signs = state.sign.slice();
        const random = createRng(seed).split('gradient');
        for (let count = 1; count <= 8; count++) {
          const was = state.connected.slice();
          for (let s = 0; s < weights.length; s++) weights[s] -= 0.1 * random.normal();
          const descended = weights.slice();
          rewire(0.1, count);
          const now = [...state.connected].filter((one) => one === 1);
          expect(now.length).toBe(start.filter((one) => one === 1).length);
          expect(state.sign).toBeBitEqual(signs);
          for (const s of synapses.masked) expect(state.connected[s]).toBe(0);
          for (let s = 0; s < weights.length; s++) {
            if (state.connected[s] === 0) expect(weights[s]).toBe(0);
            else expect(weights[s] * signs[s]).toBeGreaterThan(0);
            // A synapse that stays: descent, less what l1 takes.
            const theta = descended[s] * signs[s] - 0.1 * l1;
            if (temperature === 0 && was[s] === 1 && theta > 0) expect(weights[s]).toBe(signs[s] * theta);
            if (was[s] === 0 && state.connected[s] === 1) expect(Math.abs(weights[s])).toBe(1e-12);
          }
        }
      }),
      check,
    );
  });

  it('prune and regrow replaces the smallest ones, every n-th update alone', () => {
    fc.assert(
      fc.property(cases, ({ n, recurrent, p, seed, every, share }) => {
        const { binding } = benchOf(n, recurrent, p, seed);
        const { state, weights, synapses } = binding;
        const choice = { kind: 'prune-regrow', every, share, newWeight: 1e-6 };
        const rewiring = models.rewirings[1].derive(choice as never, contextOf(binding, seed));
        rewiring.init(binding);
        const rewire = rewiring.bind(binding);
        const random = createRng(seed).split('gradient');
        for (let count = 1; count <= 8; count++) {
          for (let s = 0; s < weights.length; s++) weights[s] -= 0.1 * random.normal();
          const was = [...state.connected.keys()].filter((s) => state.connected[s] === 1);
          const sorted = was.toSorted((a, b) => Math.abs(weights[a]) - Math.abs(weights[b]));
          const replaced = count % every === 0 ? Math.round(share * was.length) : 0;
          const descended = weights.slice();
          rewire(0.1, count);
          const now = [...state.connected.keys()].filter((s) => state.connected[s] === 1);
          expect(now.length).toBe(was.length);
          for (const s of synapses.masked) expect(state.connected[s]).toBe(0);
          for (const s of sorted.slice(replaced)) expect(weights[s]).toBe(descended[s]);
          const fresh = now.filter((s) => Math.abs(weights[s]) === 1e-6);
          expect(fresh.length).toBe(replaced);
          for (let s = 0; s < weights.length; s++) if (state.connected[s] === 0) expect(weights[s]).toBe(0);
        }
      }),
      check,
    );
  });
});

describe('chance of a rewiring', () => {
  it('is a function of key, update and place', () => {
    const [first, same, other] = [chanceOf(5), chanceOf(5), chanceOf(6)].map((chance) => {
      const noise = new Float64Array(8);
      chance.noise(3, noise);
      return noise;
    });
    expect(first).toBeBitEqual(same);
    expect(first).not.toBeBitEqual(other);
  });

  it('has standard normal noise', () => {
    const noise = new Float64Array(40_000);
    chanceOf(1).noise(1, noise);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    const fourth = noise.reduce((sum, value) => sum + value ** 4, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    expect(Math.abs(fourth - 3)).toBeLessThan(0.25);
  });

  it('draws every pair equally often, first and second', () => {
    const chance = chanceOf(2);
    const hits = [new Float64Array(10), new Float64Array(10)];
    const rounds = 20_000;
    for (let count = 0; count < rounds; count++) {
      const absent = Int32Array.from({ length: 12 }, (_, s) => s);
      chance.order(count, absent, 10, 2);
      expect(new Set(absent).size).toBe(12);
      for (let k = 0; k < 2; k++) hits[k][absent[k]]++;
    }
    for (const drawn of hits) for (const times of drawn) expect(Math.abs(times / rounds - 0.1)).toBeLessThan(0.01);
  });
});

it("takes Dale's sign for what prune and regrow makes anew", () => {
  const dale = 'network.recurrent.dale={"excitatory":0.5}';
  const experiment = experimentOf(['backend=reference', dale, pruneRegrow, 'optimizer.rates.rec=1e-6']);
  const { network } = experiment.run;
  const signs = network.spec.projections[1].synapses.signs ?? new Float64Array(0);
  expect(watched(experiment).changes).toBeGreaterThan(5);
  let fresh = 0;
  network.weights.rec.forEach((w, s) => {
    if (w === 0) return;
    fresh++;
    expect(Math.sign(w)).toBe(Math.sign(signs[Math.floor(s / 14)]));
  });
  expect(fresh).toBe(connectedOf(experiment).length);
});

it.each(backends)('does not hide that a training diverges: %s', (backend) => {
  const experiment = experimentOf([`backend=${backend}`, deepR]);
  const [first] = connectedOf(experiment);
  experiment.run.network.weights.rec[first] = Number.NaN;
  updateWeights(experiment.run, 1, 0);
  expect(experiment.run.network.weights.rec[first]).toBeNaN();
});

it('takes weights of a file for its synapses, as many as it keeps', () => {
  const input = '{"connectivity":{"kind":"in-degree","n":3},"bias":0,"rewiring":{"kind":"deep-r","l1":30}}';
  const trained = experimentOf(['backend=reference', deepR, `network.input=${input}`]);
  trained.train({ until: 20 });
  const folder = scratchFolder();
  writeWeights(folder, trained.run.network);
  const other = experimentOf(['backend=reference', deepR, `network.input=${input}`]);
  const before = connectedOf(other);
  readWeights(folder, other.run.network);
  expect(connectedOf(other)).toEqual(connectedOf(trained));
  expect(connectedOf(other)).not.toEqual(before);
  expect(connectedOf(other, 'in')).toEqual(connectedOf(trained, 'in'));
  expect(watched(other).changes).toBeGreaterThan(10);
  const sparser = experimentOf([
    'backend=reference',
    deepR,
    'network.recurrent.connectivity={"kind":"in-degree","n":2}',
    `network.input=${input}`,
  ]);
  expect(() => readWeights(folder, sparser.run.network)).toThrow(/rec\.npy: has \d+ synapses, expected 28, which/);
});

it('applies the rate of the update', () => {
  // With a rate of 0 at the end of the schedule nothing goes any more.
  const experiment = experimentOf([
    'backend=reference',
    deepR,
    'optimizer.schedule={"kind":"linear-to-zero","holdUntil":0}',
  ]);
  const { run } = experiment;
  run.clock.step = run.totalSteps;
  const before = connectedOf(experiment);
  for (let n = 0; n < 100; n++) updateWeights(run, 1, 0);
  expect(connectedOf(experiment)).toEqual(before);
  run.clock.step = 0;
  for (let n = 0; n < 100; n++) updateWeights(run, 1, 0);
  expect(connectedOf(experiment)).not.toEqual(before);
});

describe('is refused', () => {
  const refusal = (settings: readonly string[]) => {
    try {
      experimentOf(settings).close();
    } catch (error) {
      return error;
    }
    return null;
  };

  it('where every pair is a synapse at first', () => {
    const error = refusal([deepR, 'network.recurrent.connectivity={"kind":"dense"}']);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(/network\.recurrent\.connectivity\.kind: got "dense", expected a sparse one/);
  });

  it('with an unknown kind, or a parameter out of range, by its path', () => {
    expect(String(refusal(['network.recurrent.rewiring={"kind":"none"}']))).toMatch(/network\.recurrent\.rewiring/);
    expect(String(refusal(['network.recurrent.rewiring={"kind":"deep-r","l1":-1}']))).toMatch(
      /network\.recurrent\.rewiring\.l1/,
    );
  });

  it('beside weights that stay, and beside delays that differ', () => {
    const graph = (own: object) => ({
      task: { kind: 'pattern-generation', steps: 20, inputs: 4 },
      network: {
        populations: { all: { size: 6, neuron: { kind: 'lif' } } },
        projections: {
          rec: {
            from: 'all',
            to: 'all',
            connectivity: { kind: 'in-degree', n: 2 },
            rewiring: { kind: 'deep-r' },
            ...own,
          },
        },
        readouts: { out: { from: 'all' } },
      },
      rule: { name: 'e-prop-1' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { rec: 0.1, out: 0.1 } },
      training: { total: 2 },
    });
    expect(() => createExperiment(graph({}), catalogue)).not.toThrow();
    expect(() => createExperiment(graph({ plastic: false }), catalogue)).toThrow(
      /network\.projections\.rec\.rewiring: got "deep-r", expected null beside plastic: false/,
    );
    expect(() => createExperiment(graph({ delayMs: { kind: 'uniform', low: 1, high: 5 } }), catalogue)).toThrow(
      /network\.projections\.rec\.delayMs: .* one delay for all synapses beside rewiring/,
    );
  });

  it('by backends that do without, by name', () => {
    const fixed = refusal([deepR, 'backend=fixed', 'fixed={"formats":{}}', 'training.execution=online']);
    expect(fixed).toBeInstanceOf(UnsupportedError);
    expect(String(fixed)).toMatch(/backend "fixed" .* the rewiring "deep-r" of rec/);
    const tfjs = refusal([deepR, 'backend=tfjs']);
    expect(tfjs).toBeInstanceOf(UnsupportedError);
    expect(String(tfjs)).toMatch(/backend "tfjs" .* the rewiring "deep-r" of rec/);
  });
});
