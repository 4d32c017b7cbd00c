// Sequences from segments: RFLO learns short segments, each cued by a unit of its own; then the units learn an order and cue the network.
//
//     npm run build && node scripts/rflo-sequences.mjs [--seeds 5] [--passes 3000] [--out FILE.jsonl] [--figure FILE.png]
//
// Trains the preset `cued-segments`, lets the order of cues be learned from three cued passes, and recalls it: the network alone with
// the loop, from the first cue on. Writes a line for each seed and rule, and prints tables of errors and of the orders recalled.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bindCueOrder } from '../dist/models/index.js';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { createRng } from '../dist/src/core/rng.js';
import { rowAt } from '../dist/src/core/rows.js';
import { createFeed } from '../dist/src/engine/feed.js';
import { runTrial } from '../dist/src/engine/run.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { renderStacked } from '../dist/src/plot/index.js';

const config = preset('cued-segments');
const { segments, steps } = config.task;
const rules = {
  'RFLO, random feedback': config.rule,
  'RFLO, symmetric feedback': { name: 'rflo', feedback: 'symmetric' },
  'readout only': { name: 'readout-only' },
};
const loop = { decay: 0.9, rateM: 0.5, rateK: 0.5, weightK: 0.3, threshold: 0.05, every: steps, cue: 1 };
const loops = {
  'M and K': loop,
  'M alone': { ...loop, weightK: 0 },
  'K alone': { ...loop, rateM: 0, threshold: -1 },
};
const cuedPasses = 3;
const marks = [50, 500, 1000, 2000, 3000];

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

/** Squared error over the mean square of the target. */
function normalisedError({ trial }) {
  let [error, power] = [0, 0];
  for (let s = 0; s < trial.y.data.length; s++) {
    error += (trial.y.data[s] - trial.target.data[s]) ** 2;
    power += trial.target.data[s] ** 2;
  }
  return error / power;
}

function train(rule, seed, passes) {
  const experiment = createExperiment(
    { ...config, seed, rule, training: { ...config.training, total: passes } },
    catalogue,
  );
  const losses = [];
  experiment.train({
    listener(event) {
      if (event.type === 'trial') losses.push(event.lossPerStep);
    },
  });
  const { data } = experiment.run.network.trial.target;
  const power = data.reduce((sum, value) => sum + value * value, 0) / data.length;
  const outputs = experiment.run.network.spec.sizes.out;
  const errorAt = (pass) => (2 * mean(losses.slice(Math.max(0, pass - 50), pass))) / (outputs * power);
  return { experiment, errors: marks.filter((pass) => pass <= passes).map(errorAt) };
}

/** The trained network on a trial of the segments in `order`, which the task writes. */
function cue({ run }, rule, seed, order) {
  const task = { ...config.task, order };
  const cued = createExperiment({ ...config, seed, rule, task }, catalogue);
  for (const [name, block] of Object.entries(run.network.weights)) cued.run.network.weights[name].set(block);
  const length = order.length * steps;
  createFeed(cued.run, cued.task, createRng(seed), null, 'train').fill(length);
  runTrial(cued.run, length, { learn: false });
  return { cued, length, error: normalisedError(cued.run.network) };
}

/** Learns the order from cued passes, then runs free. */
function recall({ cued, length }, order, params) {
  const { trial, activity } = cued.run.network;
  const given = Float64Array.from(trial.x.data);
  const learner = bindCueOrder({ x: trial.x, z: activity[0].z, units: segments, stream: 0 }, params);
  runTrial(cued.run, length, { learn: false });
  for (let pass = 0; pass < cuedPasses; pass++) learner.learn(length);
  trial.x.data.fill(0);
  learner.begin(order[0]);
  runTrial(cued.run, length, { learn: false, answer: (t) => learner.answer(t) });
  const units = order.map((_, s) => {
    const row = rowAt(trial.x, 0, s * steps);
    return Array.from(trial.x.data.subarray(row, row + segments)).indexOf(1);
  });
  const error = normalisedError(cued.run.network);
  const figure = { x: Float64Array.from(trial.x.data), y: Float64Array.from(trial.y.data) };
  trial.x.data.set(given);
  return { units, right: units.every((unit, s) => unit === order[s]), error, figure };
}

