// Whether the segregated-dendrite rules learn `pattern-generation` in floating point: a grid of their rates, three seeds.
//
//     npm run build && node scripts/dendrite-patterns.mjs [--seeds 3] [--jobs 2] [--out docs/results/dendrite-patterns.jsonl]
//
// Cells that FILE has already are not run again; the table is of all that it has.
import { fork } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { rowsIn } from './seedTable.mjs';

const running = 'rateTerm={"strength":0.3,"targetHz":10,"mean":"running","runningRate":0.001}';

/** Every setting as a list of `path=value`. */
function settings() {
  const all = [['rule={"name":"readout-only"}'], ['rule.name=e-prop-1']];
  for (const name of ['sg-r-d', 'sg-r-d-lean', 'sg-v']) {
    const slow = name === 'sg-v';
    for (const steps of slow ? [1] : [1, 20]) {
      for (const [rateA, rateJ] of [
        ...(slow
          ? [[0.03, 0.03]]
          : [
              [0.5, 0.5],
              [0.05, 0.05],
            ]),
        [0.005, 0.0005],
      ]) {
        for (const rate of slow ? [1e-4, 1e-2] : [1e-5, 1e-4, 1e-3, 1e-2]) {
          const own = [
            `rule.name=${name}`,
            `rule.stepsPerPhase=${steps}`,
            `rule.rateA=${rateA}`,
            `rule.rateJ=${rateJ}`,
          ];
          const rates = [`optimizer.rates.in=${rate}`, `optimizer.rates.rec=${rate}`];
          all.push([...own, ...rates, ...(slow ? [running] : [])]);
        }
      }
    }
  }
  return all;
}

function run({ set, seed }) {
  const experiment = createExperiment(applySettings(preset('pattern-generation'), [...set, `seed=${seed}`]), catalogue);
  try {
    experiment.train();
    const { lossPerStep, rateHz } = experiment.evaluate();
    return { set, seed, loss: lossPerStep, rateHz };
  } catch (error) {
    return { set, seed, loss: null, failed: error.message };
  } finally {
    experiment.close();
  }
}

const key = ({ set, seed }) => [...set, seed].join(' ');

function table(results) {
  console.log('| setting | loss | seeds | diverged |');
  console.log('|---|---|---|---|');
  for (const set of settings()) {
    const own = results.filter((result) => result.set.join() === set.join());
    const losses = own.filter(({ loss }) => loss !== null).map(({ loss }) => loss);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    const told = losses.length
      ? `${mean.toFixed(4)} (${Math.min(...losses).toFixed(4)}–${Math.max(...losses).toFixed(4)})`
      : '–';
    console.log(`| ${set.join(' ')} | ${told} | ${own.length} | ${own.length - losses.length} |`);
  }
}

function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '3' },
      jobs: { type: 'string', default: '2' },
      out: { type: 'string', default: 'docs/results/dendrite-patterns.jsonl' },
    },
  });
  const read = () => rowsIn(values.out);
  const done = new Set(read().map(key));
  const seeds = Array.from({ length: Number(values.seeds) }, (_, s) => s + 1);
  const cells = settings()
    .flatMap((set) => seeds.map((seed) => ({ set, seed })))
    .filter((cell) => !done.has(key(cell)));
  if (cells.length === 0) return table(read());
  let next = 0;
  let working = Number(values.jobs);
  const feed = (worker) => {
    if (next < cells.length) return worker.send(cells[next++]);
    worker.disconnect();
    if (--working === 0) table(read());
  };
  for (let w = Number(values.jobs); w > 0; w--) {
    const worker = fork(process.argv[1], ['--worker']);
    worker.on('message', (result) => {
      appendFileSync(values.out, `${JSON.stringify(result)}\n`);
      feed(worker);
    });
    feed(worker);
  }
}

if (process.argv[2] === '--worker') process.on('message', (cell) => process.send(run(cell)));
else main();
