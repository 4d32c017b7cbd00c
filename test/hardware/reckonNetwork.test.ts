import { describe, expect, it } from 'vitest';
import {
  agreementOf,
  exportImage,
  imageOfStream,
  loadReckon,
  readImage,
  reckonOf,
  spikesOf,
  spiStream,
  writeImage,
} from '../../hardware/index.ts';
import { models } from '../../models/index.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { ConfigError, createExperiment, type Experiment, runTrial, UnsupportedError } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { closedDynamicsOf } from '../support/live.ts';

interface Given {
  readonly inputs?: number;
  readonly outputs?: number;
  readonly network?: object;
  readonly neuron?: object;
  readonly readout?: object;
  readonly seed?: number;
}

function trained({
  inputs = 20,
  outputs = 2,
  network = {},
  neuron = {},
  readout = {},
  seed = 1,
}: Given = {}): Experiment {
  const experiment = createExperiment(
    {
      seed,
      backend: 'reference',
      task: { kind: 'pattern-generation', steps: 100, inputs, outputs },
      network: {
        neurons: 31,
        neuron: { kind: 'lif', ...neuron },
        readout: { kind: 'leaky', ...readout },
        input: { init: { kind: 'normal', gain: 2 } },
        ...network,
      },
      rule: { name: 'e-prop-1' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: 1e-4, rec: 1e-4, out: 1e-4 } },
      training: { total: 4 },
    },
    { ...models, tasks },
  );
  experiment.train();
  return experiment;
}

/** Rows of input and spikes of one trial from rest. */
function trial(experiment: Experiment) {
  const { run, feed } = experiment.observer(1);
  const { step } = run.network.spec.sizes;
  feed.fill(step);
  runTrial(run, step, { learn: false });
  const rowsOf = (rows: Rows) =>
    Array.from({ length: step }, (_, t) => {
      const at = rowAt(rows, 0, t);
      return Array.from(rows.data.subarray(at, at + rows.size));
    });
  return { x: rowsOf(run.network.trial.x), z: rowsOf(run.network.activity[0].z) };
}

describe('a trained network on ReckOn', () => {
  const experiment = trained({ network: { input: { init: { kind: 'normal', gain: 2 }, bias: 0.02 } } });
  const made = reckonOf(experiment.run.network);
  const { x, z } = trial(experiment);
  const spikes = spikesOf(made.chip, x, 31);

  it('makes the same spikes after its image was written and read', () => {
    const image = exportImage(made.chip);
    expect(spikes).toHaveLength(100);
    expect(agreementOf(spikes, spikes).first).toBeGreaterThan(100);
    for (const again of [readImage(writeImage(image), 'a.json'), imageOfStream(spiStream(image))]) {
      expect(spikesOf(loadReckon(again), x, 31)).toEqual(spikes);
    }
  });

  it('spikes as the float network does, but for its roundings', () => {
    const { share, first, second } = agreementOf(z, spikes);
    expect(first).toBeGreaterThan(100);
    expect(second).toBeGreaterThan(100);
    // Weights of 8 bit move spikes by a step here and there, and those move others: 0.74.
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(1);
    const other = reckonOf(
      trained({ network: { input: { init: { kind: 'normal', gain: 2 }, bias: 0.02 } }, seed: 2 }).run.network,
    );
    expect(agreementOf(z, spikesOf(other.chip, x, 31)).share).toBeLessThan(0.3);
  });

  it('holds weights, threshold and decay on one scale', () => {
    const { chip, membraneUnit, weightStep } = made;
    const { weights, spec } = experiment.run.network;
    const words = chip.weights();
    expect(chip.config.THR[0]).toBe(Math.floor(0.6 * membraneUnit) + 1);
    expect(chip.config.ALPHA[0] / 2 ** 15).toBeCloseTo(closedDynamicsOf(spec).decay, 4);
    expect(chip.config.SPI_NUM_INP_NEUR).toBe(21);
    expect(chip.config.SPI_NUM_REC_NEUR).toBe(31);
    let most = 0;
    for (let i = 0; i < 21; i++)
      for (let j = 0; j < 31; j++) {
        const word = words.inp[i * 32 + j];
        expect(Math.abs(word * weightStep.inp - weights.in[i * 31 + j])).toBeLessThanOrEqual(0.5001 * weightStep.inp);
        most = Math.max(most, Math.abs(word));
      }
    expect(most).toBe(127);
    // The silent neuron that makes their number even.
    for (let i = 0; i < 32; i++) expect([words.rec[i * 32 + 31], words.rec[31 * 32 + i]]).toEqual([0, 0]);
    for (let i = 0; i < 31; i++) expect(words.rec[i * 32 + i]).toBe(0);
  });

  it('is the float network with a membrane rounded down, where all other numbers are whole ones of the chip', () => {
    const exact = trained({
      neuron: { membrane: { decay: 1 - 2 ** -5 }, vTh: 1, reset: 'zero' },
      network: {
        input: { init: { kind: 'constant', value: 1 } },
        recurrent: { init: { kind: 'constant', value: 1 } },
      },
    });
    const { in: wIn, rec: wRec } = exact.run.network.weights;
    for (let s = 0; s < wIn.length; s++) wIn[s] = ((127 - ((91 * s) % 230)) * 16) / 2048;
    for (let s = 0; s < wRec.length; s++) wRec[s] = s % 32 === 0 ? 0 : (4 * ((7 * s) % 61) - 120) / 2048;
    const run = trial(exact);
    const { chip, membraneUnit } = reckonOf(exact.run.network);
    expect(membraneUnit).toBe(2048);
    const lif = (keep: (v: number) => number) => {
      const v = new Float64Array(31);
      let z = new Float64Array(31);
      return run.x.map((x) => {
        const before = z;
        for (let j = 0; j < 31; j++) {
          let current = 0;
          for (let i = 0; i < 20; i++) current += x[i] * wIn[i * 31 + j];
          for (let i = 0; i < 31; i++) current += before[i] * wRec[i * 31 + j];
          v[j] = keep(v[j] * (1 - 2 ** -5) * 2048) * (1 - before[j]) + current * 2048;
          v[j] /= 2048;
        }
        z = v.map((potential) => (potential > 1 ? 1 : 0));
        return [...z];
      });
    };
    expect(lif((u) => u)).toEqual(run.z);
    const floored = lif(Math.floor);
    expect(agreementOf(floored, run.z).share).toBeLessThan(1);
    expect(agreementOf(floored, floored).first).toBeGreaterThan(50);
    expect(spikesOf(chip, run.x, 31).map((row) => [...row])).toEqual(floored);
  });

  it('says what was approximated', () => {
    expect(made.approximations[0]).toBe('weights of 8 bit');
    expect(made.approximations.join()).toMatch(/membrane decay 0\.95123.* in place of 0\.9512/);
    expect(made.approximations.join()).toMatch(/readout biases up to \S+ are left to the reader/);
  });
});

