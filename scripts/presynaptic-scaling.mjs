// Whether presynaptic-dependent scaling is stable where plain synaptic scaling is not (Buonomano 2005).
//
//     npm run build && node scripts/presynaptic-scaling.mjs [--seeds 2] [--trials 3000] [--presynaptic both|true|false]
//
// 80 excitatory and 20 inhibitory current-based LIF neurons, 10 of the former kicked at step 5 of every trial of 150 steps; all
// synapses of excitatory neurons are scaled towards 1 spike per trial of excitatory neurons, 2 of inhibitory ones. Prints what the
// excitatory neurons did in the last tenth of the trials.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { createRng } from '../dist/src/core/rng.js';
import { rowAt } from '../dist/src/core/rows.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { mean } from './seedTable.mjs';

const sizes = { exc: 80, inh: 20 };
const steps = 150;
/** What a unit of weight adds to the membrane. */
const gain = 0.3;
const noise = 0.008;
const kick = { cells: 10, step: 5, size: 0.4 };

/** Noise for every neuron, and a kick for the first ones. */
const kicked = {
  kind: 'kicked',
  source: 'scripts/presynaptic-scaling.mjs',
  params: z.strictObject({ kind: z.literal('kicked') }),
  derive: () => ({
    nIn: sizes.exc + sizes.inh,
    nOut: 1,
    mode: { kind: 'trial', steps },
    statesExpected: false,
    bounds: [],
    testIsNew: true,
    inputPopulations: Object.entries(sizes).map(([label, size]) => ({ label, size })),
    fill({ x, xStride, target, weight }, rng, trial) {
      const own = rng.split(trial);
      for (let t = 0; t < steps; t++) {
        for (let i = 0; i < sizes.exc + sizes.inh; i++) {
          const kicks = t === kick.step && i < kick.cells ? kick.size : 0;
          x[t * xStride + i] = noise * own.normal() + kicks;
        }
        target[t] = 0;
        weight[t] = 1;
      }
    },
  }),
};

function configOf(seed, trials, presynaptic) {
  const neuron = { kind: 'cuba-lif', membrane: { tauMs: 10 }, synapse: { tauMs: 5 }, vTh: 1, nRef: 5, reset: 'zero' };
  const scaling = { kind: 'presynaptic-scaling', averageRate: 0.05, rate: 0.01, largest: 0.6 * gain, presynaptic };
  const input = (to) => ({
    from: `input.${to}`,
    to,
    connectivity: { kind: 'one-to-one' },
    init: { kind: 'constant', value: 1 },
    plastic: false,
  });
  const between = (from, to, own) => ({
    from,
    to,
    connectivity: { kind: 'probability', p: 0.25 },
    init: { kind: 'constant', value: 0.06 * gain },
    dale: from === 'exc' ? 'excitatory' : 'inhibitory',
    ...own,
  });
  return {
    name: 'presynaptic-scaling',
    seed,
    task: { kind: 'kicked' },
    network: {
      populations: { exc: { size: sizes.exc, neuron }, inh: { size: sizes.inh, neuron } },
      projections: {
        'input-exc': input('exc'),
        'input-inh': input('inh'),
        'exc-exc': between('exc', 'exc', { scaling: { ...scaling, goal: 1 } }),
        'exc-inh': between('exc', 'inh', { scaling: { ...scaling, goal: 2 }, delayMs: 1 }),
        'inh-exc': between('inh', 'exc', { plastic: false }),
        'inh-inh': between('inh', 'inh', { plastic: false }),
      },
      readouts: { out: { from: 'exc' } },
    },
    rule: { name: 'readout-only' },
    loss: { kind: 'square' },
    optimizer: { kind: 'sgd', rates: { 'exc-exc': 0, 'exc-inh': 0, out: 0 } },
    training: { total: trials },
  };
}

/** Weights N(0.06, 0.02), those of inhibitory neurons 1.5 times as large, those onto inhibitory neurons 0.6 times. */
function drawWeights(weights, seed) {
  for (const name of ['exc-exc', 'exc-inh', 'inh-exc', 'inh-inh']) {
    const rng = createRng(seed).split('given weights').split(name);
    const scale = gain * (name.startsWith('inh') ? -1.5 : 1) * (name.endsWith('inh') ? 0.6 : 1);
    for (let s = 0; s < weights[name].length; s++) weights[name][s] = scale * Math.max(0, 0.06 + 0.02 * rng.normal());
  }
}

/** Spikes of every excitatory neuron in the last tenth of the trials. [trial][neuron] */
function countsOf(seed, trials, presynaptic) {
  const experiment = createExperiment(configOf(seed, trials, presynaptic), { ...catalogue, tasks: [kicked] });
  const { network, clock } = experiment.run;
  drawWeights(network.weights, seed);
  const [{ z }] = network.activity;
  const counts = [];
  for (const _ of experiment.trainTrials()) {
    if (clock.trial <= 0.9 * trials) continue;
    const own = new Array(sizes.exc).fill(0);
    for (let t = 0; t < steps; t++) for (let i = 0; i < sizes.exc; i++) own[i] += z.data[rowAt(z, 0, t) + i];
    counts.push(own);
  }
  return counts;
}

const sd = (values) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2' },
    trials: { type: 'string', default: '3000' },
    presynaptic: { type: 'string', default: 'both' },
  },
});
console.log(
  '| factor A_i | seed | spikes per cell | cells, least and most | sd over trials | largest trial | most of a cell |',
);
console.log('|---|---|---|---|---|---|---|');
for (const presynaptic of values.presynaptic === 'both' ? [true, false] : [values.presynaptic === 'true']) {
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const counts = countsOf(seed, Number(values.trials), presynaptic);
    const ofTrials = counts.map(mean);
    const ofCells = counts[0].map((_, i) => mean(counts.map((trial) => trial[i])));
    const most = Math.max(...counts.flat());
    const cells = `${Math.min(...ofCells).toFixed(2)}, ${Math.max(...ofCells).toFixed(2)}`;
    const row = [mean(ofTrials).toFixed(2), cells, sd(ofTrials).toFixed(2), Math.max(...ofTrials).toFixed(2), most];
    console.log(`| ${presynaptic ? 'yes' : 'no'} | ${seed} | ${row.join(' | ')} |`);
  }
}
