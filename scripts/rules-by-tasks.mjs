// Which rule learns which task: every preset below with each rule in its place, all else as the preset has it, and a frozen network beside them.
//
//     npm run build && node scripts/rules-by-tasks.mjs [--share 1] [--only REGEXP] [--seeds 3] [--out docs/results/tasks.jsonl]
//
// `--share`: of the preset's training. `--only`: of "preset, rule". Cells that FILE has already for this share are not run again; the tables are of all that it has of it:
// test error (share of wrong decisions, or loss per step where a task asks for a curve or states what is expected) on fresh trials with learning off, mean and
// range over seeds; how many standard errors of the difference the control is away, and the median time of a run. One run at a time.
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { mean, rowsIn, summary } from './seedTable.mjs';

const control = 'readout only';
const tasks = [
  'four-six-back',
  'pattern-generation',
  'periodic-output',
  'cued-segments',
  'store-recall',
  'temporal-xor',
  'match-to-sample',
  'interval-matching',
  'copy-repeat',
  'digits',
  'evidence',
];
const rules = {
  BPTT: { name: 'bptt', reset: 'attached' },
  'e-prop 1': { name: 'e-prop-1', feedback: 'symmetric' },
  'e-prop 1, random feedback': { name: 'e-prop-1', feedback: 'random' },
  'SG-r/D': { name: 'sg-r-d', feedback: 'random' },
  RFLO: { name: 'rflo', feedback: 'random' },
  [control]: { name: 'readout-only' },
};
/** Streams have no end, and BPTT needs one: as in docs/results/four-six-back.md. */
const windows = ['rule.window=16', 'rule.segment=8', 'training.update.every=8', 'training.chunkSteps=256'];
/** Rates have no reset. */
const ofRates = ['periodic-output', 'cued-segments'];
const settingsOf = (task, rule, share) => [
  `rule=${JSON.stringify(rule === 'BPTT' && ofRates.includes(task) ? { name: 'bptt' } : rules[rule])}`,
  ...(task === 'four-six-back' && rule === 'BPTT' ? windows : []),
  `training.total=${wholeBatches(preset(task).training, share)}`,
];
const wholeBatches = ({ total, streams = 1 }, share) => streams * Math.max(1, Math.round((total * share) / streams));

function run(name, settings, seed) {
  const experiment = createExperiment(applySettings(preset(name), [...settings, `seed=${seed}`]), catalogue);
  const start = performance.now();
  try {
    experiment.train();
  } catch (error) {
    if (error.name !== 'DivergenceError') throw error;
    const diverged = { error: null, lossPerStep: null, rateHz: null };
    return { ...diverged, seconds: Math.round((performance.now() - start) / 1000) };
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  const { accuracy, expectedLoss, lossPerStep, rateHz } = experiment.evaluate();
  experiment.close();
  const error = expectedLoss ?? (accuracy === null ? lossPerStep : 1 - accuracy);
  return { error, lossPerStep, rateHz, seconds };
}

/** How many standard errors of their difference two lists of errors are apart. */
function standardErrorsBetween(a, b) {
  const variance = (list) => list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1) / list.length;
  return (mean(b) - mean(a)) / Math.sqrt(variance(a) + variance(b));
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '3' },
    out: { type: 'string', default: 'docs/results/tasks.jsonl' },
  },
});
const share = Number(values.share);
const rows = rowsIn(values.out).filter((row) => (row.share ?? 1) === share);
const cells = tasks.flatMap((task) => Object.keys(rules).map((rule) => ({ task, rule, label: `${task}, ${rule}` })));
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  for (const { task, rule } of cells.filter(({ label }) => new RegExp(values.only).test(label))) {
    if (rows.some((row) => row.task === task && row.rule === rule && row.seed === seed)) continue;
    const row = { task, rule, seed, share, ...run(task, settingsOf(task, rule, share), seed) };
    rows.push(row);
    appendFileSync(values.out, `${JSON.stringify(row)}\n`);
  }
}

const of = (task, rule) => rows.filter((row) => row.task === task && row.rule === rule);
/** NaN where a training diverged. */
const errorsOf = (task, rule) => of(task, rule).map(({ error }) => error ?? Number.NaN);
const digitsOf = (task) => (['pattern-generation', 'periodic-output', 'interval-matching'].includes(task) ? 4 : 3);
console.log(`| preset | ${Object.keys(rules).join(' | ')} |`);
console.log(
  `|---|${Object.keys(rules)
    .map(() => '---|')
    .join('')}`,
);
for (const task of tasks) {
  const shown = Object.keys(rules).map((rule) => {
    const errors = errorsOf(task, rule);
    if (errors.length === 0) return '–';
    const own = errors.every(Number.isFinite) ? mean(errors).toFixed(digitsOf(task)) : 'diverged';
    const apart = standardErrorsBetween(errors, errorsOf(task, control));
    return rule !== control && apart > 3 ? `**${own}**` : own;
  });
  console.log(`| \`${task}\` | ${shown.join(' | ')} |`);
}
console.log('\n| preset | rule | seeds | test error | standard errors below the control | rate (Hz) | seconds |');
console.log('|---|---|---|---|---|---|---|');
for (const { task, rule } of cells) {
  const [own, frozen] = [errorsOf(task, rule), errorsOf(task, control)];
  if (own.length === 0) continue;
  const apart =
    rule === control || own.length < 2 || frozen.length < 2 ? '–' : standardErrorsBetween(own, frozen).toFixed(0);
  if (!own.every(Number.isFinite)) {
    const lost = own.filter((error) => !Number.isFinite(error)).length;
    console.log(`| \`${task}\` | ${rule} | ${own.length} | diverged in ${lost} of ${own.length} | – | – | – |`);
    continue;
  }
  const [rate, seconds] = ['rateHz', 'seconds'].map((name) => median(of(task, rule).map((row) => row[name])));
  console.log(
    `| \`${task}\` | ${rule} | ${own.length} | ${summary(own, digitsOf(task))} | ${apart} | ${rate.toFixed(0)} | ${seconds} |`,
  );
}
