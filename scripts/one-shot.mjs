// What one update by learned signals is worth on `one-shot-patterns`, against no signal and e-prop 1 in its place.
//
//     npm run build && node scripts/one-shot.mjs [--seeds 3] [--jobs 2] [--out docs/results/one-shot.jsonl] [--figure docs/figures/one-shot.png]
//
// Cells that FILE has already are not run again; the table is of all that it has. `--figure` trains seed 1 and draws fresh trials.
import { fork } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { runTrial, updateWeights } from '../dist/src/engine/run.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { rowsIn } from './seedTable.mjs';

const name = 'one-shot-patterns';
const iterations = 500;
const fresh = 480;
const constant = 'optimizer.schedule={"kind":"constant"}';
const rules = {
  'e-prop 2, full': [constant],
  'e-prop 2, full, rates fall': [],
  'e-prop 2, first order': [constant, 'rule.gradient=first-order'],
  'no signal': [constant, 'rule.rate=0'],
  'e-prop 1, rate 3e-4': 3e-4,
  'e-prop 1, rate 1e-3': 1e-3,
  'e-prop 1, rate 3e-3': 3e-3,
};

const sum = (list) => list.reduce((total, value) => total + value, 0);

/** Squared errors over squares of the targets, of the 30 iterations before every hundredth. */
function curveOf(errors, powers) {
  return [100, 200, 300, 400, 500].map((end) => sum(errors.slice(end - 30, end)) / sum(powers.slice(end - 30, end)));
}

/** The preset itself, with some settings. */
function learned(settings, seed) {
  const experiment = createExperiment(applySettings(preset(name), [...settings, `seed=${seed}`]), catalogue);
  const errors = [];
  const powers = [];
  experiment.train({
    listener(event) {
      if (event.type !== 'trial') return;
      errors.push(2 * event.lossPerStep);
      powers.push((2 * event.lossPerStep) / event.own.nmse);
    },
  });
  const { own } = experiment.evaluate({ total: fresh });
  return { experiment, row: { curve: curveOf(errors, powers), nmse: own.nmse, nmseBefore: own.nmseBefore } };
}

/**
 * The same network without a module: one update of e-prop 1 with random feedback in each trial, the error as it is, and the initial
 * weights and the readout by first-order gradients of a second trial, as many trials to an update and the same optimiser.
 */
function taught(rate, seed) {
  const { network, ...given } = preset(name);
  const { module: _module, ...populations } = network.populations;
  const { in: into, rec } = network.projections;
  const build = (own) => {
    const whole = {
      ...given,
      seed,
      backend: 'reference',
      network: { ...network, populations, projections: { in: into, rec } },
      ...own,
    };
    return createExperiment(whole, catalogue);
  };
  const { streams, total } = given.training;
  const { rates, schedule: _schedule, ...optimizer } = given.optimizer;
  const inner = build({
    rule: { name: 'e-prop-1', feedback: 'random' },
    loss: { kind: 'square', scale: 'sum' },
    rateTerm: {},
    optimizer: { kind: 'sgd', rates: { in: rate, rec: rate, out: 0 } },
    training: { total },
  });
  const outer = build({
    rule: { name: 'bptt', reset: 'attached' },
    optimizer: { ...optimizer, rates: { in: rates.in, rec: rates.rec, out: rates.out } },
    training: { total },
  });
  const blocks = Object.keys(outer.run.network.weights);
  const copy = (to, from) => {
    for (const block of blocks) to[block].set(from[block]);
  };
  const first = Object.fromEntries(blocks.map((block) => [block, Float64Array.from(outer.run.network.weights[block])]));
  const steps = outer.run.network.spec.sizes.step;
  /** One trial of an experiment; its squared error and the square of its target. */
  const trial = ({ run, feed }, index, options) => {
    run.clock.trial = index;
    feed.fill(steps);
    runTrial(run, steps, options);
    const { y, target } = run.network.trial;
    return {
      error: sum(Array.from(y.data, (value, t) => (value - target.data[t]) ** 2)),
      power: sum(Array.from(target.data, (value) => value ** 2)),
    };
  };
  const both = (index, learn) => {
    copy(inner.run.network.weights, first);
    const before = trial(inner, index, { learn: true });
    copy(outer.run.network.weights, inner.run.network.weights);
    return { before, after: trial(outer, index, learn ? { learn: true, freeze: true } : { learn: false }) };
  };
  const errors = [];
  const powers = [];
  for (let n = 0; n < iterations; n++) {
    const trials = Array.from({ length: streams }, (_, k) => both(n * streams + k, true).after);
    copy(outer.run.network.weights, first);
    updateWeights(outer.run, streams, 0);
    copy(first, outer.run.network.weights);
    errors.push(sum(trials.map(({ error }) => error)));
    powers.push(sum(trials.map(({ power }) => power)));
  }
  // Trials that come after all that it has been trained on.
  const tests = Array.from({ length: fresh }, (_, k) => both(iterations * streams + k, false));
  const ratio = (when) => sum(tests.map((test) => test[when].error)) / sum(tests.map((test) => test[when].power));
  return { curve: curveOf(errors, powers), nmse: ratio('after'), nmseBefore: ratio('before') };
}

