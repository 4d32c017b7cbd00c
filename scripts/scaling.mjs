// Cost of one training iteration against N, density, rate, T and synapses: prints a table and writes
// bench/results/scaling.json. Usage: npm run build && node scripts/scaling.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { models } from '../dist/models/index.js';
import { applySettings, createExperiment, preset, runTrial } from '../dist/src/index.js';
import { renderLearningCurve } from '../dist/src/plot/index.js';
import { tasks } from '../dist/tasks/index.js';

const alif = { kind: 'alif', membrane: { tauMs: 20 }, vTh: 0.6, adaptBeta: 0.05, adaptiveShare: 0.5, nRef: 5 };

function time({ neurons = 400, steps = 1000, inputGain = 0.95, density = 1, inDegree = 0 }) {
  const sparse = (share) => ({ kind: 'probability', p: share });
  const input = inDegree ? { kind: 'in-degree', n: 10 } : density < 1 ? sparse(density) : { kind: 'dense' };
  const recurrent = inDegree
    ? { kind: 'in-degree', n: inDegree - 10 }
    : density < 1
      ? sparse(density)
      : { kind: 'dense' };
  const experiment = createExperiment(
    applySettings(preset('pattern-generation'), [
      'seed=3',
      `network.neurons=${neurons}`,
      `network.neuron=${JSON.stringify(alif)}`,
      `network.input=${JSON.stringify({ connectivity: input, init: { kind: 'normal', gain: inputGain } })}`,
      `network.recurrent=${JSON.stringify({ connectivity: recurrent, init: { kind: 'normal', gain: 0.5 } })}`,
      'network.readout={"kind":"leaky","filter":{"tauMs":20},"bias":false}',
      'task.inputRateHz=20',
      `task.steps=${steps}`,
      'optimizer.rates={"in":1e-6,"rec":1e-6,"out":1e-6}',
    ]),
    { ...models, tasks },
  );
  const { run, feed } = experiment;
  const { sizes, projections } = run.network.spec;
  feed.fill(sizes.step);
  const samples = [];
  const repetitions = neurons > 50_000 ? 3 : 9;
  for (let r = -2; r < repetitions; r++) {
    const start = performance.now();
    runTrial(run, sizes.step, { learn: true });
    if (r >= 0) samples.push(performance.now() - start);
  }
  samples.sort((a, b) => a - b);
  const z = run.network.activity[0].z.data;
  let spikes = 0;
  for (let s = 0; s < z.length; s++) spikes += z[s];
  return {
    neurons,
    steps,
    synapses: projections.reduce((sum, { synapses }) => sum + synapses.nSyn, 0),
    rateHz: (1000 * spikes) / z.length,
    ms: samples[samples.length >> 1],
    bytesPerSynapse: experiment.memory.perSynapse,
  };
}

const sweeps = {
  N: [50, 100, 200, 400, 700, 1000, 1500].map((neurons) => time({ neurons })),
  density: [0.05, 0.1, 0.25, 0.5, 1].map((density) => time({ neurons: 1000, density })),
  rate: [0.6, 0.75, 0.95, 1.3, 2].map((inputGain) => time({ inputGain })),
  T: [125, 250, 500, 1000, 2000, 4000].map((steps) => time({ steps })),
  synapses: [10_000, 20_000, 50_000, 100_000, 200_000].map((neurons) => time({ neurons, inDegree: 100 })),
};
for (const [name, rows] of Object.entries(sweeps)) {
  console.log(`\n${name}`);
  console.table(rows.map((row) => ({ ...row, nsPerSynapseStep: (1e6 * row.ms) / (row.synapses * row.steps) })));
}
mkdirSync('bench/results', { recursive: true });
writeFileSync('bench/results/scaling.json', `${JSON.stringify({ node: process.version, sweeps }, null, 2)}\n`);

// One chart a sweep, drawn with the project's own curves: docs/figures/cost-*.png.
const charts = {
  N: ['neurons', 'neurons (dense, 100 inputs, 1000 steps)'],
  density: ['synapses', 'synapses of 1000 neurons, by density'],
  rate: ['rateHz', 'firing rate (Hz), 400 neurons, dense'],
  T: ['steps', 'steps, 400 neurons, dense'],
  synapses: ['synapses', 'synapses, 100 a neuron, 1000 steps'],
};
mkdirSync('docs/figures', { recursive: true });
for (const [name, [column, xLabel]] of Object.entries(charts)) {
  const rows = sweeps[name].toSorted((a, b) => a[column] - b[column]);
  const runs = [{ x: rows.map((row) => row[column]), y: rows.map((row) => row.ms) }];
  const png = renderLearningCurve(
    {
      xLabel,
      yLabel: 'one training iteration (ms)',
      xAxis: 'log',
      yAxis: 'log',
      bounds: [],
      groups: [{ label: 'wasm, one thread', runs }],
    },
    { width: 560, height: 380 },
  );
  writeFileSync(`docs/figures/cost-${name.toLowerCase()}.png`, png);
}
