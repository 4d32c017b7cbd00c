// Weight and node perturbation against the theory of Zuege, Klos, Memmesheimer 2023 on a linear map.
//
//     npm run build && node scripts/perturbation.mjs [--seeds 5] [--figure docs/figures/perturbation.png]
//
// The mean loss E(n) of both rules after n trials, at the rate that is the fastest for each, and what the theory says:
//
//     E(n) = E' + (E(0) - E') q^n,     q = 1 - (active / inputs) / (M N + 2),     rate = 1 / ((M N + 2) power)
//
// M outputs; N inputs that noise acts on in a trial: all for weights, the active ones for nodes; E' = the part out of reach, once for
// weights, twice for nodes.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { renderLearningCurves } from '../dist/src/plot/index.js';
import { mean } from './seedTable.mjs';

const outputs = 10;
const inputs = 50;
/** The sheet of inputs has 100 places; their mean square makes all cases begin with the same loss. */
const powerOf = (active) => 100 / active;
const cases = [
  { name: 'all 50 inputs in every trial', active: 50, outOfReach: 0 },
  { name: '10 of 50 inputs in a trial', active: 10, outOfReach: 0 },
  { name: 'all 50, a part of 2 out of reach', active: 50, outOfReach: 2 },
  { name: '10 of 50, a part of 2 out of reach', active: 10, outOfReach: 2 },
];
const rules = [
  { name: 'weight-perturbation', short: 'WP' },
  { name: 'node-perturbation', short: 'NP' },
];
const marks = [500, 1000, 2000, 3999];
const trials = 4000;
const effective = 2e-4;

/** What the theory needs to know of a rule in a case. */
function constants({ name }, { active, outOfReach }) {
  const N = name === 'weight-perturbation' ? inputs : active;
  const rate = 1 / ((outputs * N + 2) * powerOf(active));
  const sigma = name === 'weight-perturbation' ? effective / Math.sqrt(powerOf(active) * active) : effective;
  const q = 1 - active / inputs / (outputs * N + 2);
  const end = name === 'weight-perturbation' ? outOfReach : 2 * outOfReach;
  return { rate, sigma, q, end };
}

/** Loss before each trial's update, and the theory's. */
function run(rule, setting, seed) {
  const { active, outOfReach } = setting;
  const { rate, sigma } = constants(rule, setting);
  const experiment = createExperiment(
    applySettings(preset('subtasks'), [
      `seed=${seed}`,
      `task.active=${active}`,
      `task.power=${powerOf(active)}`,
      `task.outOfReach=${outOfReach}`,
      `rule={"name":"${rule.name}","sigma":${sigma},"output":"perturbed"}`,
      `optimizer.rates.out=${rate}`,
      `training.total=${trials}`,
    ]),
    catalogue,
  );
  const losses = [];
  experiment.train({
    listener(event) {
      if (event.type === 'trial') losses.push(event.loss);
    },
  });
  experiment.close();
  return losses;
}

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '5' }, figure: { type: 'string' } } });
const seeds = Array.from({ length: Number(values.seeds) }, (_, k) => k + 1);
console.log(`| case | rule | | ${marks.map((n) => `after ${n}`).join(' | ')} |`);
console.log(`|${'---|'.repeat(marks.length + 3)}`);
const curves = [];
for (const setting of cases) {
  for (const rule of rules) {
    const { q, end } = constants(rule, setting);
    const start = 5 + setting.outOfReach;
    const theory = (n) => end + (start - end) * q ** n;
    const losses = seeds.map((seed) => run(rule, setting, seed));
    // A loss of few inputs is noisy from trial to trial.
    const around = (n) => mean(losses.map((one) => mean(one.slice(Math.max(0, n - 10), n + 10))));
    const row = (of) => marks.map((n) => of(n).toPrecision(3)).join(' | ');
    console.log(`| ${setting.name} | ${rule.short} | measured | ${row(around)} |`);
    console.log(`| | | theory | ${row(theory)} |`);
    curves.push({ setting, rule, losses, theory });
  }
}

/** One number for every twenty trials, so that a line can be seen. */
const smooth = (losses) => {
  const runs = Array.from({ length: trials / 20 }, (_, k) => losses.slice(20 * k, 20 * k + 20));
  return { x: runs.map((_, k) => 20 * k + 10), y: runs.map(mean) };
};
if (values.figure) {
  const panels = cases.map((setting) => ({
    label: setting.name,
    xLabel: 'trials',
    yLabel: 'loss',
    yAxis: 'log',
    legend: 'labels',
    bounds: [],
    groups: curves
      .filter((curve) => curve.setting === setting)
      .flatMap(({ rule, losses, theory }) => [
        { label: `${rule.short}, ${seeds.length} seeds`, runs: losses.map(smooth) },
        { label: `${rule.short}, theory`, runs: [{ x: smooth(losses[0]).x, y: smooth(losses[0]).x.map(theory) }] },
      ]),
  }));
  const title = 'Weight and node perturbation of a linear map';
  writeFileSync(values.figure, renderLearningCurves({ title, panels }, { width: 560, scale: 1 }));
}
