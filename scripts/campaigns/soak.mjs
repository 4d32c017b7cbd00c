// One training for an hour: memory, open files and threads of its process, looked at every ten seconds. The heap of V8 takes some twenty minutes to
// become as large as it likes; what still grows from the fourth fifth of the time to the last by more than a thirtieth, is a leak. It is told to stop
// then, and has to save.
//
//     npm run build && node scripts/campaigns/soak.mjs [--minutes 60] [--out FILE]
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { inFolder, openLog, option, set, spiketrace } from './program.mjs';

const settings = { 'network.neurons': 100, 'training.total': 1e10, 'training.checkpointEvery': 50_000 };

function look(pid) {
  const number = (name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return { MiB: number('VmRSS') / 1024, threads: number('Threads'), files: readdirSync(`/proc/${pid}/fd`).length };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

await inFolder(async (folder) => {
  const say = openLog('soak');
  const until = performance.now() + 60_000 * Number(option('minutes', 60));
  const { ended, kill, pid } = spiketrace(
    ['train', 'four-six-back', ...set(settings), '--no-figures', '--out', 'run'],
    folder,
  );
  const seen = [];
  await wait(5000);
  while (performance.now() < until) {
    seen.push(look(pid));
    await wait(Math.min(10_000, Math.max(1, until - performance.now())));
  }
  kill('SIGTERM');
  const { code } = await ended;
  const fifth = Math.ceil(seen.length / 5);
  let grew = false;
  for (const name of Object.keys(seen[0])) {
    const means = Array.from({ length: 5 }, (_, n) =>
      mean(seen.slice(n * fifth, (n + 1) * fifth).map((each) => each[name])),
    );
    grew ||= means[4] > (31 / 30) * means[3];
    say(`${name} in each fifth: ${means.map((one) => one.toFixed(1)).join(', ')}`);
  }
  const { length } = readFileSync(`${folder}/run/metrics.csv`, 'utf8').trimEnd().split('\n');
  say(`${seen.length} looks, ${length - 1} rows of metrics, ended with ${code}`);
  process.exitCode = grew || code !== 143 ? 1 : 0;
});
