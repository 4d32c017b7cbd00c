// What windows, traces across them and synthetic gradients are worth on pattern generation.
//
//     npm run build && node scripts/eprop-3-patterns.mjs [--seeds 5] [--rules text]
//
// Prints a table of the normalised squared error after 50, 100, 200 and 500 iterations, each the mean of the ten iterations before,
// and of the relative error of the predictions over the same iterations. `--rules`: only rules whose label holds the text.
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { before, columns } from './seedTable.mjs';

const after = [50, 100, 200, 500];
const window = 20;
const windows = (own) => ({ name: 'e-prop-3', window, ...own });

const rules = {
  BPTT: { name: 'bptt', reset: 'attached' },
  'traces kept, prediction 0': windows({ predicts: 'nothing' }),
  'e-prop 3, rate 0.2': windows({ rate: 0.2 }),
  'e-prop 3, rate 0.05': windows({ rate: 0.05 }),
  'e-prop 3, rate 0.01': windows({ rate: 0.01 }),
  'e-prop 3, spikes, rate 0.2': windows({ predicts: 'spikes', rate: 0.2 }),
  'e-prop 3, spikes, rate 0.05': windows({ predicts: 'spikes', rate: 0.05 }),
  'e-prop 3, spikes, rate 0.01': windows({ predicts: 'spikes', rate: 0.01 }),
  '20 hidden units, rate 0.2': windows({ rate: 0.2, hidden: 20 }),
  '20 hidden units, rate 0.05': windows({ rate: 0.05, hidden: 20 }),
  '20 hidden units, spikes, rate 0.2': windows({ predicts: 'spikes', rate: 0.2, hidden: 20 }),
  '20 hidden units, spikes, rate 0.05': windows({ predicts: 'spikes', rate: 0.05, hidden: 20 }),
  'Jaderberg, rate 0.05': windows({ rate: 0.05, traces: 'none' }),
  'truncated BPTT': windows({ predicts: 'nothing', traces: 'none' }),
  'e-prop 1': { name: 'e-prop-1', feedback: 'symmetric' },
  'readout only': { name: 'readout-only' },
};

function configOf(rule, seed) {
  const rate = 3e-3;
  return {
    name: 'patterns',
    seed,
    backend: 'reference',
    task: { kind: 'pattern-generation', steps: 300, inputs: 30, inputRateHz: 50 },
    network: {
      neurons: 60,
      neuron: { kind: 'lif', membrane: { tauMs: 20 }, vTh: 0.6, nRef: 3 },
      readout: { kind: 'leaky', filter: { tauMs: 20 }, bias: false },
    },
    rule,
    loss: { kind: 'square' },
    optimizer: { kind: 'adam', rates: { in: rate, rec: rate, out: rate } },
    training: { total: after[after.length - 1] },
    evaluation: { total: 1, streams: 1 },
  };
}

function run(rule, seed) {
  const experiment = createExperiment(configOf(rule, seed), catalogue);
  const losses = [];
  const wrong = [];
  const zero = [];
  experiment.train({
    listener(event) {
      if (event.type !== 'trial') return;
      losses.push(event.lossPerStep);
      wrong.push(event.own.lossPsi ?? 0);
      zero.push(event.own.lossZero ?? 0);
    },
  });
  const { data } = experiment.run.network.trial.target;
  const power = data.reduce((sum, value) => sum + value * value, 0) / data.length;
  return {
    errors: after.map((end) => (2 * before(losses, end)) / power),
    predictions: after.map((end) => before(wrong, end) / before(zero, end)),
  };
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '5' }, rules: { type: 'string', default: '' } },
});

console.log(
  `| rule | ${after.map((end) => `after ${end}`).join(' | ')} | prediction error, after ${after.join(', ')} |`,
);
console.log(`|---|${'---|'.repeat(after.length + 1)}`);
for (const [label, rule] of Object.entries(rules)) {
  if (!label.includes(values.rules)) continue;
  const runs = Array.from({ length: Number(values.seeds) }, (_, s) => run(rule, s + 1));
  const told = Number.isNaN(runs[0].predictions[0]) ? '–' : columns(runs, 'predictions', 2).join(', ');
  console.log(`| ${label} | ${columns(runs, 'errors', 4).join(' | ')} | ${told} |`);
}
