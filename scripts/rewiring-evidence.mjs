// Few synapses on evidence accumulation: a tenth of the pairs, which move by DEEP R or stay, and all of them.
//
//     npm run build && node scripts/rewiring-evidence.mjs [--seeds 3] [--first 1] [--iterations 450] [--l1 0.003] [--rate 0.01] [--only text]
//
// A row for each run: share of wrong decisions in 1024 fresh trials, the first iteration at which the mean of ten is below 7 %, the mean of
// every fifty iterations, and how many synapses there were at the least and at the most after an update.
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { mean } from './seedTable.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    first: { type: 'string', default: '1' },
    iterations: { type: 'string', default: '450' },
    l1: { type: 'string', default: '0.003' },
    rate: { type: 'string', default: '0.01' },
    only: { type: 'string', default: '' },
  },
});
const iterations = Number(values.iterations);
const connectivity = { kind: 'probability', p: 0.1 };
const kinds = {
  all: {},
  '0.1, DEEP R': { connectivity, rewiring: { kind: 'deep-r', l1: Number(values.l1) } },
  '0.1, fixed': { connectivity },
};

function run(own, seed) {
  const config = preset('evidence');
  const names = Object.keys(config.network.projections);
  for (const name of names) {
    Object.assign(config.network.projections[name], own);
    // Few synapses take larger steps: with the preset's rate of all of them they learn later.
    if (own.connectivity) config.optimizer.rates[name] = Number(values.rate);
  }
  config.seed = seed;
  config.training.total = iterations * config.training.streams;
  const experiment = createExperiment(config, catalogue);
  const weightsOf = () => names.map((name) => experiment.run.network.weights[name]);
  const present = () => weightsOf().flatMap((weights) => Array.from(weights, (w) => w !== 0));
  const start = present();
  const errors = [];
  const counts = [];
  experiment.train({
    listener(event) {
      if (event.type !== 'trial') return;
      errors.push(1 - event.accuracy);
      let count = 0;
      for (const weights of weightsOf()) for (const w of weights) if (w !== 0) count++;
      counts.push(count);
    },
  });
  const { accuracy } = experiment.evaluate();
  const end = present();
  experiment.close();
  const left = start.filter((one, s) => one && end[s]).length / start.filter((one) => one).length;
  return { error: 1 - accuracy, errors, counts, left };
}

const before = (list, end, n) => mean(list.slice(end - n, end));

console.log('| synapses | seed | test error | first below 7 % | every 50 iterations | count | of the first left |');
console.log('|---|---|---|---|---|---|---|');
for (let seed = Number(values.first); seed < Number(values.first) + Number(values.seeds); seed++) {
  for (const [label, own] of Object.entries(kinds)) {
    if (!label.includes(values.only)) continue;
    const { error, errors, counts, left } = run(own, seed);
    const first = errors.findIndex((_, at) => at >= 9 && before(errors, at + 1, 10) < 0.07);
    const course = errors.flatMap((_, at) => ((at + 1) % 50 === 0 ? [before(errors, at + 1, 50).toFixed(3)] : []));
    const most = `${Math.min(...counts)}-${Math.max(...counts)}`;
    const told = [first < 0 ? 'never' : first + 1, course.join(' '), most, `${Math.round(100 * left)} %`];
    console.log(`| ${label} | ${seed} | ${error.toFixed(3)} | ${told.join(' | ')} |`);
  }
}
