// Which rules still learn in fixed point: loss for every width of weights and of traces, with and without stochastic rounding.
//
//     npm run build && node scripts/fixed-point-study.mjs [--seeds 5] [--jobs 2] [--minutes 600] [--out FILE]
//
// Cells that FILE has already are not run again, so the study can be stopped and gone on with. `scripts/fixed-point-page.mjs`
// makes the tables and the figures.
import { fork } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fixed } from '../dist/src/backends/fixed/index.js';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { formattableFields } from '../dist/src/engine/network.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { rowsIn } from './seedTable.mjs';

/** Experiments, and the largest magnitude that each field has to hold: powers of two from runs in floating point. */
const slow = { 'optimizer.rates.in': 0.3, 'optimizer.rates.rec': 0.3 };
const tasks = {
  'four-six-back': {
    rules: { 'sg-r-d-lean': {}, 'e-prop-1': {}, rflo: {}, 'sg-v': slow, 'sg-r-d': {} },
    learned: {
      'projection.in': 4,
      'projection.rec': 0.5,
      'readout.out': (rule) => (rule.startsWith('sg-r-d') ? 2 : 0.5),
      'readout.out.bias': 0.5,
    },
    signal: { B: 0.5, A: 1 / 32, slowA: 1 / 32, J: 1, Jin: 2 },
    traces: {
      'projection.in.trace.eps': 2,
      'projection.rec.trace.eps': 2,
      'readout.out.zBar': 2,
      'population.rec.mean': 1,
    },
    psi: 1,
    steps: { 'readout.out.error': 1, 'population.rec.signal': 0.5, 'population.rec.rateTerm': 0.125 },
    distal: 0.5,
    membranes: { 'population.rec.v': 8, 'readout.out.u': 8, 'readout.out.y': 8 },
  },
  'pattern-generation': {
    // RFLO has no filter of presynaptic activity, whose sum over a membrane time constant its rates make up for.
    rules: { 'e-prop-1': {}, rflo: { 'optimizer.rates.in': 0.01, 'optimizer.rates.rec': 0.01 } },
    learned: { 'projection.in': 0.5, 'projection.rec': 0.5, 'readout.out': 1, 'readout.out.bias': 1 },
    signal: { B: 0.5 },
    traces: {
      'projection.in.trace.eps': 0.25,
      'projection.rec.trace.eps': 1,
      'projection.in.trace.eBar': (rule) => (rule === 'rflo' ? 1 / 16 : 1),
      'projection.rec.trace.eBar': (rule) => (rule === 'rflo' ? 1 / 16 : 1),
      'readout.out.zBar': 1,
    },
    psi: 16,
    steps: { 'readout.out.error': 2, 'population.rec.signal': 0.5, 'population.rec.rateTerm': 0.25 },
    distal: 1,
    membranes: { 'population.rec.v': 1, 'readout.out.u': 4, 'readout.out.y': 4 },
  },
};

const weightBits = [16, 8, 6, 4];
const traceBits = [16, 12, 8];
const roundings = ['stochastic', 'nearest'];

/** Rules whose gradient is also summed over so many steps, in accumulators that are wide enough, before it is rounded. */
const sums = [
  { every: 25, rules: ['sg-r-d-lean', 'e-prop-1', 'rflo'], weights: [8, 6, 4] },
  { every: 5, rules: ['sg-r-d-lean', 'e-prop-1', 'rflo'], weights: [8] },
];

/** All cells of one seed, those of the shorter task first. Pattern generation has one row and one column of the map. */
function cellsOf(seed) {
  const cells = [];
  for (const [task, { rules }] of Object.entries(tasks)) {
    cells.push({ task, rule: 'readout-only', weights: null, traces: null, rounding: null, seed });
    for (const rule of Object.keys(rules)) {
      cells.push({ task, rule, weights: null, traces: null, rounding: null, seed });
      const summed = task === 'four-six-back' ? sums.filter((sum) => sum.rules.includes(rule)) : [];
      for (const { every } of summed) {
        cells.push({ task, rule, weights: null, traces: null, rounding: null, every, seed });
      }
      for (const weights of weightBits) {
        for (const rounding of roundings) {
          for (const traces of traceBits) {
            const inCross = traces === 12 || (weights === 8 && rounding === 'stochastic');
            if (task === 'four-six-back' || inCross) cells.push({ task, rule, weights, traces, rounding, seed });
            for (const sum of summed) {
              const { every } = sum;
              if (traces === 12 && sum.weights.includes(weights)) {
                cells.push({ task, rule, weights, traces, rounding, every, seed });
              }
            }
          }
        }
      }
    }
  }
  return cells;
}

