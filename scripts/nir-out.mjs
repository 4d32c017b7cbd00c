// Trains small networks, writes them as NIR for snnTorch and Norse, others for Spyx, and beside each the input and the spikes that it has here.
// usage: node scripts/nir-out.mjs FOLDER   (after npm run build); then python3 scripts/nir-read.py FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { models } from '../dist/models/index.js';
import { weightFiles } from '../dist/src/cli/weights.js';
import { createRng } from '../dist/src/core/rng.js';
import { rowAt } from '../dist/src/core/rows.js';
import { writeHdf5 } from '../dist/src/data/index.js';
import { createFeed } from '../dist/src/engine/feed.js';
import { runTrial } from '../dist/src/engine/run.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { exportNetwork, targets, writtenOwn } from '../dist/src/nir/index.js';
import { tasks } from '../dist/tasks/index.js';

const folder = process.argv[2];
if (!folder) throw new Error('usage: node scripts/nir-out.mjs FOLDER');
const steps = 200;
const targetOf = (framework) => targets.find(({ frameworks }) => frameworks.includes(framework));

/** A network of one population, or of two, with feedback but for Spyx; neurons differ in time constant and threshold. */
function experimentOf(seed, spyx) {
  const two = seed % 2 === 1;
  const filters = !spyx && seed % 4 >= 2;
  const population = (size) => ({
    size,
    neuron: {
      kind: filters ? 'cuba-lif' : 'lif',
      membrane: { tauMs: { kind: 'uniform', low: 3, high: 30 } },
      ...(filters ? { synapse: { tauMs: { kind: 'uniform', low: 1, high: 6 } } } : {}),
      vTh: { kind: 'uniform', low: 0.3, high: 1.2 },
      reset: spyx ? 'subtract' : 'zero',
    },
    bias: seed % 3 === 0 ? { kind: 'uniform', low: -0.02, high: 0.06 } : null,
  });
  const sizes = [10 + ((seed * 7) % 30), 5 + ((seed * 5) % 20)];
  const init = { kind: 'normal', gain: filters ? 0.6 : 1.2 };
  const rec = { init: { kind: 'normal', gain: 0.5 } };
  const populations = { a: population(sizes[0]), ...(two ? { b: population(sizes[1]) } : {}) };
  const projections = {
    'in-a': { from: 'input', to: 'a', init },
    'a-a': { from: 'a', to: 'a', ...rec },
    ...(two
      ? {
          'a-b': { from: 'a', to: 'b', init: { kind: 'normal', gain: 2 }, delayMs: spyx ? 1 : 0 },
          'b-b': { from: 'b', to: 'b', ...rec },
          ...(spyx ? {} : { 'b-a': { from: 'b', to: 'a', ...rec } }),
        }
      : {}),
  };
  const plastic = [
    ...Object.keys(projections),
    ...Object.entries(populations).flatMap(([name, { bias }]) => (bias ? [`${name}.bias`] : [])),
  ];
  return {
    seed,
    backend: 'reference',
    network: { populations, projections, readouts: { out: { from: Object.keys(populations) } } },
    task: { kind: 'pattern-generation', steps, inputs: 8, inputRateHz: 120, outputs: 1 },
    rule: { name: 'e-prop-1' },
    loss: { kind: 'square' },
    optimizer: { kind: 'adam', rates: Object.fromEntries([...plastic, 'out'].map((name) => [name, 0.005])) },
    training: { total: 20 },
    evaluation: { total: 1, streams: 1 },
  };
}

/** Rows of the last trial. */
const listOf = (rows, width) =>
  Array.from({ length: steps }, (_, t) => Array.from(rows.data.subarray(rowAt(rows, 0, t), rowAt(rows, 0, t) + width)));

mkdirSync(folder, { recursive: true });
for (let net = 0; net < 30; net++) {
  const spyx = net >= 20;
  const seed = spyx ? net - 20 : net;
  const target = targetOf(spyx ? 'spyx' : 'norse');
  const experiment = createExperiment(experimentOf(seed, spyx), { ...models, tasks });
  experiment.train();
  const { run, task, config } = experiment;
  createFeed(run, task, createRng(config.seed), config.loss.window, 'train').fill(steps);
  runTrial(run, steps, { learn: false, freeze: true });
  const { network } = run;
  const files = weightFiles(network).map(({ name, shape, values }) => [
    name,
    { shape, values: Float64Array.from(values) },
  ]);
  const metadata = writtenOwn({ config, weights: new Map(files) });
  const { graph } = exportNetwork(network, target, { lossy: false, readouts: false, metadata });
  const name = `net-${String(net).padStart(2, '0')}`;
  await writeHdf5(join(folder, `${name}.nir`), { version: '1.0.8', node: graph });
  const last = network.spec.populations.length - 1;
  const x = listOf(network.trial.x, task.nIn);
  const z = listOf(network.activity[last].z, network.spec.populations[last].size);
  const kinds = network.spec.populations.map(({ size, kind }) => `${size} ${kind}`).join(spyx ? ' -> ' : ' <-> ');
  writeFileSync(
    join(folder, `${name}.json`),
    JSON.stringify({ name, dt: target.dt, readers: target.frameworks, network: kinds, x, z }),
  );
}
