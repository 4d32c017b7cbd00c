import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import {
  bpttFields,
  dendriteFields,
  eventsFields,
  feedbackFields,
  netFields,
  outgoingFields,
  projectionFields,
  readFields,
  readoutFields,
} from '../../src/backends/wasm/records.ts';
import {
  applySettings,
  createExperiment,
  type Experiment,
  gradientOf,
  loadTensorFlow,
  preset,
  runTrial,
} from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };

/**
 * The float32 backend against the oracle, on networks whose spikes agree. Tolerance: a gradient is a sum of about
 * steps x streams products; each rounds by 2^-24 = 6e-8, and rounding errors of the states before it are amplified by
 * psi's slope (about 1 / vTh^2). 2e-4 of the largest entry is ten times what these networks show.
 */
const tolerance = 2e-4;

interface Case {
  readonly neuron: Record<string, unknown>;
  readonly readout: Record<string, unknown>;
  readonly rule: Record<string, unknown>;
  readonly execution: 'online' | 'deferred' | 'postponed';
  readonly mean: 'off' | 'trial' | 'batch' | 'running';
  readonly connectivity: 'dense' | 'sparse';
  readonly loss: 'square' | 'softmax' | 'bernoulli';
  readonly delayMs?: number;
  readonly everySteps?: number;
}

const neurons = {
  lif: { kind: 'lif', membrane: { tauMs: 20 }, vTh: 0.6, nRef: 2 },
  alif: { kind: 'alif', membrane: { tauMs: 20 }, vTh: 0.6, adaptBeta: 0.1, adaptiveShare: 0.5 },
  'lif to zero': { kind: 'lif', membrane: { tauMs: 10 }, vTh: 0.4, reset: 'zero', fires: '>=', inputScale: '1-alpha' },
};
const readouts = {
  'no filter': { kind: 'leaky', filter: { decay: 0 }, scale: '1', bias: true },
  filter: { kind: 'leaky', filter: { tauMs: 20 }, bias: false },
};

function build(c: Case, backend: string, neuronCount: number): Experiment {
  const sparse = { connectivity: { kind: 'in-degree', n: 7 } };
  const gain = c.neuron.inputScale === '1-alpha' ? 8 : 1.6;
  return createExperiment(
    {
      seed: 11,
      backend,
      task: {
        kind: 'pattern-generation',
        steps: 90,
        inputs: 14,
        inputRateHz: 40,
        outputs: c.loss === 'square' ? 2 : 3,
      },
      network: {
        neurons: neuronCount,
        neuron: c.neuron,
        readout: c.readout,
        input: { init: { kind: 'normal', gain }, bias: 0.02, ...(c.connectivity === 'sparse' ? sparse : {}) },
        recurrent: {
          delayMs: c.delayMs ?? null,
          init: { kind: 'normal', gain: 0.6 },
          ...(c.connectivity === 'sparse' ? sparse : {}),
        },
      },
      rule: c.rule.name ? c.rule : { name: 'e-prop-1', ...c.rule },
      loss: { kind: c.loss, window: { start: 5, length: 80 } },
      rateTerm: c.mean === 'off' ? {} : { strength: 2, targetHz: 20, mean: c.mean, everySteps: c.everySteps ?? 1 },
      optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, out: 0.01 } },
      training: { total: 6, streams: 3, execution: c.execution },
      evaluation: { total: 1, streams: 1 },
    },
    catalogue,
  );
}

/** One frozen trial: activity and gradient. */
function frozen(experiment: Experiment) {
  const { run, feed } = experiment.observer();
  const steps = run.network.spec.sizes.step;
  feed.fill(steps);
  runTrial(run, steps, { learn: true, freeze: true });
  const { trial, activity } = run.network;
  return {
    gradient: gradientOf(run),
    z: activity[0].z.data,
    y: trial.y.data,
    error: trial.error.data,
  };
}

