// Training from a file that is larger than what memory may hold: makes one of so many GB, trains on it, and prints the most memory that the process took.
//
//     npm run build && node scripts/large-file.mjs [--format npy|csv|h5] [--gigabytes 3] [--folder FOLDER] [--keep]
//
// npy: spikes as bytes [trial][step][unit]; csv: an event a line; h5: like npy, in chunks of a trial, deflated. The file is removed afterwards.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeNpyHeader } from '../dist/src/data/npy.js';

const { values } = parseArgs({
  options: {
    format: { type: 'string', default: 'npy' },
    gigabytes: { type: 'string', default: '3' },
    folder: { type: 'string', default: 'large-file' },
    keep: { type: 'boolean', default: false },
  },
});
if (!['npy', 'csv', 'h5'].includes(values.format))
  throw new Error(`--format: got ${values.format}, expected npy, csv or h5`);
const [units, steps] = [100, 200];
const bytes = Number(values.gigabytes) * 2 ** 30;
mkdirSync(values.folder, { recursive: true });
const path = join(values.folder, `spikes.${values.format}`);

/** A generator that is fast and good enough for spikes at chance. */
let seed = 1;
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}

function write(chunkOf, until) {
  const file = openSync(path, 'w');
  let written = 0;
  for (let n = 0; !until(n, written); n++) written += writeSync(file, chunkOf(n));
  closeSync(file);
}

const spikes = () => Uint8Array.from({ length: units * steps }, () => (random() < 0.05 ? 1 : 0));
const trials = Math.ceil(bytes / (units * steps));

if (values.format === 'npy') {
  const header = encodeNpyHeader('u1', [trials, steps, units]);
  write(
    (n) => (n === 0 ? header : spikes()),
    (n) => n > trials,
  );
} else if (values.format === 'csv') {
  // Trials of a thousand events in the order of time.
  const trial = (n) => {
    const times = Float64Array.from({ length: 1000 }, () => random() * (steps - 0.001)).sort();
    return Array.from(times, (time) => `${n},${Math.floor(random() * units)},${time.toFixed(3)}\n`).join('');
  };
  write(
    (n) => (n === 0 ? 'trial,unit,time_ms\n' : trial(n - 1)),
    (_, written) => written >= bytes,
  );
} else {
  const h5 = await import('h5wasm/node');
  await h5.ready;
  const file = new h5.File(path, 'w');
  file.create_dataset({
    name: 'x',
    data: spikes(),
    shape: [1, steps, units],
    maxshape: [null, steps, units],
    chunks: [1, steps, units],
  });
  const set = file.get('x');
  for (let n = 1; n < trials; n++) {
    set.resize([n + 1, steps, units]);
    set.write_slice([[n, n + 1], [], []], spikes());
  }
  file.close();
}

const config = {
  name: 'large-file',
  backend: 'wasm',
  task: {
    kind: 'recording',
    file: path,
    split: { kind: 'none' },
    ...(values.format === 'csv' ? { units, durationMs: steps } : {}),
    target: { kind: 'next', steps: 1 },
  },
  network: {
    dtMs: 1,
    neurons: 100,
    neuron: { kind: 'lif', membrane: { tauMs: 20 } },
    readout: { kind: 'leaky', filter: { tauMs: 20 } },
  },
  rule: { name: 'e-prop-1' },
  loss: { kind: 'square' },
  optimizer: { kind: 'adam', rates: { in: 0.001, rec: 0.001, out: 0.001 } },
  training: { total: 1000, streams: 10 },
  evaluation: { total: 10, streams: 10 },
};
const experiment = join(values.folder, 'experiment.json');
writeFileSync(experiment, JSON.stringify(config, null, 2));
const main = new URL('../dist/src/cli/main.js', import.meta.url).pathname;
const watched = `process.on('exit', () => console.error('most memory (MB): ' + Math.round(process.resourceUsage().maxRSS / 1000)))`;
const args = ['--import', `data:text/javascript,${encodeURIComponent(watched)}`, main, 'train', experiment];
const out = ['--out', join(values.folder, 'run'), '--no-figures', '--threads', '1'];
const start = performance.now();
const { stderr, stdout, status } = spawnSync(process.execPath, [...args, ...out], { encoding: 'utf8' });
console.log(stdout.trim());
const most = /most memory \(MB\): (\d+)/.exec(stderr)?.[1];
console.log(
  `${values.format}: ${(statSync(path).size / 2 ** 30).toFixed(2)} GiB, ended with ${status} after ${((performance.now() - start) / 1000).toFixed(0)} s, most memory ${most} MB`,
);
if (status !== 0) console.error(stderr);
if (!values.keep) rmSync(values.folder, { recursive: true });