function run({ rule, seed }) {
  const began = performance.now();
  const own = rules[rule];
  const row = typeof own === 'number' ? taught(own, seed) : learned(own, seed).row;
  return { rule, seed, ...row, seconds: Math.round((performance.now() - began) / 1000) };
}

/** Target, and output before and after the update, of fresh trials. */
async function draw(path) {
  const { renderStacked } = await import('../dist/src/plot/index.js');
  const { experiment } = learned(rules['e-prop 2, full'], 1);
  const { run: watched, feed } = experiment.observer(4);
  const { sizes } = watched.network.spec;
  const { y, target } = watched.network.trial;
  feed.fill(sizes.step);
  let before = y.data;
  runTrial(watched, sizes.step, {
    learn: false,
    onStep(t) {
      if (t === sizes.step - 1) before = Float64Array.from(y.data);
    },
  });
  const panels = Array.from({ length: sizes.stream }, (_, b) => {
    const own = (data) => Array.from(data.subarray(b * sizes.step, (b + 1) * sizes.step));
    return {
      kind: 'lines',
      label: `pattern ${b + 1}`,
      zeroLine: true,
      series: [
        { label: 'shown once', values: own(target.data), dashed: true },
        { label: 'before the update', values: own(before) },
        { label: 'after it', values: own(y.data) },
      ],
    };
  });
  const title = 'Fresh patterns before and after one update, e-prop 2';
  writeFileSync(
    path,
    renderStacked({ title, dtMs: 1, steps: sizes.step, panels }, { width: 700, height: 620, scale: 1 }),
  );
}

function table(rows) {
  console.log('| rule | seeds | after 100 | 200 | 300 | 400 | 500 | fresh trials | before the update |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  const span = (list) => {
    const [low, high] = [Math.min(...list), Math.max(...list)].map((value) => value.toFixed(3));
    const mean = (sum(list) / list.length).toFixed(3);
    return list.length === 1 ? mean : `${mean} (${low}-${high})`;
  };
  for (const rule of Object.keys(rules)) {
    const own = rows.filter((row) => row.rule === rule);
    if (own.length === 0) continue;
    const curve = [0, 1, 2, 3, 4].map((at) => (sum(own.map((row) => row.curve[at])) / own.length).toFixed(3));
    console.log(
      `| ${[rule, own.length, ...curve, span(own.map((row) => row.nmse)), span(own.map((row) => row.nmseBefore))].join(' | ')} |`,
    );
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '3' },
      jobs: { type: 'string', default: '2' },
      rules: { type: 'string', default: '' },
      out: { type: 'string', default: 'docs/results/one-shot.jsonl' },
      figure: { type: 'string' },
    },
  });
  if (values.figure) return draw(values.figure);
  const read = () => rowsIn(values.out);
  const done = new Set(read().map(({ rule, seed }) => `${rule} ${seed}`));
  const seeds = Array.from({ length: Number(values.seeds) }, (_, s) => s + 1);
  const queue = seeds
    .flatMap((seed) => Object.keys(rules).map((rule) => ({ rule, seed })))
    .filter(({ rule, seed }) => rule.includes(values.rules) && !done.has(`${rule} ${seed}`));
  const work = async () => {
    for (let cell = queue.shift(); cell; cell = queue.shift()) {
      const row = await new Promise((resolve, reject) => {
        const child = fork(import.meta.filename);
        child.once('message', resolve);
        child.once('exit', (code) => code !== 0 && reject(new Error(`a run ended with ${code}`)));
        child.send(cell);
      });
      appendFileSync(values.out, `${JSON.stringify(row)}\n`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  table(read());
}

if (process.send) {
  process.once('message', (cell) => {
    process.send(run(cell), () => process.disconnect());
  });
} else await main();