const cases: [string, Case, number][] = [];
for (const [neuronName, neuron] of Object.entries(neurons)) {
  for (const [readoutName, readout] of Object.entries(readouts)) {
    for (const execution of ['online', 'deferred'] as const) {
      for (const mean of ['off', 'trial', 'running'] as const) {
        const base: Case = { neuron, readout, rule: {}, execution, mean, connectivity: 'dense', loss: 'square' };
        cases.push([`${neuronName}, ${readoutName}, ${execution}, rate term ${mean}`, base, 37]);
      }
    }
  }
}
const alif: Case = {
  neuron: neurons.alif,
  readout: readouts.filter,
  rule: {},
  execution: 'deferred',
  mean: 'batch',
  connectivity: 'dense',
  loss: 'softmax',
};
cases.push(['batch rates, softmax, symmetric', { ...alif, rule: { feedback: 'symmetric' } }, 64]);
cases.push(['batch rates, online', { ...alif, execution: 'online' }, 64]);
cases.push(['bernoulli, unfiltered trace', { ...alif, loss: 'bernoulli', rule: { readoutFilter: false } }, 35]);
for (const execution of ['online', 'deferred'] as const) {
  cases.push([`sparse, ${execution}`, { ...alif, execution, connectivity: 'sparse', mean: 'trial' }, 41]);
  const lif: Case = { ...alif, neuron: neurons.lif, readout: readouts['no filter'], execution, mean: 'running' };
  cases.push([`sparse outer product, ${execution}`, { ...lif, connectivity: 'sparse' }, 41]);
}

const trained = (trace: object) => ({
  name: 'factored',
  trace: { kind: 'eligibility', ...trace },
  signal: { kind: 'broadcast' },
});
for (const execution of ['online', 'deferred'] as const) {
  const lif: Case = { ...alif, neuron: neurons.lif, execution, mean: 'running' };
  for (const connectivity of ['dense', 'sparse'] as const) {
    cases.push([`delay of 4 ms, ${connectivity}, ${execution}`, { ...lif, connectivity, delayMs: 4 }, 39]);
  }
  cases.push([`RFLO, ${execution}`, { ...lif, rule: trained({ form: 'post-then-filter' }) }, 39]);
  cases.push([`RFLO of ALIF, ${execution}`, { ...alif, execution, rule: trained({ form: 'post-then-filter' }) }, 39]);
  cases.push([`a rate term once in five steps, ${execution}`, { ...lif, everySteps: 5 }, 39]);
  cases.push([`no presynaptic filter, ${execution}`, { ...lif, rule: trained({ presynapticFilter: false }) }, 39]);
}
for (const [neuronName, neuron] of Object.entries(neurons)) {
  for (const [readoutName, readout] of Object.entries(readouts)) {
    for (const own of [{}, { window: 20, segment: 7 }, { feedback: 'random' }]) {
      const c: Case = { ...alif, neuron, readout, mean: 'trial', rule: { name: 'bptt', ...own } };
      cases.push([`bptt ${JSON.stringify(own)}, ${neuronName}, ${readoutName}`, c, 35]);
    }
  }
}
for (const execution of ['online', 'deferred', 'postponed'] as const) {
  for (const own of [{}, { feedback: 'symmetric' }]) {
    const c: Case = { ...alif, execution, mean: 'trial', rule: { ...own, errorSpikeSize: 0.7 }, loss: 'square' };
    cases.push([`errors as spikes, ${JSON.stringify(own)}, ${execution}`, c, 39]);
  }
}
for (const psiLevels of [2, 3, 7]) {
  for (const [name, neuron] of Object.entries(neurons)) {
    cases.push([`psi in ${psiLevels} levels, ${name}`, { ...alif, neuron: { ...neuron, psiLevels } }, 37]);
  }
}
for (const execution of ['online', 'deferred'] as const) {
  cases.push([`present spikes alone, ${execution}`, { ...alif, execution, rule: { presynapticFilter: false } }, 39]);
}
const attached = { name: 'bptt', reset: 'attached' };
cases.push(['bptt with delays and attached reset', { ...alif, delayMs: 3, rule: attached }, 35]);
for (const neuron of [neurons.lif, neurons.alif]) {
  const c: Case = { ...alif, neuron, execution: 'online', mean: 'running', everySteps: 5 };
  cases.push([`${neuron.kind}: eBar restarts every five steps`, { ...c, rule: trained({ restartEvery: 5 }) }, 38]);
}
for (const readout of Object.values(readouts)) {
  for (const mean of ['off', 'trial', 'running'] as const) {
    const c: Case = { ...alif, execution: 'postponed', readout, mean, loss: 'square' };
    cases.push([`postponed, rate term ${mean}, kappa ${JSON.stringify(readout.filter)}`, c, 37]);
  }
}

