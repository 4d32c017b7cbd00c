// What a run states to need (before it is built) against what its process uses at most, over random configurations: sizes, streams, steps, rules,
// backends. Used is what is in memory outside the heap of JavaScript, at its highest after the trial, the evaluation and the checkpoint; less what the
// program takes for itself: that of one that does the same with a small network, less what that states. The heap differs by 30 MiB from one process to
// the next with what its collector leaves for later, and holds nothing that a run states. Runs of more than `mostWork` are not drawn: they take minutes.
//
//     npm run build && node scripts/campaigns/memory.mjs [--count 100] [--seed 1] [--out FILE]
import { spawnSync } from 'node:child_process';
import { models } from '../../dist/models/index.js';
import * as api from '../../dist/src/index.js';
import { tasks } from '../../dist/tasks/index.js';
import { generator, openLog, option } from './program.mjs';

const catalogue = { ...models, tasks };
/** Small networks are noise beside what Node takes for itself. */
const least = 64 * 2 ** 20;
const most = 800 * 2 ** 20;
/** Synapses times steps times streams. */
const mostWork = 1.2e9;

function drawn(rng) {
  const between = (low, high) => Math.round(low * (high / low) ** rng.uniform());
  const neurons = between(50, 3000);
  const streams = between(1, 64);
  const chunkSteps = 20 * between(1, 20);
  const rule = rng.pick(['e-prop-1', 'sg-r-d', 'bptt', 'readout-only']);
  const settings = [
    `rule.name=${rule}`,
    ...(rule === 'bptt' ? ['rule.window=16', 'rule.segment=8', 'training.update.every=8'] : []),
    `network.neurons=${neurons}`,
    `training.streams=${streams}`,
    `training.chunkSteps=${chunkSteps}`,
    `training.total=${streams * chunkSteps}`,
    `evaluation.streams=${between(1, 32)}`,
    `evaluation.total=${between(100, 2000)}`,
    `backend=${rng.pick(['wasm', 'reference'])}`,
  ];
  return { settings, work: neurons ** 2 * streams * chunkSteps };
}

/** In a process of its own, as a run does it: one trial, an evaluation, a checkpoint. */
const child = `
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
const [settings] = process.argv.slice(-1);
const { writeCheckpoint } = await import(${JSON.stringify(new URL('../../dist/src/record/index.js', import.meta.url).href)});
const api = await import(${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)});
const { models } = await import(${JSON.stringify(new URL('../../dist/models/index.js', import.meta.url).href)});
const { tasks } = await import(${JSON.stringify(new URL('../../dist/tasks/index.js', import.meta.url).href)});
const catalogue = { ...models, tasks };
let highest = 0;
function look() {
  const { rss, heapTotal } = process.memoryUsage();
  highest = Math.max(highest, rss - heapTotal);
}
const path = join(mkdtempSync(join(tmpdir(), 'memory-')), 'checkpoint.bin');
const made = api.createExperiment(api.applySettings(api.preset('four-six-back'), JSON.parse(settings), catalogue), catalogue);
made.train({
  listener({ type, pieces }) {
    look();
    if (type === 'checkpoint') writeCheckpoint(path, pieces);
    look();
  },
});
console.log(highest);
rmSync(dirname(path), { recursive: true });
`;

function usedBy(settings) {
  const args = ['--input-type=module', '-e', child, JSON.stringify(settings)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 300_000 });
  return status === 0
    ? { bytes: Number(stdout) }
    : { error: stderr.trim().split('\n').at(-1) || 'longer than five minutes' };
}

function statedFor(settings) {
  const made = api.createExperiment(api.applySettings(api.preset('four-six-back'), settings, catalogue), catalogue);
  made.close();
  return made.memory.total;
}

const say = openLog('memory');
const rng = generator(Number(option('seed', 1)));
const count = Number(option('count', 100));
/** Has every part of the program loaded and compiled; small beside those that are drawn. */
const small = [
  'network.neurons=400',
  'training.streams=1',
  'training.chunkSteps=20',
  'training.total=20',
  'evaluation.total=20',
  'evaluation.streams=1',
];
const base = usedBy(small).bytes - statedFor(small);
const ratios = [];
say('stated MiB, used MiB, stated / used, settings');
while (ratios.length < count) {
  const { settings, work } = drawn(rng);
  if (work > mostWork) continue;
  const stated = statedFor(settings);
  if (stated < least || stated > most) continue;
  const { bytes, error } = usedBy(settings);
  if (error) {
    say(`no number: ${error}; ${settings.join(' ')}`);
    continue;
  }
  const used = bytes - base;
  ratios.push(stated / used);
  say(
    `${[stated, used].map((each) => (each / 2 ** 20).toFixed(0)).join(', ')}, ${(stated / used).toFixed(2)}, ${settings.join(' ')}`,
  );
}
ratios.sort((a, b) => a - b);
const within = ratios.filter((ratio) => ratio >= 0.8 && ratio <= 1.1).length;
const at = (share) => ratios[Math.floor(share * (ratios.length - 1))].toFixed(2);
say(
  `${within} of ${ratios.length} within 0.8 and 1.1; least ${at(0)}, a tenth below ${at(0.1)}, median ${at(0.5)}, a tenth above ${at(0.9)}, most ${at(1)}`,
);
