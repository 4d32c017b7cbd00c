// Races of two processes for one folder, in turn: train against train, resume against resume where a killed process left its lock, and study run
// against study run. A run folder has one winner, and the loser is refused in one line; a study has two that share its runs. Every folder
// ends with the bytes of one that nobody raced for.
//
//     npm run build && node scripts/campaigns/races.mjs [--races 200] [--out FILE]
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inFolder, openLog, option, set, spiketrace, succeed } from './program.mjs';

const settings = { 'network.neurons': 20, 'training.total': 3200, 'training.streams': 8, 'training.chunkSteps': 20 };
const often = { ...settings, 'training.checkpointEvery': 1 };
const train = (values, out) => ['train', 'four-six-back', '--no-figures', ...set(values), '--out', out];
const study = {
  base: 'four-six-back',
  set: settings,
  factors: { 'rule.name': ['e-prop-1', 'readout-only'] },
  seeds: 1,
};
const cells = ['rule.name=e-prop-1/seed-1', 'rule.name=readout-only/seed-1'];

/** Two that do the same: how a folder begins, what both call, which pairs of exit codes are right, and the runs in it with what they must be. */
const kinds = {
  train: {
    prepare() {},
    args: (out) => train(settings, out),
    codes: ['0,2'],
    runs: [['', 'alone']],
  },
  resume: {
    prepare: (folder, out) => cpSync(join(folder, 'killed'), join(folder, out), { recursive: true }),
    args: (out) => ['resume', out, '--no-figures'],
    // A second process may also come when the first one is done: there is nothing left to do then.
    codes: ['0,2', '0,0'],
    runs: [['', 'often']],
  },
  study: {
    prepare() {},
    args: (out) => ['study', 'run', 'study.json', '--out', out],
    codes: ['0,0'],
    runs: cells.map((cell) => [cell, `study/${cell}`]),
  },
};

/** A run that was killed on its way, with its lock. */
async function killedRun(folder) {
  const { ended, kill } = spiketrace(train(often, 'killed'), folder);
  while (!existsSync(join(folder, 'killed/checkpoint.bin'))) await wait(2);
  await wait(50);
  kill('SIGKILL');
  await ended;
}

function verdict(ended, { codes, runs }, folder, out) {
  const got = ended.map(({ code }) => code).sort();
  if (!codes.includes(got.join())) return `exit codes ${got}: ${ended.map(({ stderr }) => stderr.trim()).join(' | ')}`;
  const wordy = ended.find(({ code, stderr }) => code !== 0 && !/^spiketrace: [^\n]*\n$/.test(stderr));
  if (wordy) return `more than one line: ${wordy.stderr}`;
  if (readdirSync(join(folder, out), { recursive: true }).some((name) => /run\.lock/.test(name)))
    return 'a lock is left';
  const bytes = (...path) => readFileSync(join(folder, ...path));
  const odd = runs.flatMap(([run, alone]) =>
    ['checkpoint.bin', 'metrics.csv'].filter((file) => !bytes(out, run, file).equals(bytes(alone, file))),
  );
  return odd.length === 0 ? null : `${odd.join()}: other bytes than those of a run that was alone`;
}

await inFolder(async (folder) => {
  const races = Number(option('races', 200));
  const say = openLog('races');
  writeFileSync(join(folder, 'study.json'), JSON.stringify(study));
  await succeed(train(settings, 'alone'), folder);
  await succeed(train(often, 'often'), folder);
  await succeed(kinds.study.args('study'), folder);
  await killedRun(folder);
  const count = Object.fromEntries(Object.keys(kinds).map((name) => [name, { right: 0, wrong: 0 }]));
  for (let race = 0; race < races; race++) {
    const name = Object.keys(kinds)[race % 3];
    const kind = kinds[name];
    const out = `${name}-${race}`;
    kind.prepare(folder, out);
    const ended = await Promise.all([1, 2].map(() => spiketrace(kind.args(out), folder).ended));
    const problem = verdict(ended, kind, folder, out);
    count[name][problem ? 'wrong' : 'right']++;
    if (problem) say(`race ${race}, ${name}: ${problem}`);
  }
  for (const [name, { right, wrong }] of Object.entries(count)) say(`${name}: ${right} races right, ${wrong} wrong`);
  process.exitCode = Object.values(count).some(({ wrong }) => wrong > 0) ? 1 : 0;
});
