// Sequences from segments: RFLO learns short segments, each cued by a unit of its own; then the units learn an order and cue the network.
//
//     npm run build && node scripts/rflo-sequences.mjs [--seeds 5] [--passes 3000] [--out FILE.jsonl] [--figure FILE.png]
//
// Trains the preset `cued-segments` on passes through each order twice, at a rate that falls over the last tenth, lets an order of cues be
// learned from three cued passes, and recalls it: the network alone with the loop, from the first cue on. Rings are every order of the
// segments, twice; one sequence for each seed branches. Writes a line for each recall by M and K, and prints tables of errors, of errors
// recalled over those of the same orders in training, and of the orders recalled.
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
import { mean, summary } from './seedTable.mjs';

const config = preset('cued-segments');
// What is recalled later has been a pass of the training: the same segments from the same state.
config.task.rounds = 2;
config.optimizer.schedule = { kind: 'linear-to-zero', holdUntil: 0.9 };
const { segments, steps, rounds } = config.task;
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
/** Last passes of the training that are compared with what is recalled. */
const windows = [24, 50, 100, 200];
const marks = [50, 500, 1000, 2000, 3000];

/** Every order of the segments. */
const ordersOf = (units) =>
  units.length === 0
    ? [[]]
    : units.flatMap((first) => ordersOf(units.filter((unit) => unit !== first)).map((rest) => [first, ...rest]));
const orders = ordersOf(Array.from({ length: segments }, (_, unit) => unit));

/** Squared error of a trial over the mean square of its target. */
function normalisedError({ trial: { y, target } }, length) {
  let [error, power] = [0, 0];
  for (let s = 0; s < length * y.width; s++) {
    error += (y.data[s] - target.data[s]) ** 2;
    power += target.data[s] ** 2;
  }
  return error / power;
}

/** Segments of a trial, by its cues. */
function segmentsOf({ trial: { x } }, count) {
  return Array.from({ length: count }, (_, s) => {
    const row = rowAt(x, 0, s * steps);
    return Array.from(x.data.subarray(row, row + segments)).indexOf(1);
  });
}

function train(rule, seed, passes) {
  const experiment = createExperiment(
    { ...config, seed, rule, training: { ...config.training, total: passes } },
    catalogue,
  );
  const done = [];
  experiment.train({
    listener(event) {
      if (event.type !== 'trial') return;
      const { network } = experiment.run;
      const error = normalisedError(network, rounds * segments * steps);
      done.push({ order: segmentsOf(network, rounds * segments).join(), error });
    },
  });
  const errorAt = (pass) => mean(done.slice(Math.max(0, pass - 50), pass).map(({ error }) => error));
  return { experiment, done, errors: marks.filter((pass) => pass <= passes).map(errorAt) };
}

/** The trained network on a trial of the segments in `order`, which the task writes. */
function cue({ run }, rule, seed, order) {
  const task = { ...config.task, order, rounds: 1 };
  const cued = createExperiment({ ...config, seed, rule, task }, catalogue);
  for (const [name, block] of Object.entries(run.network.weights)) cued.run.network.weights[name].set(block);
  const length = order.length * steps;
  createFeed(cued.run, cued.task, createRng(seed), null, 'train').fill(length);
  runTrial(cued.run, length, { learn: false });
  return { cued, length, error: normalisedError(cued.run.network, length) };
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
  const units = segmentsOf(cued.run.network, order.length);
  const error = normalisedError(cued.run.network, length);
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
/** Rings of a rule by M and K, of each seed. */
const ofRings = (label) => {
  const own = lines.filter((line) => line.label === label && line.kind === 'ring' && line.circuit === 'M and K');
  return [...new Set(own.map(({ seed }) => seed))].map((seed) => own.filter((line) => line.seed === seed));
};
/** Of every seed and rule: error recalled over the error of the same orders when they were passed last in training. */
const ratios = [];
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  for (const [label, rule] of Object.entries(rules)) {
    const { experiment, done, ...training } = train(rule, seed, Number(values.passes));
    const draws = createRng(seed).split('sequence');
    const drawn = orders[0].map((unit) => ({ unit, at: draws.uniform() })).sort((a, b) => a.at - b.at);
    const [a, b, c] = drawn.map(({ unit }) => unit);
    const sequences = [
      ...orders.map((order) => ({ kind: 'ring', order: [...order, ...order] })),
      { kind: 'branching', order: [a, b, a, c, a, b, a, c] },
    ];
    for (const { kind, order } of sequences) {
      const trial = cue(experiment, rule, seed, order);
      for (const [circuit, params] of Object.entries(loops)) {
        const recalled = recall(trial, order, params);
        const { units, right, error } = recalled;
        const own = { errors: training.errors, kind, order, circuit, units, right };
        lines.push({ seed, label, ...own, cued: trial.error, recalled: error });
        const first = seed === 1 && label === Object.keys(rules)[0] && kind === 'ring' && circuit === 'M and K';
        const shown = first && order.every((unit, s) => unit === drawn[s % segments].unit);
        if (values.figure && shown) draw(trial, recalled, values.figure);
      }
    }
    experiment.close();
    const rings = new Map(
      ofRings(label)
        .at(-1)
        .map(({ order, recalled }) => [order.join(), recalled]),
    );
    ratios.push({
      seed,
      label,
      ratios: windows.map((count) => {
        const last = done.slice(-count);
        return mean(last.map(({ order }) => rings.get(order))) / mean(last.map(({ error }) => error));
      }),
    });
  }
}

const shown = marks.filter((pass) => pass <= Number(values.passes));
const heads = shown.map((pass) => `after ${pass}`).join(' | ');
const overOrders = (seeds, name) => seeds.map((own) => mean(own.map((line) => line[name])));
console.log(`| rule | ${heads} | eight segments, cued | recalled | the worst order |`);
console.log(`|---|${'---|'.repeat(shown.length + 3)}`);
for (const label of Object.keys(rules)) {
  const seeds = ofRings(label);
  const columns = shown.map((_, at) =>
    summary(
      seeds.map(([{ errors }]) => errors[at]),
      3,
    ),
  );
  columns.push(...['cued', 'recalled'].map((name) => summary(overOrders(seeds, name), 3)));
  columns.push(
    summary(
      seeds.map((own) => Math.max(...own.map(({ recalled }) => recalled))),
      3,
    ),
  );
  console.log(`| ${label} | ${columns.join(' | ')} |`);
}
console.log(`\n| rule | ${windows.map((count) => `last ${count} passes`).join(' | ')} |`);
console.log(`|---|${'---|'.repeat(windows.length)}`);
for (const label of Object.keys(rules)) {
  const own = ratios.filter((line) => line.label === label);
  const columns = windows.map((_, at) => own.map((line) => line.ratios[at].toFixed(3)).join(' '));
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
  const whole = [...lines.filter(({ circuit }) => circuit === 'M and K'), ...ratios];
  const text = whole.map((line) => `${JSON.stringify(line, (_, value) => round(value))}\n`).join('');
  writeFileSync(values.out, text);
}