const rangeOf = (range, rule) => (typeof range === 'function' ? range(rule) : range);

function formatsOf({ task, rule, weights, traces, rounding }, names) {
  const { learned, signal, traces: kept, psi, steps, distal, membranes } = tasks[task];
  const all = {};
  const put = (field, bits, range, how, signed = true) => {
    if (names.includes(field)) all[field] = { bits, range: rangeOf(range, rule), rounding: how, signed };
  };
  for (const [name, range] of Object.entries(learned)) put(`${name}.weights`, weights, range, rounding);
  const ofSignal = (name) => `population.rec.signal.${name}`;
  for (const [name, range] of Object.entries(signal)) put(ofSignal(name), weights, range, rounding);
  for (const [name, range] of Object.entries(kept)) put(name, traces, range, rounding, false);
  for (const [name, range] of Object.entries(steps)) put(name, traces, range, 'nearest');
  for (const name of ['distal', 'q']) put(ofSignal(name), traces, distal, 'nearest');
  for (const name of ['population.rec.psi', ofSignal('psi')]) put(name, traces, psi, 'nearest', false);
  for (const [name, range] of Object.entries(membranes)) put(name, 16, range, 'nearest');
  return all;
}

function experimentOf(cell) {
  const raw = { ...preset(cell.task), seed: cell.seed, rule: { name: cell.rule } };
  for (const [path, value] of Object.entries(tasks[cell.task].rules[cell.rule] ?? {})) {
    const [, , name] = path.split('.');
    raw.optimizer = { ...raw.optimizer, rates: { ...raw.optimizer.rates, [name]: value } };
  }
  if (cell.every) raw.training = { ...raw.training, update: { every: cell.every, unit: 'step' } };
  if (cell.weights === null) return createExperiment(raw, catalogue);
  const bare = { ...raw, backend: 'fixed', fixed: { formats: {}, seed: cell.seed } };
  const names = formattableFields(createExperiment(bare, catalogue).run.network.spec, fixed);
  return createExperiment({ ...bare, fixed: { formats: formatsOf(cell, names), seed: cell.seed } }, catalogue);
}

/** One trained cell: its loss on fresh data, and what became of the updates of W_rec. A run that diverges has no loss. */
function run(cell) {
  const experiment = experimentOf(cell);
  try {
    experiment.train();
    const { expectedLoss, lossPerStep, rateHz } = experiment.evaluate();
    const all = experiment.run.stages.statistics?.() ?? [];
    const { tried, fired } = all.find(({ field }) => field === 'projection.rec.weights') ?? {};
    const saturated = Object.fromEntries(all.filter((s) => s.saturated > 0).map((s) => [s.field, s.saturated]));
    const told = tried === undefined ? {} : { fired: fired / tried, saturated };
    return { ...cell, loss: expectedLoss ?? lossPerStep, rateHz, ...told };
  } catch (error) {
    return { ...cell, loss: null, failed: error.message };
  } finally {
    experiment.close();
  }
}

/** What is done first where time is short: one row and one column of every map, for all seeds. */
function turnOf({ task, rule, weights, traces, rounding }) {
  const inCross = weights === null || traces === 12 || (weights === 8 && rounding === 'stochastic');
  if (!inCross) return 2;
  return task === 'four-six-back' && rule !== 'sg-r-d' ? 0 : 1;
}

const key = ({ task, rule, weights, traces, rounding, every = 1, seed }) =>
  [task, rule, weights, traces, rounding, every, seed].join(' ');

function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '5' },
      jobs: { type: 'string', default: '2' },
      minutes: { type: 'string', default: '600' },
      out: { type: 'string', default: 'docs/results/fixed-point-study.jsonl' },
    },
  });
  const done = new Set(rowsIn(values.out).map(key));
  const seeds = Array.from({ length: Number(values.seeds) }, (_, s) => s + 1);
  const cells = seeds.flatMap(cellsOf).filter((cell) => !done.has(key(cell)));
  cells.sort((a, b) => turnOf(a) - turnOf(b));
  const end = Date.now() + 60_000 * Number(values.minutes);
  let next = 0;
  const feed = (worker) => {
    if (next < cells.length && Date.now() < end) worker.send(cells[next++]);
    else worker.disconnect();
  };
  for (let w = 0; w < Number(values.jobs); w++) {
    const worker = fork(process.argv[1], ['--worker']);
    worker.on('message', (result) => {
      appendFileSync(values.out, `${JSON.stringify(result)}\n`);
      console.log(`${key(result)}: ${result.loss?.toFixed(4) ?? result.failed}`);
      feed(worker);
    });
    feed(worker);
  }
}

if (process.argv[2] === '--worker') process.on('message', (cell) => process.send(run(cell)));
else main();
