import { describe, expect, it } from 'vitest';
import { createStore, xorshift } from '../../src/backends/fixed/store.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { type FieldFormat, type NumberFormat, narrowestBits } from '../../src/core/format.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { type LiveOptions, liveCatalogue, liveConfig, liveNeurons, liveReadouts } from '../support/live.ts';

const base: NumberFormat = { bits: 4, fraction: 1, signed: true, rounding: 'nearest', overflow: 'saturate' };

/** A field of given numbers, stored once. */
function stored(format: Partial<NumberFormat>, numbers: readonly number[], chance = () => 0.5) {
  const field: FieldFormat = { field: 'x', format: { ...base, ...format } };
  const values = Float64Array.from(numbers);
  const store = createStore(field, values, new Float64Array(numbers.length), chance);
  store.settle(0, numbers.length);
  return { values: Array.from(values), statistics: store.statistics, field, store, array: values };
}

describe('a store', () => {
  it.each([
    ['floor', [0.7, -0.7, 0.25, 1.5], [0.5, -1, 0, 1.5]],
    ['nearest', [0.7, -0.7, 0.25, -0.25], [0.5, -0.5, 0.5, 0]],
    ['toward-zero', [0.7, -0.7, 1.9, -1.9], [0.5, -0.5, 1.5, -1.5]],
  ] as const)('rounds %s', (rounding, given, want) => {
    expect(stored({ rounding }, given).values).toEqual(want);
  });

  it('rounds stochastically with the right mean, and leaves what is on the grid alone', () => {
    const word = new Float64Array(1);
    const chance = xorshift(word, 7);
    const n = 20_000;
    const { values } = stored({ rounding: 'stochastic', bits: 8 }, new Array<number>(n).fill(0.6), chance);
    expect(new Set(values)).toEqual(new Set([0.5, 1]));
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(mean - 0.6)).toBeLessThan(4 * 0.5 * Math.sqrt((0.2 * 0.8) / n));
    const before = word[0];
    expect(stored({ rounding: 'stochastic' }, [1.5, -2], chance).values).toEqual([1.5, -2]);
    expect(word[0]).toBe(before);
  });

  it('saturates or wraps at the ends of its word', () => {
    const given = [3.5, 3.8, 4, -4, -4.4, 12];
    const ends = stored({}, given);
    expect(ends.values).toEqual([3.5, 3.5, 3.5, -4, -4, 3.5]);
    expect(ends.statistics).toMatchObject({ saturated: 4, wrapped: 0, largest: 12, smallest: -4.4 });
    const round = stored({ overflow: 'wrap' }, given);
    expect(round.values).toEqual([3.5, -4, -4, -4, 3.5, -4]);
    expect(round.statistics).toMatchObject({ saturated: 0, wrapped: 4 });
    expect(stored({ signed: false }, [-1, 7.5, 8]).values).toEqual([0, 7.5, 7.5]);
  });

  it('counts what was tried, what changed and what was lost below one step', () => {
    const { array, store, statistics } = stored({}, [1, 1, 1, 0.2]);
    expect(statistics).toMatchObject({ tried: 4, fired: 3, lost: 1, flushed: 1 });
    array.set([1.1, 1.6, 1, 0.2]);
    store.settle(0, 4);
    expect(Array.from(array)).toEqual([1, 1.5, 1, 0]);
    expect(statistics).toMatchObject({ tried: 7, fired: 4, lost: 3, flushed: 2 });
  });

  it.each([
    [[3.5], 4],
    [[0.5, -0.5], 2],
    [[7.4], 5],
    [[-8], 5],
    [[-8.6], 6],
  ])('names the width that would have held %j', (given, bits) => {
    expect(narrowestBits(stored({}, given).statistics)).toBe(bits);
  });
});

const lif = liveNeurons[0];
const alif = liveNeurons.find(({ label }) => label === 'alif') ?? lif;
const [plain] = liveReadouts;
const update = { update: { unit: 'step' }, streams: 2, total: 80, chunkSteps: 40 };

