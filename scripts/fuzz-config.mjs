// Builds mutated experiments and looks whether each is either accepted or refused with an error that names its path.
//
//     npm run build && node scripts/fuzz-config.mjs [--from 1] [--count 200000] [--out file]
//
// A mutant is a function of its seed. Anything else than an experiment, a ConfigError whose path the schema knows, or an
// UnsupportedError is a fault, and so is a mutant that takes more than five seconds. Prints every fault with its seed and a
// summary; exits with 1 if there was one.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { toJSONSchema } from 'zod';
import { models } from '../dist/models/index.js';
import * as api from '../dist/src/index.js';
import { tasks } from '../dist/tasks/index.js';
import { contextOf, tryMutant } from './configMutants.mjs';

const slowMs = 5000;

/** Tries seeds from one on; `progress` holds the seed at work, for the thread that watches. */
function work({ from, to, progress }) {
  const folder = join(import.meta.dirname, '../examples');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const examples = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const context = contextOf({ api, models, tasks, toJSONSchema, examples });
  const counts = { refused: 0, built: 0, trained: 0, fault: 0 };
  for (let seed = from; seed < to; seed++) {
    Atomics.store(progress, 0, seed);
    const started = performance.now();
    const { outcome, fault } = tryMutant(seed, context);
    const took = performance.now() - started;
    counts[outcome]++;
    if (fault) parentPort.postMessage({ seed, fault });
    if (took > slowMs) parentPort.postMessage({ seed, fault: `took ${(took / 1000).toFixed(1)} s` });
    if ((seed - from) % 1000 === 999) parentPort.postMessage({ counts: { ...counts } });
  }
  parentPort.postMessage({ counts, done: true });
}

/** Runs seeds [from, to) in a thread, which is given up where it does not come back from a seed. */
function watch(from, to, tell) {
  return new Promise((resolve, reject) => {
    const progress = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL(import.meta.url), { workerData: { from, to, progress } });
    let counts = {};
    let seen = { seed: -1, at: performance.now() };
    const timer = setInterval(() => {
      const seed = Atomics.load(progress, 0);
      if (seed !== seen.seed) seen = { seed, at: performance.now() };
      else if (performance.now() - seen.at > 6 * slowMs) stop({ counts, stuck: seed });
    }, 500);
    const stop = (result) => {
      clearInterval(timer);
      worker.terminate();
      resolve(result);
    };
    worker.on('message', (message) => {
      if (message.fault) tell(message);
      if (message.counts) counts = message.counts;
      if (message.done) stop({ counts, stuck: null });
    });
    worker.on('error', reject);
  });
}

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
}

async function main() {
  const from = Number(option('from', 1));
  const count = Number(option('count', 200_000));
  const started = performance.now();
  const lines = [`$ node scripts/fuzz-config.mjs --from ${from} --count ${count}`];
  const say = (line) => {
    lines.push(line);
    console.log(line);
  };
  const faults = [];
  const tell = ({ seed, fault }) => {
    faults.push(seed);
    say(`seed ${seed}: ${fault}`);
  };
  const sum = { refused: 0, built: 0, trained: 0, fault: 0 };
  for (let next = from; next < from + count; ) {
    const { counts, stuck } = await watch(next, from + count, tell);
    for (const key of Object.keys(counts)) sum[key] += counts[key];
    if (stuck === null) break;
    tell({ seed: stuck, fault: 'does not end' });
    next = stuck + 1;
  }
  say(`${count} mutants: ${sum.refused} refused, ${sum.built} built, ${sum.trained} built and trained for one trial`);
  say(`${faults.length} faults`);
  say(`${((performance.now() - started) / 1000).toFixed(0)} s, Node ${process.version}`);
  const out = option('out', null);
  if (out) writeFileSync(out, `${lines.join('\n')}\n`);
  return faults.length === 0 ? 0 : 1;
}

if (isMainThread) {
  main().then((code) => {
    process.exitCode = code;
  });
} else work(workerData);
