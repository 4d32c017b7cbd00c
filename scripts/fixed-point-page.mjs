// Tables and heat maps of the study in fixed point, from what `scripts/fixed-point-study.mjs` has measured so far.
//
//     npm run build && node scripts/fixed-point-page.mjs [FILE] > tables.md
import { readFileSync, writeFileSync } from 'node:fs';
import { demandOf, deploy, profiles } from '../dist/hardware/index.js';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { renderHeatMap } from '../dist/src/plot/index.js';

const file = process.argv[2] ?? 'docs/results/fixed-point-study.jsonl';
const cells = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => ({ every: 1, ...JSON.parse(line) }));
const weights = [16, 8, 6, 4];
const traces = [16, 12, 8];
const roundings = ['stochastic', 'nearest'];
const names = {
  'sg-r-d-lean': 'lean SG-r/D',
  'sg-r-d': 'SG-r/D',
  'e-prop-1': 'e-prop 1',
  rflo: 'RFLO',
  'sg-v': 'SG-v',
};

const mean = (values) => (values.length > 0 ? values.reduce((sum, x) => sum + x, 0) / values.length : Number.NaN);
const find = (want) =>
  cells.filter((cell) => Object.entries({ every: 1, ...want }).every(([name, value]) => cell[name] === value));
const lossesOf = (want) => find(want).map(({ loss }) => loss);
const float = { weights: null, traces: null };

/** Mean, smallest and largest loss, and of how many seeds; `failed` where a run diverged. */
function told(want, digits) {
  const losses = lossesOf(want);
  if (losses.length === 0) return '–';
  if (losses.includes(null)) return `diverged (${losses.filter((loss) => loss === null).length} of ${losses.length})`;
  const [low, high] = [Math.min(...losses), Math.max(...losses)].map((loss) => loss.toFixed(digits));
  return `${mean(losses).toFixed(digits)} (${low}–${high}; ${losses.length})`;
}

const meanOf = (want) => {
  const losses = lossesOf(want);
  return losses.length === 0 || losses.includes(null) ? Number.NaN : mean(losses);
};

/** Share of what the rule gains over the control in floating point, over the seeds that all three have. */
function gainKept({ task, rule, ...cell }) {
  const bySeed = (want) => new Map(find({ task, ...want }).map(({ seed, loss }) => [seed, loss]));
  const [of, best, control] = [bySeed({ rule, ...cell }), bySeed({ rule, ...float }), bySeed({ rule: 'readout-only' })];
  const seeds = [...of.keys()].filter((seed) => best.has(seed) && control.has(seed) && of.get(seed) !== null);
  const sum = (losses) => seeds.reduce((total, seed) => total + losses.get(seed), 0);
  const gain = sum(control) - sum(best);
  return gain > 0 ? `${Math.round((100 * (sum(control) - sum(of))) / gain)} %` : '–';
}

for (const [task, digits] of [
  ['four-six-back', 4],
  ['pattern-generation', 4],
]) {
  if (find({ task }).length === 0) continue;
  const rules = [...new Set(find({ task }).map(({ rule }) => rule))].filter((rule) => names[rule]);
  const control = meanOf({ task, rule: 'readout-only' });
  console.log(
    `\n## ${task}\n\nControl without learning in the network: ${told({ task, rule: 'readout-only' }, digits)}.\n`,
  );
  for (const rule of rules) {
    console.log(`### ${names[rule]}\n\nFloating point: ${told({ task, rule, ...float }, digits)}.\n`);
    console.log(
      `| weights | rounding | ${traces.map((bits) => `traces ${bits} bit`).join(' | ')} | gain kept at 12 bit |`,
    );
    console.log(`|---|---|${traces.map(() => '---|').join('')}---|`);
    for (const rounding of roundings) {
      for (const bits of weights) {
        const want = { task, rule, weights: bits, rounding };
        const kept = gainKept({ ...want, traces: 12 });
        const row = traces.map((width) => told({ ...want, traces: width }, digits));
        console.log(`| ${bits} | ${rounding} | ${row.join(' | ')} | ${kept} |`);
      }
    }
    const sums = cells.filter((cell) => cell.task === task && cell.rule === rule && cell.every > 1);
    for (const every of new Set(sums.map((cell) => cell.every))) {
      console.log(
        `\nGradient summed over ${every} steps: ${told({ task, rule, every, ...float }, digits)} in floating point.\n`,
      );
      console.log('| weights | stochastic | gain kept | nearest | gain kept |\n|---|---|---|---|---|');
      for (const bits of weights.filter((width) => sums.some((sum) => sum.every === every && sum.weights === width))) {
        const columns = roundings.map((rounding) => {
          const want = { task, rule, every, weights: bits, rounding, traces: 12 };
          return `${told(want, digits)} | ${gainKept(want)}`;
        });
        console.log(`| ${bits} | ${columns.join(' | ')} |`);
      }
    }
    console.log('');
  }
  const panels = roundings.flatMap((rounding) =>
    rules.map((rule) => ({
      label: `${names[rule]}, ${rounding === 'nearest' ? 'to nearest' : rounding}`,
      values: weights.flatMap((bits) =>
        traces.map((width) => meanOf({ task, rule, weights: bits, rounding, traces: width })),
      ),
    })),
  );
  const best = Math.min(...rules.map((rule) => meanOf({ task, rule, ...float })));
  const png = renderHeatMap({
    panels,
    across: rules.length,
    rows: weights.map(String),
    columns: traces.map(String),
    rowTitle: 'weights, bit',
    columnTitle: 'traces and signals, bit',
    middle: control,
    limit: control - best,
    digits: 3,
    title: `${task}: loss in fixed point (white: without learning)`,
  });
  writeFileSync(`docs/results/fixed-point-${task}.png`, png);
}

const chips = profiles.filter(({ id }) => id !== 'ideal');
for (const task of ['four-six-back', 'pattern-generation']) {
  const rules = [...new Set(find({ task }).map(({ rule }) => rule))].filter((rule) => names[rule]);
  if (rules.length === 0) continue;
  console.log(`\n## Verdicts, ${task}\n\n| rule | ${chips.map(({ name }) => name).join(' | ')} |`);
  console.log(`|---|${chips.map(() => '---|').join('')}`);
  for (const rule of rules) {
    const { spec } = createExperiment({ ...preset(task), rule: { name: rule } }, catalogue).run.network;
    const demand = demandOf(spec);
    const cellsOf = chips.map((chip) => {
      const { verdict, reasons } = deploy(demand, chip);
      return verdict === 'fits'
        ? 'fits'
        : `${verdict === 'fits with' ? 'fits with' : 'no'}: ${reasons[0].split(':')[0]}`;
    });
    console.log(`| ${names[rule]} | ${cellsOf.join(' | ')} |`);
  }
}