function build(options: LiveOptions, fixed: object | null): Experiment {
  const config = liveConfig({ ...options, task: { mode: 'stream', target: 'one-hot' }, training: update });
  const backend = fixed ? 'fixed' : 'reference';
  return createExperiment({ ...config, loss: { kind: 'softmax' }, backend, fixed }, liveCatalogue);
}

const rules = ['e-prop-1', 'rflo', 'sg-r-d', 'sg-r-d-lean', 'sg-v', 'sg-r', 'readout-only'];
const cases = rules.flatMap((name) =>
  [lif, alif].flatMap((neuron) => [{ name, neuron, label: `${name} of ${neuron.label}` }]),
);

describe.each(cases)('$label in fixed point', ({ name, neuron }) => {
  const options: LiveOptions = { neuron, readout: plain, rule: { name } };
  const trained = (fixed: object | null) => {
    const experiment = build(options, fixed);
    experiment.train();
    return experiment.run.network;
  };

  it('without formats is the reference, bit for bit', () => {
    expect(trained({ formats: {} }).weights.wRec).toBeBitEqual(trained(null).weights.wRec);
  });

  it('comes nearer to the reference by a half with every bit', () => {
    const want = trained(null);
    const errors = [24, 28, 32].map((fraction) => {
      const got = trained({
        formats: { '*': { bits: 32, fraction: fraction - 8 }, 'neuron.*': { bits: 32, fraction: fraction - 8 } },
      });
      expect(Array.from(got.trial.z)).toEqual(Array.from(want.trial.z));
      const { wOut } = got.weights;
      return Math.hypot(...Array.from(wOut, (w, s) => w - want.weights.wOut[s]));
    });
    for (let k = 1; k < errors.length; k++) {
      // Four bits are a factor of 16; rounding errors are random, so that one run shows it within a factor of 3.
      expect(errors[k - 1] / errors[k]).toBeGreaterThan(16 / 3);
      expect(errors[k - 1] / errors[k]).toBeLessThan(16 * 3);
    }
  });

  it('keeps every number of a format on its grid, and goes on from a checkpoint bit for bit', () => {
    const fixed = {
      formats: { 'weights.*': { bits: 8, range: 4, rounding: 'stochastic' }, 'neuron.v': { bits: 12, range: 4 } },
    };
    const [whole, half, rest] = [build(options, fixed), build(options, fixed), build(options, fixed)];
    whole.train();
    half.train({ until: 40 });
    rest.restore(half.checkpoint());
    rest.train();
    expect(rest.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    const { weights, state } = whole.run.network;
    for (const w of weights.wOut) expect(Number.isInteger(w * 32)).toBe(true);
    for (const v of state.field('neuron.v')) expect(Number.isInteger(v * 512)).toBe(true);
    expect(new Set(weights.wOut).size).toBeGreaterThan(3);
  });
});

describe('what cannot be is refused', () => {
  const formats = (given: object) => () => build({ neuron: lif, readout: plain }, { formats: given });
  it.each([
    ['an unknown field', { 'weights.wRecc': { bits: 8, fraction: 4 } }, /fixed\.formats: got "weights\.wRecc"/],
    ['no step', { 'weights.*': { bits: 8 } }, /fraction/],
    ['two steps', { 'weights.*': { bits: 8, fraction: 3, range: 1 } }, /fraction/],
    ['no bits', { 'weights.*': { bits: 0, fraction: 3 } }, /bits/],
    ['an unknown rounding', { 'weights.*': { bits: 8, fraction: 3, rounding: 'up' } }, /rounding/],
  ])('%s', (_label, given, message) => {
    expect(formats(given)).toThrow(ConfigError);
    expect(formats(given)).toThrow(message);
  });

  it('rules that need more than a chip has, and backends without formats', () => {
    const options = { neuron: lif, readout: plain, rule: { name: 'bptt' } };
    expect(() => build(options, { formats: {} })).toThrow(UnsupportedError);
    const config = liveConfig({ neuron: lif, readout: plain, task: { mode: 'stream' }, training: update });
    const fixed = { formats: { 'weights.*': { bits: 8, fraction: 3 } } };
    expect(() => createExperiment({ ...config, backend: 'wasm', fixed }, liveCatalogue)).toThrow(UnsupportedError);
  });
});