describe('a network that does not fit is refused', () => {
  it.each<[string, Given, RegExp]>([
    ['inputs', { inputs: 257 }, /^task inputs: got 257, expected at most 256 inputs on ReckOn/],
    [
      'inputs with the constant one',
      { inputs: 256, network: { input: { bias: 0 } } },
      /^task inputs: got 257, expected at most 256 inputs, the constant one included, on ReckOn/,
    ],
    ['neurons', { network: { neurons: 257 } }, /^network\.neurons: got 257, expected at most 256 neurons/],
    ['outputs', { outputs: 17 }, /^task outputs: got 17, expected at most 16 outputs/],
    [
      'delay',
      { network: { recurrent: { delayMs: 2 } } },
      /^network\.recurrent\.delayMs: got 2, expected at most 1 step/,
    ],
    [
      'sparse synapses',
      { network: { recurrent: { connectivity: { kind: 'in-degree', n: 3 } } } },
      /^network\.recurrent\.connectivity: got 93, expected 961 synapses: dense/,
    ],
    ['refractory time', { neuron: { nRef: 3 } }, /^network\.neuron\.nRef: got 3, expected 0 or 1 \(steps\)/],
    [
      'decay',
      { neuron: { membrane: { decay: 0.5 } } },
      /^network\.neuron\.membrane\.decay: got 0\.5, expected 0\.875 to 0\.99996\d+ \(per step\)/,
    ],
    ['threshold', { neuron: { vTh: 1e4 } }, /^network\.neuron\.vTh: got 10000, expected at most \d+/],
  ])('%s', (_, given, message) => {
    const make = () => reckonOf(trained(given).run.network);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  it('a weight that is not finite', () => {
    const experiment = trained();
    experiment.run.network.weights.rec[7] = Number.NaN;
    expect(() => reckonOf(experiment.run.network)).toThrow(/^weights\.rec\[7\]: got NaN, expected a finite number/);
  });

  it('an adaptive threshold, and rates', () => {
    expect(() => reckonOf(trained({ neuron: { kind: 'alif' } }).run.network)).toThrow(UnsupportedError);
    expect(() => reckonOf(trained({ neuron: { kind: 'rate' } }).run.network)).toThrow(
      /integrate-and-fire neurons only/,
    );
  });

  it('an input that is no spike', () => {
    const { chip } = reckonOf(trained().run.network);
    expect(() => spikesOf(chip, [[0, 0.5]], 31)).toThrow(/^x\[0\]\[1\]: got 0\.5, expected 0 or 1/);
  });
});