function draw({ cued, length }, { figure }, name) {
  const { trial, spec } = cued.run.network;
  const column = (data, k) => Array.from({ length }, (_, t) => data[t * spec.sizes.out + k]);
  const on = Array.from({ length }, (_, t) => ({
    t,
    unit: Array.from(figure.x.subarray(rowAt(trial.x, 0, t))).indexOf(1),
  }));
  const panel = (label, k) => ({
    kind: 'lines',
    label,
    zeroLine: true,
    series: [
      { label: 'recalled', values: column(figure.y, k) },
      { label: 'target', values: column(trial.target.data, k), dashed: true, colorOf: 0 },
    ],
  });
  const cues = {
    kind: 'raster',
    label: 'cue units, active one by their own synapses',
    populations: [{ label: '', size: segments }],
    spikes: { t: on.map(({ t }) => t), index: on.map(({ unit }) => unit % segments) },
  };
  const data = { dtMs: 1, steps: length, panels: [cues, panel('output 1', 0), panel('output 2', 1)] };
  writeFileSync(name, renderStacked(data, { width: 700, scale: 1 }));
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    passes: { type: 'string', default: '3000' },
    out: { type: 'string' },
    figure: { type: 'string' },
  },
});
const lines = [];
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  for (const [label, rule] of Object.entries(rules)) {
    const { experiment, errors } = train(rule, seed, Number(values.passes));
    const draws = createRng(seed).split('sequence');
    const once = [0, 1, 2, 3].map((unit) => ({ unit, at: draws.uniform() })).sort((a, b) => a.at - b.at);
    const ring = once.map(({ unit }) => unit);
    const sequences = {
      ring: [...ring, ...ring],
      branching: [ring[0], ring[1], ring[0], ring[2], ring[0], ring[1], ring[0], ring[2]],
    };
    for (const [kind, order] of Object.entries(sequences)) {
      const trial = cue(experiment, rule, seed, order);
      for (const [circuit, params] of Object.entries(loops)) {
        const recalled = recall(trial, order, params);
        const { units, right, error } = recalled;
        lines.push({ seed, label, errors, kind, order, cued: trial.error, circuit, units, right, recalled: error });
        const shown = seed === 1 && label === Object.keys(rules)[0] && kind === 'ring' && circuit === 'M and K';
        if (values.figure && shown) draw(trial, recalled, values.figure);
      }
    }
  }
}

const summary = (list) => `${mean(list).toFixed(3)} (${Math.min(...list).toFixed(3)}-${Math.max(...list).toFixed(3)})`;
const shown = marks.filter((pass) => pass <= Number(values.passes));
console.log(`| rule | ${shown.map((pass) => `after ${pass}`).join(' | ')} | eight segments, cued | recalled |`);
console.log(`|---|${'---|'.repeat(shown.length + 2)}`);
for (const label of Object.keys(rules)) {
  const own = lines.filter((line) => line.label === label && line.kind === 'ring' && line.circuit === 'M and K');
  const columns = shown.map((_, at) => summary(own.map(({ errors }) => errors[at])));
  columns.push(summary(own.map(({ cued }) => cued)), summary(own.map(({ recalled }) => recalled)));
  console.log(`| ${label} | ${columns.join(' | ')} |`);
}
console.log(
  `\n| rule | sequence | ${Object.keys(loops).join(' | ')} |\n|---|---|${'---|'.repeat(Object.keys(loops).length)}`,
);
for (const label of Object.keys(rules)) {
  for (const kind of ['ring', 'branching']) {
    const columns = Object.keys(loops).map((circuit) => {
      const own = lines.filter((line) => line.label === label && line.kind === kind && line.circuit === circuit);
      return `${own.filter(({ right }) => right).length} of ${own.length}`;
    });
    console.log(`| ${label} | ${kind} | ${columns.join(' | ')} |`);
  }
}
if (values.out) {
  const round = (value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  const text = lines.map((line) => `${JSON.stringify(line, (_, value) => round(value))}\n`).join('');
  writeFileSync(values.out, text);
}
