// Fifty races of two processes for one run folder: train against train, and resume against resume where a killed process left its
// lock. Every race has one winner, the loser is refused in one line, and the folder ends with the bytes of a run that was alone.
// Usage: npm run build && node scripts/races.mjs [races]
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'spiketrace-races-'));
const settings = ['network.neurons=20', 'training.total=3200', 'training.streams=8', 'training.chunkSteps=20'];
const train = ['train', 'four-six-back', '--no-figures', ...settings.flatMap((setting) => ['--set', setting])];
const races = Number(process.argv[2] ?? 50);

function spiketrace(args) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
  return { ended, kill: () => child.kill('SIGKILL') };
}

const checkpoint = (out) => readFileSync(join(folder, out, 'checkpoint.bin'));

/** A run that was killed on its way, with its lock. */
async function killedRun() {
  const { ended, kill } = spiketrace([...train, '--set', 'training.checkpointEvery=1', '--out', 'killed']);
  while (!readdirSync(folder).includes('killed') || !readdirSync(join(folder, 'killed')).includes('metrics.csv'))
    await wait(2);
  await wait(50);
  kill();
  await ended;
}

function verdict(ended, out, reference) {
  const codes = ended.map(({ code }) => code).sort();
  // A second process may also come when the first one is done: training is refused then, resuming does nothing.
  const allowed = out.startsWith('train') ? ['0,2'] : ['0,2', '0,0'];
  if (!allowed.includes(codes.join())) return `exit codes ${codes}`;
  const wordy = ended.find(({ code, stderr }) => code !== 0 && !/^spiketrace: [^\n]*\n$/.test(stderr));
  if (wordy) return `more than one line: ${wordy.stderr}`;
  if (readdirSync(join(folder, out)).some((name) => name.startsWith('run.lock'))) return 'a lock is left';
  return checkpoint(out).equals(reference) ? null : 'other bytes than those of a run that was alone';
}

try {
  await spiketrace([...train, '--out', 'alone']).ended;
  await spiketrace([...train, '--set', 'training.checkpointEvery=1', '--out', 'alone-often']).ended;
  await killedRun();
  const counts = { ok: 0, failed: 0 };
  for (let race = 0; race < races; race++) {
    const resumed = race % 2 === 1;
    const out = `${resumed ? 'resume' : 'train'}-${race}`;
    if (resumed) cpSync(join(folder, 'killed'), join(folder, out), { recursive: true });
    const args = resumed ? ['resume', out, '--no-figures'] : [...train, '--out', out];
    const ended = await Promise.all([1, 2].map(() => spiketrace(args).ended));
    const problem = verdict(ended, out, checkpoint(resumed ? 'alone-often' : 'alone'));
    counts[problem ? 'failed' : 'ok']++;
    if (problem) console.log(`race ${race}, ${out}: ${problem}`);
  }
  console.log(`${races} races of two processes in one folder: ${counts.ok} with one winner, ${counts.failed} failed`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
