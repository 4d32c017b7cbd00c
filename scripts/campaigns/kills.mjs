// kill -9 across train, resume, study run, compare and plot: half at random instants, half at every k-th system call that changes the disk
// (strace, where it is installed; else all at instants). A killed command is begun again as a user would, killed again, and in the end left alone:
// nothing may be lost or doubled, which is that all files have the bytes of a run that was never interrupted.
//
//     npm run build && node scripts/campaigns/kills.mjs [--kills 1000] [--seed 1] [--out FILE]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { begin, generator, inFolder, main, openLog, option, set, spiketrace, succeed } from './program.mjs';

/** A fifth of a second of training with twenty checkpoints. */
const settings = {
  'network.neurons': 20,
  'training.total': 3200,
  'training.streams': 8,
  'training.chunkSteps': 20,
  'training.checkpointEvery': 160,
  'evaluation.total': 320,
  'evaluation.streams': 4,
};
const study = {
  base: 'four-six-back',
  set: settings,
  factors: { 'rule.name': ['e-prop-1', 'readout-only'] },
  seeds: 1,
};
const run = 'run';
const train = ['train', 'four-six-back', ...set(settings), '--out', run];
const trainOrResume = (folder) =>
  existsSync(join(folder, run, 'checkpoint.bin')) ? ['resume', run, '--no-figures'] : [...train, '--no-figures'];

/** What is killed: how a folder begins, and the command that a user gives next. */
const scenarios = {
  train: { prepare() {}, next: trainOrResume },
  resume: {
    prepare: (folder, half) => cpSync(half, join(folder, run), { recursive: true }),
    next: () => ['resume', run, '--no-figures'],
  },
  'study run': {
    prepare: (folder) => writeFileSync(join(folder, 'study.json'), JSON.stringify(study)),
    next: () => ['study', 'run', 'study.json', '--out', 'study', '--threads', '2'],
  },
  compare: {
    prepare() {},
    next: () => [
      ...['compare', 'four-six-back', '--rules', 'e-prop-1,readout-only', '--seeds', '1', ...set(settings)],
      ...['--threads', '2', '--out', 'compare'],
    ],
  },
  plot: {
    prepare: (folder, _, whole) => cpSync(whole, join(folder, run), { recursive: true }),
    next: () => ['plot', run],
  },
};

/** Files whose bytes say nothing of times: all but summaries (seconds) and pages made of them. */
const told = /(config\.json|checkpoint\.bin|metrics\.\w+|\.npy|\.png)$/;

/** Name and bytes of every file of a folder that is told, and the names of those that nobody should leave. */
function stateOf(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const files = names.filter((name) => told.test(name)).map((name) => [name, readFileSync(join(folder, name))]);
  return { files: new Map(files), left: names.filter((name) => /run\.lock|\.tmp$/.test(name)) };
}

function differences(state, reference) {
  const names = new Set([...state.files.keys(), ...reference.files.keys()]);
  const odd = [...names].filter((name) => !state.files.get(name)?.equals(reference.files.get(name) ?? Buffer.alloc(0)));
  return [...odd, ...state.left.map((name) => `${name} is left`)];
}

/** Calls that change what lies on the disk; each thread's are counted on their own. */
const calls = 'write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,unlink,link,linkat,mkdir';
const hasStrace = spawnSync('strace', ['-V']).error === undefined;

/** @returns ms that the undisturbed command takes */
async function timed(args, folder) {
  const began = performance.now();
  await succeed(args, folder);
  return performance.now() - began;
}

/** @returns such calls of the thread that makes most of them */
async function countCalls(args, folder, log) {
  const traced = ['-f', '-qq', '-e', `trace=${calls}`, '-o', log, process.execPath, main, ...args];
  const { code, stderr } = await begin('strace', traced, folder).ended;
  if (code !== 0) throw new Error(stderr);
  const counts = new Map();
  for (const [thread] of readFileSync(log, 'utf8').matchAll(/^\d+/gm))
    counts.set(thread, 1 + (counts.get(thread) ?? 0));
  return Math.max(...counts.values());
}

/** Kills a command at its k-th call. @returns whether it was killed before its end */
async function killedAtCall(args, folder, k) {
  const inject = `inject=${calls}:signal=SIGKILL:when=${k}`;
  const traced = ['-f', '-qq', '-e', `trace=${calls}`, '-e', inject, '-o', '/dev/null'];
  const { signal } = await begin('strace', [...traced, process.execPath, main, ...args], folder).ended;
  return signal === 'SIGKILL';
}

