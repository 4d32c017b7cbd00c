// Presets and what they reach: from the committed result files and the presets themselves.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mean } from '../../../scripts/seedTable.mjs';

const read = (path) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const short = (value) => `${Number(value.toPrecision(4))}`;

export async function writeRecipes(root, pages) {
  const at = (path) => import(join(root, 'dist/src/config', path));
  const [{ preset, presetNames }, { bound, recipes }] = await Promise.all([at('presets.js'), at('recipes.js')]);
  const results = new Map(read(join(root, 'docs/results/recipes.jsonl')).map((row) => [row.preset, row]));
  const rows = presetNames.map((name) => {
    const { task, rule, network } = preset(name);
    const { score, limit, seconds } = recipes[name];
    const { scores, seeds } = results.get(name);
    const side = bound(score);
    const strip = stripOf(
      scores,
      limit,
      `${name}: ${score} ${scores.map(short).join(', ')}, every seed ${side} ${limit}`,
    );
    const watch = readsFiles.has(task.kind)
      ? ''
      : `<br><a href="./playground/index.html#preset=${name}" target="_self">watch it learn</a>`;
    const reached = `**${short(mean(scores))}** ${score}<br>${seeds.length} seeds`;
    return `| \`${name}\`${watch} | ${reached} | ${strip}${side} ${limit} | ${rule.name}, ${task.kind}<br>${neuronsOf(network)} | ${seconds} s |`;
  });
  writeFileSync(
    join(pages, 'recipes.md'),
    page(rows, comparisonOf(read(join(root, 'docs/results/rules-by-tasks.jsonl')))),
  );
}

/** Tasks that need Node. */
const readsFiles = new Set(['recording', 'digits']);

const page = (rows, comparison) => `---
pageClass: wide-tables
---

# Recipes

Every preset of the package: a task, a network and a rule that were found to go together, and what comes out on fresh data with learning off. The numbers are those of
\`docs/results/recipes.jsonl\`; \`npm run recipes\` makes them again. *Watch* opens the preset in the playground, ready to be played.

| preset | reached | every seed | rule, task, neurons | one training |
|---|---|---|---|---|
${rows.join('\n')}

Dots are seeds, the tall line is what every seed keeps to. Any of them by its name:

    npx spiketrace train pattern-generation
    npx spiketrace list presets

## Rules beside each other

Rules on presets at half of their training, from \`docs/results/rules-by-tasks.jsonl\`: the test error that is left of that of a frozen network, whose readout alone learns.
Left of the line is better than not learning at all. A rule that is missing in a row diverged or was not run. Rates were chosen for e-prop 1; \`docs/results/rules-by-tasks.md\` has the numbers and what they say.

${comparison}
`;

function neuronsOf(network) {
  if (network.neurons !== undefined) return `${network.neurons} ${network.neuron?.kind ?? 'lif'}`;
  return Object.values(network.populations)
    .map(({ size, neuron }) => `${size} ${neuron.kind}`)
    .join(', ');
}

/** Scores of seeds as dots on a line, with the limit. */
function stripOf(scores, limit, label) {
  const low = Math.min(...scores, limit);
  const high = Math.max(...scores, limit);
  const x = (value) => (6 + (108 * (value - low)) / (high - low || 1)).toFixed(1);
  const dots = scores.map((score) => `<circle cx="${x(score)}" cy="11" r="4"/>`).join('');
  const line = `<line x1="${x(limit)}" x2="${x(limit)}" y1="1" y2="21"/>`;
  return `<svg class="strip" viewBox="0 0 120 22" width="120" height="22" role="img" aria-label="${label}"><line class="axis" x1="2" x2="118" y1="11" y2="11"/>${line}${dots}</svg>`;
}

const left = 170;
const right = 690;
const rowHeight = 26;
const shapes = ['circle', 'square', 'diamond', 'triangle', 'cross'];

/** Error of each rule as a share of the frozen network's, a row for each preset. */
function comparisonOf(runs) {
  const control = 'readout only';
  const tasks = [...new Set(runs.map(({ task }) => task))];
  const rules = [...new Set(runs.map(({ rule }) => rule))].filter((rule) => rule !== control);
  const errorOf = (task, rule) => {
    const own = runs.filter((run) => run.task === task && run.rule === rule).map(({ error }) => error);
    return own.length > 0 && own.every(Number.isFinite) ? mean(own) : null;
  };
  const ticks = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
  const [low, high] = [Math.log(0.002), Math.log(3)];
  const x = (share) => left + ((right - left) * (Math.min(high, Math.max(low, Math.log(share))) - low)) / (high - low);
  const height = 40 + tasks.length * rowHeight + 40;
  const bottom = 40 + tasks.length * rowHeight;
  const told = [];
  const marks = tasks.flatMap((task, n) => {
    const y = 40 + (n + 0.5) * rowHeight;
    const own = rules.flatMap((rule, r) => {
      const [error, frozen] = [errorOf(task, rule), errorOf(task, control)];
      if (error === null || frozen === null) return [];
      told.push(`| ${task} | ${rule} | ${(error / frozen).toPrecision(2)} |`);
      return [shapeOf(r, x(Math.max(error / frozen, 1e-3)), y)];
    });
    return [
      `<line class="axis" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/><text x="${left - 10}" y="${y + 4}" text-anchor="end">${task}</text>`,
      ...own,
    ];
  });
  const scale = ticks.map(
    (tick) =>
      `<line class="${tick === 1 ? 'one' : 'axis'}" x1="${x(tick)}" x2="${x(tick)}" y1="36" y2="${bottom}"/><text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`,
  );
  const legend = rules.map(
    (rule, r) =>
      `${shapeOf(r, 20 + r * 140, 16)}<text x="${30 + r * 140}" y="20">${rule.replace('e-prop 1, random feedback', 'e-prop 1, random')}</text>`,
  );
  const label = `Test error of ${rules.length} rules on ${tasks.length} presets as a share of that of a frozen network; the same numbers are in the table below`;
  const svg = [
    `<div class="wide-figure" tabindex="0" role="group" aria-label="Rules beside each other"><svg class="comparison" viewBox="0 0 710 ${height}" role="img" aria-label="${label}">`,
    ...scale,
    ...marks,
    ...legend,
    `<text x="${right}" y="${bottom + 34}" text-anchor="end">share of the frozen network's error</text>`,
    '</svg></div>',
  ].join('');
  return `${svg}\n\n<details><summary>As a table</summary>\n\n| preset | rule | share of the frozen network's error |\n|---|---|---|\n${told.join('\n')}\n\n</details>`;
}

/** A mark at a place, in a colour and a shape of its own. */
function shapeOf(n, x, y) {
  const d = {
    circle: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
    square: 'M-4.5-4.5h9v9h-9z',
    diamond: 'M0-6L6 0L0 6L-6 0z',
    triangle: 'M0-6L5.5 4.5H-5.5z',
    cross: 'M-5-3L-3-5L0-2L3-5L5-3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z',
  }[shapes[n % shapes.length]];
  return `<path class="mark mark-${n}" transform="translate(${x.toFixed(1)} ${y})" d="${d}"/>`;
}
