// Tables and heat maps of the study in fixed point, from what `scripts/fixed-point-study.mjs` has measured so far.
//
//     npm run build && node scripts/fixed-point-page.mjs [FILE] > tables.md
import { readFileSync, writeFileSync } from 'node:fs';
import { renderHeatMap } from '../dist/src/plot/index.js';

const file = process.argv[2] ?? 'docs/results/fixed-point-study.jsonl';
const cells = readFileSync(file, 'utf8').trim().split('\n').map(JSON.parse);
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
const find = (want) => cells.filter((cell) => Object.entries(want).every(([name, value]) => cell[name] === value));
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

const lossOf = (want) => {
  const losses = lossesOf(want);
  return losses.length === 0 || losses.includes(null) ? Number.NaN : mean(losses);
};

for (const [task, digits] of [
  ['four-six-back', 4],
  ['pattern-generation', 4],
]) {
  if (find({ task }).length === 0) continue;
  const rules = [...new Set(find({ task }).map(({ rule }) => rule))].filter((rule) => names[rule]);
  const control = lossOf({ task, rule: 'readout-only' });
  console.log(
    `\n## ${task}\n\nControl without learning in the network: ${told({ task, rule: 'readout-only' }, digits)}.\n`,
  );
  for (const rule of rules) {
    const best = lossOf({ task, rule, ...float });
    console.log(`### ${names[rule]}\n\nFloating point: ${told({ task, rule, ...float }, digits)}.\n`);
    console.log(
      `| weights | rounding | ${traces.map((bits) => `traces ${bits} bit`).join(' | ')} | gain kept at 12 bit |`,
    );
    console.log(`|---|---|${traces.map(() => '---|').join('')}---|`);
    for (const rounding of roundings) {
      for (const bits of weights) {
        const want = { task, rule, weights: bits, rounding };
        const kept = (control - lossOf({ ...want, traces: 12 })) / (control - best);
        const row = traces.map((width) => told({ ...want, traces: width }, digits));
        console.log(
          `| ${bits} | ${rounding} | ${row.join(' | ')} | ${Number.isNaN(kept) ? '–' : `${Math.round(100 * kept)} %`} |`,
        );
      }
    }
    console.log('');
  }
  const panels = roundings.flatMap((rounding) =>
    rules.map((rule) => ({
      label: `${names[rule]}, ${rounding === 'nearest' ? 'to nearest' : rounding}`,
      values: weights.flatMap((bits) =>
        traces.map((width) => lossOf({ task, rule, weights: bits, rounding, traces: width })),
      ),
    })),
  );
  const best = Math.min(...rules.map((rule) => lossOf({ task, rule, ...float })));
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
