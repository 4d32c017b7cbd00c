// What windows, traces across them and synthetic gradients are worth where a bit has to be kept for several windows: store-recall.
//
//     npm run build && node scripts/eprop-3-recall.mjs [--seeds 5] [--rules REGEXP] [--iterations 200] [--out FILE]
//
// Prints a table of the share of wrong recalls after 50, 100, 150 and 200 iterations, each the mean of the ten iterations before, the
// first iteration at which the mean of five is below 5 %, and the relative error of the predictions over the ten iterations before
// those. `--rules`: of the labels. Runs that FILE has already for as many iterations are not run again; one at a time.
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { before, columns, rowsIn } from './seedTable.mjs';

const marks = [50, 100, 150, 200];

const windows = (own) => ({ name: 'e-prop-3', window: 20, ...own });

const rules = {
  BPTT: { name: 'bptt', reset: 'attached' },
  'traces kept, prediction 0': windows({ predicts: 'nothing' }),
  'e-prop 3, rate 0.05': windows({ rate: 0.05 }),
  'e-prop 3, spikes, rate 0.05': windows({ predicts: 'spikes', rate: 0.05 }),
  '20 hidden units, rate 0.05': windows({ rate: 0.05, hidden: 20 }),
  '20 hidden units, spikes, rate 0.05': windows({ predicts: 'spikes', rate: 0.05, hidden: 20 }),
  'truncated BPTT': { name: 'bptt', reset: 'attached', window: 20, segment: 20 },
  'e-prop 1': { name: 'e-prop-1', feedback: 'symmetric' },
  'readout only': { name: 'readout-only' },
};

/** The preset with its neurons in one population, half of which adapt: credit within a window stays in one. */
function configOf(rule, seed, iterations) {
  const { network, optimizer, training, ...rest } = preset('store-recall');
  const { alif } = network.populations;
  const rate = optimizer.rates['in-lif'];
  return {
    ...rest,
    seed,
    network: {
      dtMs: network.dtMs,
      neurons: 2 * alif.size,
      neuron: { ...alif.neuron, adaptiveShare: 0.5 },
      readout: network.readouts.out.readout,
    },
    rule,
    optimizer: { kind: 'adam', rates: { in: rate, rec: rate, out: rate } },
    // Weights change once a trial, so that traces may as well go backwards; what Psi learns is the same.
    training: {
      ...training,
      total: iterations * training.streams,
      execution: rule.name === 'e-prop-3' ? 'deferred' : 'auto',
    },
    evaluation: { total: training.streams, streams: training.streams },
  };
}

function run(rule, seed, iterations) {
  const experiment = createExperiment(configOf(rule, seed, iterations), catalogue);
  const errors = [];
  const wrong = [];
  const zero = [];
  const start = performance.now();
  experiment.train({
    listener(event) {
      if (event.type !== 'trial') return;
      errors.push(1 - event.accuracy);
      wrong.push(event.own.lossPsi ?? 0);
      zero.push(event.own.lossZero ?? 0);
    },
  });
  experiment.close();
  const after = marks.filter((end) => end <= iterations);
  const first = errors.findIndex((_, at) => at >= 4 && before(errors, at + 1, 5) < 0.05);
  const round = (list) => list.map((value) => (Number.isNaN(value) ? null : Number(value.toPrecision(5))));
  return {
    errors: round(after.map((end) => before(errors, end))),
    predictions: round(after.map((end) => before(wrong, end) / before(zero, end))),
    first: first < 0 ? 'never' : first + 1,
    seconds: Math.round((performance.now() - start) / 1000),
  };
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    rules: { type: 'string', default: '' },
    iterations: { type: 'string', default: '200' },
    out: { type: 'string', default: 'docs/results/eprop-3-recall.jsonl' },
  },
});
const iterations = Number(values.iterations);
const rows = rowsIn(values.out);
function rowOf(label, rule, seed) {
  const read = rows.find((row) => row.rule === label && row.seed === seed && row.iterations === iterations);
  if (read) return read;
  const row = { rule: label, seed, iterations, ...run(rule, seed, iterations) };
  appendFileSync(values.out, `${JSON.stringify(row)}\n`);
  return row;
}
const after = marks.filter((end) => end <= iterations);
const heads = after.map((end) => `after ${end}`);
console.log(`| rule | ${heads.join(' | ')} | first below 5 % | prediction error, ${heads.join(', ')} |`);
console.log(`|---|${'---|'.repeat(after.length + 2)}`);
for (const [label, rule] of Object.entries(rules)) {
  if (!new RegExp(values.rules).test(label)) continue;
  const runs = Array.from({ length: Number(values.seeds) }, (_, s) => rowOf(label, rule, s + 1));
  const predictions = runs[0].predictions[0] === null ? '–' : columns(runs, 'predictions', 2).join(', ');
  const firsts = runs.map(({ first }) => first).join(', ');
  console.log(`| ${label} | ${columns(runs, 'errors', 3).join(' | ')} | ${firsts} | ${predictions} |`);
}
