// Time and memory of planning, asking and collecting a study of 10,000 cells whose runs are done (made up: one real run, copied with other scores).
// Usage: npm run build && node scripts/study-scale.mjs [cells across] [seeds]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'spiketrace-scale-'));
const across = Number(process.argv[2] ?? 100);
const seeds = Number(process.argv[3] ?? 1);
const tell = `data:text/javascript,process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.error('peak', maxRSS, 'work', userCPUTime + systemCPUTime);
})`;

function timed(args) {
  const began = performance.now();
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', tell, main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  const peak = Number(/peak (\d+)/.exec(stderr)[1]) / 1024;
  const work = Number(/work (\d+)/.exec(stderr)[1]) / 1e6;
  return { seconds, peak, work, stdout };
}

const set = { 'network.neurons': 10, 'training.total': 1600, 'training.chunkSteps': 20, 'evaluation.total': 320 };
const grid = (low, high) => ({ log: [low, high, across] });
const factors = { 'optimizer.rates.in': grid(0.01, 1), 'optimizer.rates.rec': grid(0.02, 2) };
const write = (name, study) =>
  writeFileSync(join(folder, name), JSON.stringify({ base: 'four-six-back', set, ...study }));

try {
  write('one.json', {});
  timed(['study', 'run', 'one.json', '--out', 'one']);
  write('many.json', { factors, seeds });
  const planned = timed(['study', 'plan', 'many.json', '--json']);
  const cells = planned.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  timed(['study', 'slurm', 'many.json', '--out', 'many', '--dry-run']);
  const summary = JSON.parse(readFileSync(join(folder, 'one/base/seed-1/summary.json'), 'utf8'));
  for (const [n, { cell }] of cells.entries()) {
    for (let seed = 1; seed <= seeds; seed++) {
      const run = join(folder, 'many', cell, `seed-${seed}`);
      mkdirSync(run, { recursive: true });
      const evaluation = { ...summary.evaluation, expectedLoss: 0.5 + 0.1 * Math.sin(n + seed) };
      writeFileSync(join(run, 'summary.json'), JSON.stringify({ ...summary, folder: run, seed, evaluation }, null, 2));
      for (const file of ['config.json', 'metrics.csv']) cpSync(join(folder, 'one/base/seed-1', file), join(run, file));
    }
  }
  console.log(`${cells.length} cells x ${seeds} seeds`);
  for (const [what, args] of [
    ['plan', ['study', 'plan', 'many.json', '--json']],
    ['status', ['study', 'status', 'many']],
    ['collect', ['study', 'collect', 'many', '--out', 'table.csv']],
    ['nothing', ['--version']],
  ]) {
    const tries = [1, 2, 3].map(() => timed(args)).sort((a, b) => a.seconds - b.seconds);
    const [{ seconds, peak, work }] = tries;
    console.log(
      `${what.padEnd(8)} ${seconds.toFixed(2)} s, ${work.toFixed(2)} s of a core, ${peak.toFixed(0)} MiB (best of 3)`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
