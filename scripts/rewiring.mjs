// What rewiring is worth on (4,6)-back: few recurrent synapses that may move, the same that may not, and all of them.
//
//     npm run build && node scripts/rewiring.mjs [--seeds 3] [--rules e-prop-1,sg-r-d]
//
// Expected loss on fresh symbols after the whole training, mean and each seed, and how many of the first synapses are left.
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { mean } from './seedTable.mjs';

const recurrent = 'network.recurrent.';
const sparse = (p) => `${recurrent}connectivity={"kind":"probability","p":${p}}`;
const deepR = (l1) => `${recurrent}rewiring={"kind":"deep-r","l1":${l1}}`;

/** Every setting as a name and a list of `path=value`. */
function settings() {
  return [
    ['all synapses', []],
    ...[0.1, 0.2].flatMap((p) => [
      [`${p}, fixed`, [sparse(p)]],
      ...[3e-5, 1e-4, 3e-4].map((l1) => [`${p}, DEEP R, l1 ${l1}`, [sparse(p), deepR(l1)]]),
      [`${p}, prune and regrow`, [sparse(p), `${recurrent}rewiring={"kind":"prune-regrow","every":1000}`]],
    ]),
  ];
}

function run(set, seed) {
  const experiment = createExperiment(applySettings(preset('four-six-back'), [...set, `seed=${seed}`]), catalogue);
  const { rec } = experiment.run.network.weights;
  const first = rec.map((w) => (w === 0 ? 0 : 1));
  experiment.train();
  const { expectedLoss } = experiment.evaluate();
  experiment.close();
  const left = rec.filter((w, s) => w !== 0 && first[s] === 1).length;
  return { loss: expectedLoss, left: left / first.filter((one) => one === 1).length };
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '3' }, rules: { type: 'string', default: 'e-prop-1,sg-r-d' } },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, k) => k + 1);
console.log(
  `| rule | recurrent synapses | mean | ${seeds.map((seed) => `seed ${seed}`).join(' | ')} | of the first left |`,
);
console.log(`|${'---|'.repeat(seeds.length + 4)}`);
for (const rule of values.rules.split(',')) {
  for (const [name, set] of settings()) {
    const runs = seeds.map((seed) => run([`rule={"name":"${rule}"}`, ...set], seed));
    const losses = runs.map(({ loss }) => loss);
    const left = `${Math.round(100 * mean(runs.map((of) => of.left)))} %`;
    const row = [mean(losses), ...losses].map((loss) => loss.toFixed(4));
    console.log(`| ${rule} | ${name} | ${row.join(' | ')} | ${left} |`);
  }
}
