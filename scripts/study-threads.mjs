// A study of 40 short runs on one core (`taskset`), on one thread, which has the second core for compiling and collecting, and on two threads: seconds, and how
// many times faster two are. The runs are the same to the bit.
// Beside it, what the machine gives to two programs that have nothing to do with each other: one long run alone on a core, and two at a time on two.
// Usage: npm run build && node scripts/study-threads.mjs [tries] [symbols of a run]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'spiketrace-threads-'));
const [tries = 3, symbols = 32_000] = process.argv.slice(2).map(Number);
const study = {
  base: 'four-six-back',
  set: { 'training.total': symbols },
  factors: { 'rule.name': ['e-prop-1', 'sg-r-d'], 'network.neurons': [50, 100] },
  seeds: 10,
};

function seconds(threads, out, before = []) {
  const began = performance.now();
  const args = ['study', 'run', 'study.json', '--out', out, '--threads', String(threads)];
  const [program, ...rest] = [...before, process.execPath, main, ...args];
  const { status, stderr } = spawnSync(program, rest, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - began) / 1000;
}

/** Seconds of a long run on each of these cores, side by side. */
async function alone(...cores) {
  const began = performance.now();
  const args = [main, 'train', 'four-six-back', '--threads', '1', '--no-figures', '--out'];
  const ends = cores.map((core) => {
    const out = `alone-${cores.length}-${core}-${began}`;
    return once(
      spawn('taskset', ['-c', `${core}`, process.execPath, ...args, out], { cwd: folder, stdio: 'ignore' }),
      'exit',
    );
  });
  for (const [code] of await Promise.all(ends)) if (code !== 0) throw new Error(`a long run ended with ${code}`);
  return (performance.now() - began) / 1000;
}

try {
  writeFileSync(join(folder, 'study.json'), JSON.stringify(study));
  for (let n = 0; n < tries; n++) {
    const core = seconds(1, `core-${n}`, ['taskset', '-c', '0']);
    const [one, two] = [1, 2].map((threads) => seconds(threads, `${threads}-${n}`));
    const last = (threads) =>
      readFileSync(join(folder, `${threads}-${n}`, 'rule.name=sg-r-d,network.neurons=100/seed-10/checkpoint.bin'));
    if (!last(1).equals(last(2))) throw new Error('other bits on two threads');
    const times = (slow) => `${(slow / two).toFixed(2)} times`;
    const share = (2 * (await alone(0))) / (await alone(0, 1));
    console.log(
      `40 runs: one core ${core.toFixed(1)} s, one thread ${one.toFixed(1)} s, two ${two.toFixed(1)} s: ${times(core)} one core, ${times(one)} one thread; two programs by themselves ${share.toFixed(2)} times one`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