describe('tfjs against reference', () => {
  beforeAll(async () => {
    await loadTensorFlow();
  });
  const able = cases.filter(
    ([, c]) =>
      c.execution === 'deferred' &&
      c.connectivity === 'dense' &&
      !c.delayMs &&
      !c.rule.name &&
      !c.rule.errorSpikeSize &&
      c.rule.presynapticFilter !== false &&
      !c.neuron.psiLevels,
  );

  it.each([
    ['errors as spikes', { ...alif, rule: { errorSpikeSize: 1 } }],
    ['a pseudo-derivative in levels', { ...alif, neuron: { ...neurons.lif, psiLevels: 3 } }],
  ])('says that it has no %s', (what, c) => {
    expect(() => build(c, 'tfjs', 20)).toThrow(what);
  });

  it.each(able)('%s', (_name, c, neuronCount) => {
    const want = frozen(build(c, 'reference', neuronCount));
    const got = frozen(build(c, 'tfjs', neuronCount));
    expect(Array.from(got.z)).toEqual(Array.from(want.z));
    expect(got.y).toBeClose(want.y, { relative: tolerance });
    for (const name of ['in', 'rec', 'out', 'out.bias'] as const) {
      expect(got.gradient[name], name).toBeClose(want.gradient[name], { relative: tolerance });
    }
  });

  it('keeps no tensors from trial to trial', async () => {
    const { tf } = await loadTensorFlow();
    const experiment = build(able[0][1], 'tfjs', 20);
    const training = experiment.trainTrials();
    training.next();
    const before = tf.memory().numTensors;
    training.next();
    expect(tf.memory().numTensors).toBe(before);
    experiment.close();
  });
});

