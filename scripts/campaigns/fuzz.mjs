// Damaged inputs of every format: each is accepted, or refused by an error that says where. A crash, a hang (five seconds of work), an error of the
// language, and what makes no sense and is accepted all the same, are faults. A mutant is a function of its seed.
//
//     npm run build && node scripts/campaigns/fuzz.mjs [--formats configuration,study] [--from 1] [--count 10000] [--out FILE]
//
// `--count` mutants of every format; prints every fault with its seed and a line for each format; ends with 1 where there was a fault.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { toJSONSchema } from 'zod';
import { models } from '../../dist/models/index.js';
import * as api from '../../dist/src/index.js';
import { tasks } from '../../dist/tasks/index.js';
import { checkpoint, nir, npy, recordings } from './fuzz/binaries.mjs';
import { chip, golden, study } from './fuzz/documents.mjs';
import { contextOf, tryMutant } from './fuzz/experiments.mjs';
import { openLog, option } from './program.mjs';

const slowMs = 5000;

function configuration() {
  const folder = join(import.meta.dirname, '../../examples');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'study.json');
  const examples = files.flatMap((file) => {
    const content = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    return content.network && content.training ? [content] : [];
  });
  const context = contextOf({ api, models, tasks, toJSONSchema, examples });
  return (seed) => tryMutant(seed, context);
}

/** Each makes what tries the mutant of a seed: `{ outcome, fault? }`, or a promise of it. */
const formats = { configuration, study, chip, golden, checkpoint, npy, nir, recordings };

/** Tries seeds; `progress` holds the one at work, for the thread that watches. */
async function work({ format, from, to, progress }) {
  await api.loadHdf5();
  const attempt = formats[format]({ api, models, tasks });
  const counts = {};
  for (let seed = from; seed < to; seed++) {
    Atomics.store(progress, 0, seed);
    const started = process.cpuUsage();
    const { outcome, fault, crashed } = await attempt(seed);
    // Of a core: a machine that has other work makes nothing slow.
    const { user, system } = process.cpuUsage(started);
    const took = (user + system) / 1000;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    if (fault) parentPort.postMessage({ seed, fault });
    if (took > slowMs) parentPort.postMessage({ seed, fault: `took ${(took / 1000).toFixed(1)} s` });
    // HDF5 is down for the rest of this thread.
    if (crashed) return parentPort.postMessage({ counts, next: seed + 1 });
    if ((seed - from) % 1000 === 999) parentPort.postMessage({ counts: { ...counts } });
  }
  parentPort.postMessage({ counts, done: true });
}

/** Seeds [from, to) in a thread, which is given up where it does not come back from a seed, or ends. */
function watch(format, from, to, tell) {
  return new Promise((resolve) => {
    const progress = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL(import.meta.url), { workerData: { format, from, to, progress } });
    let counts = {};
    let seen = { seed: -1, at: performance.now() };
    const stop = (result) => {
      clearInterval(timer);
      worker.terminate();
      resolve(result);
    };
    const timer = setInterval(() => {
      const seed = Atomics.load(progress, 0);
      if (seed !== seen.seed) seen = { seed, at: performance.now() };
      else if (performance.now() - seen.at > 24 * slowMs) stop({ counts, lost: seed, why: 'does not end' });
    }, 500);
    worker.on('message', (message) => {
      if (message.fault) tell(message);
      if (message.counts) counts = message.counts;
      if (message.next) stop({ counts, lost: null, next: message.next });
      if (message.done) stop({ counts, lost: null });
    });
    worker.on('error', (error) => stop({ counts, lost: Atomics.load(progress, 0), why: `ends all: ${error.message}` }));
  });
}

async function campaign(format, from, count, say) {
  const started = performance.now();
  const sum = {};
  let faults = 0;
  const tell = ({ seed, fault }) => {
    faults++;
    say(`${format}, seed ${seed}: ${fault}`);
  };
  for (let next = from; next < from + count; ) {
    const { counts, lost, why, next: goOn } = await watch(format, next, from + count, tell);
    for (const [outcome, n] of Object.entries(counts)) sum[outcome] = (sum[outcome] ?? 0) + n;
    if (goOn) {
      next = goOn;
      continue;
    }
    if (lost === null) break;
    tell({ seed: lost, fault: why });
    next = lost + 1;
  }
  const found = Object.entries(sum).map(([outcome, n]) => `${n} ${outcome}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  say(`${format}: ${count} mutants, ${found.join(', ')}; ${faults} faults, ${seconds} s`);
  return faults;
}

if (isMainThread) {
  const chosen = option('formats', Object.keys(formats).join(',')).split(',');
  const [from, count] = [Number(option('from', 1)), Number(option('count', 10_000))];
  const say = openLog('fuzz');
  let faults = 0;
  for (const format of chosen) faults += await campaign(format, from, count, say);
  say(`${chosen.length * count} mutants, ${faults} faults, Node ${process.version}`);
  process.exitCode = faults > 0 ? 1 : 0;
} else await work(workerData);
