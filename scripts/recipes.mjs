// Every preset with its own rule, against what `spiketrace list presets` promises of it.
//
//     npm run recipes                       # or, after a build: node scripts/recipes.mjs
//         [--only text] [--seeds 1] [--first 1] [--out docs/results/recipes.jsonl]
//
// A row for each preset: the mean over the seeds and each of them, the promised mean and limit, seconds of a training with its test, and
// whether every seed keeps to the limit. Ends with 1 where one does not. `--out` adds a JSON object for each preset to a file.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { presetNames } from '../dist/src/config/presets.js';
import { bound, keeps, recipes } from '../dist/src/config/recipes.js';
import { mean } from './seedTable.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '1' },
    first: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const cli = new URL('../dist/src/cli/main.js', import.meta.url).pathname;
const seeds = Array.from({ length: Number(values.seeds) }, (_, s) => Number(values.first) + s);

function run(name, seed) {
  const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  const began = performance.now();
  const args = ['train', name, '--seed', `${seed}`, '--threads', '1', '--no-figures', '--out', join(folder, 'run')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--json'], { encoding: 'utf8' });
  const seconds = (performance.now() - began) / 1000;
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) throw new Error(`${name}, seed ${seed}: ${stderr}`);
  return { evaluation: JSON.parse(stdout.trim().split('\n').at(-1)).evaluation, seconds };
}

const scoreOf = {
  accuracy: ({ accuracy }) => accuracy,
  reward: ({ own }) => own.reward,
  'expected loss': ({ expectedLoss }) => expectedLoss,
  'loss per step': ({ lossPerStep }) => lossPerStep,
  nMSE: ({ own }) => own.nmse,
};

let missed = 0;
console.log('| preset | score | promised | every seed | mean | seeds | seconds | kept |');
console.log('|---|---|---|---|---|---|---|---|');
for (const name of presetNames.filter((one) => one.includes(values.only))) {
  const recipe = recipes[name];
  const { score, limit } = recipe;
  const runs = seeds.map((seed) => run(name, seed));
  const scores = runs.map(({ evaluation }) => scoreOf[score](evaluation));
  const kept = scores.every((value) => keeps(recipe, value));
  if (!kept) missed += 1;
  const seconds = mean(runs.map((one) => one.seconds));
  const told = [score, recipe.mean, `${bound(score)} ${limit}`, Number(mean(scores).toPrecision(4))];
  const each = scores.map((value) => value.toPrecision(4)).join(' ');
  console.log(`| ${name} | ${told.join(' | ')} | ${each} | ${seconds.toFixed(0)} | ${kept ? 'yes' : 'NO'} |`);
  if (values.out)
    appendFileSync(values.out, `${JSON.stringify({ preset: name, score, seeds, scores, seconds, kept })}\n`);
}
if (missed > 0) {
  console.log(`\n${missed} did not keep what they promise`);
  process.exitCode = 1;
}