describe('wasm against reference', () => {
  it.each(cases)('%s', (_name, c, neuronCount) => {
    const want = frozen(
      build(c.execution === 'postponed' ? { ...c, execution: 'online' } : c, 'reference', neuronCount),
    );
    const got = frozen(build(c, 'wasm', neuronCount));
    const spikes = Array.from(want.z).reduce((sum, z) => sum + z, 0) / want.z.length;
    expect(spikes).toBeGreaterThan(0.004);
    expect(spikes).toBeLessThan(0.4);
    expect(Array.from(got.z)).toEqual(Array.from(want.z));
    expect(got.y).toBeClose(want.y, { relative: tolerance });
    expect(got.error).toBeClose(want.error, { relative: tolerance });
    for (const name of ['in', 'rec', 'out', 'out.bias'] as const) {
      expect(got.gradient[name], name).toBeClose(want.gradient[name], { relative: tolerance });
    }
  });

  const optimizers = [
    { kind: 'sgd' },
    { kind: 'sgd', powersOfTwo: true },
    { kind: 'momentum', momentum: 0.8 },
    { kind: 'adam', clamp: [-0.9, 0.8] },
    { kind: 'one-step', delta: 2 ** -7 },
  ];
  it.each(optimizers)('a short training with %o ends at the same weights', (optimizer) => {
    const train = (backend: string) => {
      const raw = applySettings(preset('pattern-generation'), [
        `backend=${backend}`,
        'network.neurons=30',
        'training.total=4',
        'training.update.every=2',
        'rule.feedback=adaptive',
        'task.steps=120',
        `optimizer=${JSON.stringify({ ...optimizer, rates: { in: 1e-3, rec: 1e-3, out: 1e-3 } })}`,
      ]);
      const experiment = createExperiment(raw, catalogue);
      experiment.train();
      return experiment.run.network;
    };
    const want = train('reference');
    const got = train('wasm');
    for (const name of ['in', 'rec', 'out'] as const)
      expect(got.weights[name], name).toBeClose(want.weights[name], { relative: tolerance });
    expect(got.state.field('population.rec.signal.B')).toBeClose(want.state.field('population.rec.signal.B'), {
      relative: tolerance,
    });
  });

  it.each(['online', 'deferred'] as const)('watched equals unwatched, bit for bit, %s', (execution) => {
    const c: Case = { ...alif, execution, mean: 'trial' };
    const plain = frozen(build(c, 'wasm', 37));
    const experiment = build(c, 'wasm', 37);
    const { run, feed } = experiment.observer();
    feed.fill(90);
    let seen = 0;
    runTrial(run, 90, { learn: true, freeze: true, onStep: () => seen++ });
    expect(seen).toBe(90);
    expect(gradientOf(run)).toEqual(plain.gradient);
  });

  it('the heap does not grow over 1000 trials', () => {
    const experiment = createExperiment(
      applySettings(preset('pattern-generation'), ['network.neurons=20', 'task.steps=50', 'training.total=100000']),
      catalogue,
    );
    const { run, feed } = experiment;
    feed.fill(50);
    const trials = (count: number) => {
      for (let trial = 0; trial < count; trial++) runTrial(run, 50, { learn: true });
    };
    trials(200);
    const before = process.memoryUsage();
    trials(1000);
    const after = process.memoryUsage();
    // 1000 trials of 50 steps: 100 bytes a step would be 5 MB. What is left is the collector's own noise.
    expect(after.heapUsed - before.heapUsed).toBeLessThan(3e6);
    expect(after.arrayBuffers).toBeLessThanOrEqual(before.arrayBuffers);
  });

  it('says what it has no kernel for, and auto takes the reference then', () => {
    const drawn = { kind: 'uniform', low: 0.5, high: 0.7 };
    for (const neuron of [
      { kind: 'lif', vTh: drawn },
      { kind: 'lif', rest: 0.1 },
      { kind: 'alif', adaptation: { decay: drawn } },
      { kind: 'cuba-lif' },
      { kind: 'integrator' },
      { kind: 'rate' },
    ]) {
      const set = applySettings(preset('four-six-back'), [`network.neuron=${JSON.stringify(neuron)}`]);
      expect(createExperiment(set, catalogue).config.backend, neuron.kind).toBe('wasm');
    }
    const steps = applySettings(preset('four-six-back'), [
      'network.neuron.psiSteps={"edges":[-0.5,0.5],"heights":[0,0.5,0]}',
    ]);
    expect(() => createExperiment(applySettings(steps, ['backend=wasm']), catalogue)).toThrow(
      /no kernel for the neuron "\w+" as it is set/,
    );
    expect(createExperiment(steps, catalogue).config.backend).toBe('reference');
    expect(createExperiment(preset('four-six-back'), catalogue).config.backend).toBe('wasm');
  });
});

it.each([
  ['net', 'Events', eventsFields],
  ['net', 'Projection', projectionFields],
  ['net', 'Feedback', feedbackFields],
  ['net', 'Read', readFields],
  ['net', 'Readout', readoutFields],
  ['net', 'Net', netFields],
  ['bptt', 'Bptt', bpttFields],
  ['bptt', 'Outgoing', outgoingFields],
  ['dendrite', 'Dendrite', dendriteFields],
] as const)('the record of %s, %s, has the same fields in TypeScript and in the kernels', (file, name, listed) => {
  const source = readFileSync(new URL(`../../kernels/${file}.ts`, import.meta.url), 'utf8');
  const after = source.slice(source.indexOf(`class ${name} {`));
  const body = after.slice(0, after.indexOf('\n}\n'));
  const fields = [...body.matchAll(/(\w+): (i32|usize|f32);/g)].map(([, field, type]) =>
    type === 'f32' ? `f:${field}` : field,
  );
  expect([...listed]).toEqual(fields);
});
