// What e-prop 1 is worth on tasks that need a memory: the rule of a preset against a frozen network, and others beside it.
//
//     npm run build && node scripts/tasks-against-controls.mjs [--only REGEXP] [--seeds 3] [--out docs/results/tasks.jsonl]
//
// `--only`: of "preset, rule". Cells that FILE has already are not run again; the table is of all that it has: test error (share of wrong decisions, or loss per step where a
// task asks for a curve) on fresh trials with learning off, mean and range over seeds, how many standard errors of the difference the control
// is away, and the median time of a run. One run at a time.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { mean, summary } from './seedTable.mjs';

const control = 'readout only';
const ruleOf = (rule) => `rule=${JSON.stringify(rule)}`;
const both = {
  'e-prop 1': [],
  'e-prop 1, random feedback': ['rule.feedback=random'],
  [control]: [ruleOf({ name: 'readout-only' })],
};
const bptt = { BPTT: [ruleOf({ name: 'bptt', reset: 'attached' })] };

/** Settings of each rule, by preset. */
const studies = {
  'temporal-xor': { ...both, ...bptt },
  'match-to-sample': { ...both, ...bptt },
  'interval-matching': { ...both, ...bptt },
  'copy-repeat': { ...both, 'e-prop 1, all lengths from the start': ['task.lengthenEvery=null'], ...bptt },
  digits: { ...both, ...bptt },
};

function run(name, settings, seed) {
  const experiment = createExperiment(applySettings(preset(name), [...settings, `seed=${seed}`]), catalogue);
  const start = performance.now();
  experiment.train();
  const seconds = Math.round((performance.now() - start) / 1000);
  const { accuracy, lossPerStep, rateHz } = experiment.evaluate();
  experiment.close();
  return { error: accuracy === null ? lossPerStep : 1 - accuracy, lossPerStep, rateHz, seconds };
}

/** How many standard errors of their difference two lists of errors are apart. */
function standardErrorsBetween(a, b) {
  const variance = (list) => list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1) / list.length;
  return (mean(b) - mean(a)) / Math.sqrt(variance(a) + variance(b));
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '3' },
    out: { type: 'string', default: 'docs/results/tasks.jsonl' },
  },
});
const rows = existsSync(values.out) ? readFileSync(values.out, 'utf8').trim().split('\n').map(JSON.parse) : [];
const cells = Object.entries(studies).flatMap(([task, rules]) =>
  Object.entries(rules).map(([rule, settings]) => ({ task, rule, settings, label: `${task}, ${rule}` })),
);
for (const { task, rule, settings } of cells.filter(({ label }) => new RegExp(values.only).test(label))) {
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    if (rows.some((row) => row.task === task && row.rule === rule && row.seed === seed)) continue;
    const row = { task, rule, seed, ...run(task, settings, seed) };
    rows.push(row);
    appendFileSync(values.out, `${JSON.stringify(row)}\n`);
  }
}

console.log('| preset | rule | seeds | test error | standard errors below the control | rate (Hz) | seconds |');
console.log('|---|---|---|---|---|---|---|');
for (const { task, rule } of cells) {
  const of = (name) => rows.filter((row) => row.task === task && row.rule === name);
  const [own, frozen] = [of(rule), of(control)].map((found) => found.map(({ error }) => error));
  if (own.length === 0) continue;
  const apart =
    rule === control || own.length < 2 || frozen.length < 2 ? '–' : standardErrorsBetween(own, frozen).toFixed(0);
  const [rate, seconds] = ['rateHz', 'seconds'].map((name) => median(of(rule).map((row) => row[name])));
  const digits = task === 'interval-matching' ? 4 : 3;
  console.log(
    `| \`${task}\` | ${rule} | ${own.length} | ${summary(own, digits)} | ${apart} | ${rate.toFixed(0)} | ${seconds} |`,
  );
}