async function killedAtInstant(args, folder, ms) {
  const { ended, kill } = spiketrace(args, folder);
  const timer = setTimeout(() => kill('SIGKILL'), ms);
  const { signal } = await ended;
  clearTimeout(timer);
  return signal === 'SIGKILL';
}

/** Kills in one folder before it is left alone. */
const chain = 5;

/** @returns kills that hit, and what is wrong afterwards */
async function tryChain(scenario, work, { half, whole, reference, strike }) {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  scenario.prepare(work, half, whole);
  let hits = 0;
  // What has ended before it was struck has nothing left to be killed in.
  while (hits < chain && (await strike(scenario.next(work), hits))) hits++;
  const { code, stderr } = await spiketrace(scenario.next(work), work).ended;
  if (code !== 0) return { hits, wrong: [`ended with ${code}: ${stderr.trim()}`] };
  return { hits, wrong: differences(stateOf(work), reference) };
}

/** Two folders that scenarios begin with: a run that was interrupted, and one that is whole. */
async function beginnings(folder) {
  const [half, whole] = ['half', 'whole'].map((name) => join(folder, name));
  for (const place of [half, whole]) mkdirSync(place);
  await succeed([...train, '--no-figures'], whole);
  const { ended, kill } = spiketrace([...train, '--no-figures'], half);
  const metrics = join(half, run, 'metrics.csv');
  while (!existsSync(metrics) || readFileSync(metrics, 'utf8').split('\n').length < 4)
    await new Promise((done) => setTimeout(done, 1));
  kill('SIGKILL');
  await ended;
  return { half: join(half, run), whole: join(whole, run) };
}

async function campaign(name, scenario, wanted, folder, rng, say) {
  const made = await beginnings(folder);
  const fresh = (place) => {
    const path = join(folder, place);
    mkdirSync(path);
    scenario.prepare(path, made.half, made.whole);
    return path;
  };
  const first = fresh('reference');
  const ms = await timed(scenario.next(first), first);
  const reference = stateOf(first);
  const traced = hasStrace ? fresh('counted') : null;
  const most = traced ? await countCalls(scenario.next(traced), traced, join(folder, 'calls')) : 0;
  const work = join(folder, 'work');
  const count = { instant: 0, call: 0, chains: 0, wrong: 0 };
  let k = 0;
  while (count.instant + count.call < wanted) {
    const way = most > 0 && count.call <= count.instant ? 'call' : 'instant';
    const strike = (args, before) => {
      // The first kill of a chain visits one call after the other, by a stride; those after it come early in what is left.
      if (before === 0) k = (k + 37) % most;
      return way === 'call'
        ? killedAtCall(args, work, 1 + (before === 0 ? k : rng.below(most / chain)))
        : killedAtInstant(args, work, ms * (0.2 + 0.8 * rng.uniform()));
    };
    const { hits, wrong } = await tryChain(scenario, work, { ...made, reference, strike });
    count[way] += hits;
    count.chains++;
    if (count.chains > 20 && count.instant + count.call < count.chains) throw new Error(`${name}: kills do not hit`);
    if (wrong.length > 0) {
      count.wrong++;
      say(`${name}, chain ${count.chains} (${way}): ${wrong.slice(0, 3).join('; ')}`);
    }
  }
  const { instant, call, chains, wrong } = count;
  say(
    `${name}: ${instant} kills at instants, ${call} at one of ${most} system calls; ${chains} ends, ${wrong} of them wrong`,
  );
  return { kills: instant + call, wrong };
}

const kills = Number(option('kills', 1000));
const rng = generator(Number(option('seed', 1)));
const say = openLog('kills');
const began = performance.now();
const sum = { kills: 0, wrong: 0 };
const share = Math.ceil(kills / Object.keys(scenarios).length);
for (const [name, scenario] of Object.entries(scenarios)) {
  const found = await inFolder((folder) => campaign(name, scenario, share, folder, rng, say));
  sum.kills += found.kills;
  sum.wrong += found.wrong;
}
say(
  `${sum.kills} kills, ${sum.wrong} faults, ${((performance.now() - began) / 1000).toFixed(0)} s, Node ${process.version}`,
);
process.exitCode = sum.wrong > 0 ? 1 : 0;
