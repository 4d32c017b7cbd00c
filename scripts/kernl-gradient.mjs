// How well the gradients of RFLO and KeRNL point along the exact one (RTRL), step by step, while KeRNL learns from its twin.
//
//     npm run build && node scripts/kernl-gradient.mjs [--seeds 5] [--steps 20000] [--out docs/results/kernl.jsonl]
//
// A tanh network of 20 neurons (leak 0.3, orthogonal weights, inputs of +-1) with frozen weights hears errors that are random vectors.
// Writes one line for each seed and setting, and prints tables of the cosine, the mean over steps and seeds.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { createRng } from '../dist/src/core/rng.js';
import { createFeed } from '../dist/src/engine/feed.js';
import { runTrial } from '../dist/src/engine/run.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { mean } from './seedTable.mjs';

const neurons = 20;
const leak = 0.3;
const chunk = 100;

const settings = {
  kernl: {},
  'code order': { order: 'code' },
  'only A learns': { rateLeak: 0 },
  'only leaks learn': { rateA: 0 },
  'rate of A 0.05': { rateA: 0.05 },
  'rate of A 0.8': { rateA: 0.8 },
  'noise 0.01': { noise: 0.01 },
  'noise 0.2': { noise: 0.2 },
  'twin reset every 10': { resetEvery: 10 },
  'twin never reset': { resetEvery: null },
};

/** Inputs of +-1 and targets that are normal numbers, every step anew. */
const noiseTask = {
  kind: 'noise',
  source: 'this script',
  params: z.strictObject({ kind: z.literal('noise') }),
  derive: () => ({
    nIn: 2,
    nOut: neurons,
    mode: { kind: 'stream', stepsPerSymbol: 1 },
    statesExpected: false,
    bounds: [],
    testIsNew: true,
    inputPopulations: [],
    fill(out, rng, start) {
      for (let t = 0; t < out.steps; t++) {
        const step = rng.split(start + t);
        for (let i = 0; i < 2; i++) out.x[t * out.xStride + i] = 2 * step.bernoulli(0.5) - 1;
        for (let k = 0; k < neurons; k++) out.target[t * neurons + k] = step.normal();
        out.weight[t] = 1;
      }
    },
  }),
};

function build(rule, seed, total) {
  const experiment = createExperiment(
    {
      name: 'kernl-gradient',
      seed,
      backend: 'reference',
      task: { kind: 'noise' },
      network: {
        neurons,
        neuron: { kind: 'rate', leak: { decay: 1 - leak } },
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: false },
        input: { init: { kind: 'normal', gain: 1 } },
        recurrent: { init: { kind: 'orthogonal', gain: 1 }, autapses: true },
      },
      rule: { ...rule, feedback: 'random' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: 0.1, rec: 0.1, out: 0.1 } },
      training: { total, streams: 1, chunkSteps: chunk },
      evaluation: { total: 1, streams: 1 },
    },
    { ...catalogue, tasks: [...catalogue.tasks, noiseTask] },
  );
  // The readout says nothing, so that the error is the target; all rules hear it through the same matrix.
  const { weights, state } = experiment.run.network;
  weights.out.fill(0);
  const B = state.table.find(({ name }) => name.endsWith('.B'));
  const draws = createRng(seed).split('feedback');
  const values = state.field(B.name);
  for (let s = 0; s < values.length; s++) values[s] = draws.normal() / Math.sqrt(neurons);
  return experiment;
}

/** Gradients of the recurrent weights at every step of the next chunk, weights frozen. */
function gradientsOf({ run, task, config }) {
  const { gradient } = run.network;
  const taken = [];
  createFeed(run, task, createRng(config.seed).split('data'), null, 'train').fill(chunk);
  const take = () => {
    taken.push(Float64Array.from(gradient.rec));
    gradient.rec.fill(0);
  };
  runTrial(run, chunk, { learn: true, freeze: true, onStep: take });
  return taken;
}

function cosine(a, b) {
  let [ab, aa, bb] = [0, 0, 0];
  for (let s = 0; s < a.length; s++) {
    ab += a[s] * b[s];
    aa += a[s] * a[s];
    bb += b[s] * b[s];
  }
  return ab / Math.sqrt(aa * bb);
}

function measure(seed, steps) {
  const exact = build({ name: 'rtrl' }, seed, steps);
  const rules = { rflo: build({ name: 'rflo' }, seed, steps) };
  for (const [label, own] of Object.entries(settings)) rules[label] = build({ name: 'kernl', ...own }, seed, steps);
  const cosines = Object.fromEntries(Object.keys(rules).map((label) => [label, []]));
  for (let c = 0; c * chunk < steps; c++) {
    const want = gradientsOf(exact);
    for (const [label, experiment] of Object.entries(rules)) {
      const own = gradientsOf(experiment).map((gradient, t) => cosine(gradient, want[t]));
      // At the very first step no rate is there yet, and all gradients are 0.
      cosines[label].push(mean(own.slice(c === 0 ? 1 : 0)));
    }
  }
  return Object.entries(rules).map(([label, { run }]) => {
    const learned = label === 'rflo' ? null : Array.from(run.network.state.field('direct.leak'));
    return { seed, label, cosines: cosines[label], leaks: learned && [Math.min(...learned), Math.max(...learned)] };
  });
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '20000' },
    out: { type: 'string' },
  },
});
const steps = Number(values.steps);
const lines = Array.from({ length: Number(values.seeds) }, (_, s) => measure(s + 1, steps)).flat();
/** Chunks [from, to) of a run, as steps say it. */
const windows = [
  [0, 200],
  [200, 700],
  [Math.floor(steps / 4), Math.floor(steps / 4) + 500],
  [steps - 2000, steps],
].map((window) => window.map((step) => Math.floor(step / chunk)));
console.log(`| rule | ${windows.map(([from, to]) => `steps ${from * chunk}-${to * chunk}`).join(' | ')} | leaks |`);
console.log(`|---|${'---|'.repeat(windows.length + 1)}`);
for (const label of ['rflo', ...Object.keys(settings)]) {
  const runs = lines.filter((line) => line.label === label);
  const columns = windows.map(([from, to]) => {
    const own = runs.map(({ cosines }) => mean(cosines.slice(from, to)));
    return `${mean(own).toFixed(3)} (${Math.min(...own).toFixed(3)}-${Math.max(...own).toFixed(3)})`;
  });
  const leaks = runs[0].leaks
    ? `${Math.min(...runs.map((one) => one.leaks[0])).toFixed(2)}-${Math.max(...runs.map((one) => one.leaks[1])).toFixed(2)}`
    : '–';
  console.log(`| ${label} | ${columns.join(' | ')} | ${leaks} |`);
}
if (values.out) {
  const every = 1000;
  const short = ({ cosines, ...rest }) => {
    const parts = Array.from({ length: steps / every }, (_, p) =>
      cosines.slice((p * every) / chunk, ((p + 1) * every) / chunk),
    );
    return { ...rest, every, cosines: parts.map((part) => Number(mean(part).toFixed(4))) };
  };
  writeFileSync(values.out, lines.map((line) => `${JSON.stringify(short(line))}\n`).join(''));
}
