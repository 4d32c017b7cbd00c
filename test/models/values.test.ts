import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/rng.ts';
import { decayPerStep } from '../../src/core/units.ts';
import {
  decayValues,
  mapValues,
  perNeuron,
  resolveDecays,
  resolveValues,
  type Values,
  valuesOf,
} from '../../src/core/values.ts';
import { liveExperiment } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const path = 'network.neuron.vTh';
const anything = () => true;

function resolve(values: Values, size: number, seed = 1, valid: (value: number) => boolean = anything) {
  return resolveValues(values, size, createRng(seed), path, valid, 'a threshold > 0');
}

function drawn(values: Values, size: number, seed = 1): Float64Array {
  const numbers = resolve(values, size, seed);
  if (typeof numbers === 'number') throw new Error('one number for all');
  return numbers;
}

const mean = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
function deviation(x: Float64Array): number {
  const middle = mean(x);
  return Math.sqrt(mean(x.map((value) => (value - middle) ** 2)));
}

describe('a parameter of every neuron', () => {
  it('is one number for all as it is', () => {
    expect(resolve(0.7, 5)).toBe(0.7);
  });

  it('is a list of one number for each, and no other list', () => {
    expect(resolve([3, 1, 2], 3)).toBeBitEqual([3, 1, 2]);
    for (const list of [
      [3, 1],
      [3, 1, 2, 4],
    ]) {
      expect(() => resolve(list, 3)).toThrow(ConfigError);
      expect(() => resolve(list, 3)).toThrow(`${path}: got "${list.length} values", expected 3, one per neuron`);
    }
  });

  it('is drawn evenly between two bounds', () => {
    const x = drawn({ kind: 'uniform', low: -1, high: 3 }, 20_000);
    expect(Math.min(...x)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...x)).toBeLessThan(3);
    expect(Math.abs(mean(x) - 1)).toBeLessThan((4 * (4 / Math.sqrt(12))) / Math.sqrt(20_000));
    expect(deviation(x) / (4 / Math.sqrt(12))).toBeCloseTo(1, 1);
    expect(Math.max(...x)).toBeGreaterThan(2.99);
    expect(Math.min(...x)).toBeLessThan(-0.99);
  });

  it('is drawn about a mean with a standard deviation', () => {
    const x = drawn({ kind: 'normal', mean: 2, sd: 0.5 }, 20_000);
    expect(Math.abs(mean(x) - 2)).toBeLessThan((4 * 0.5) / Math.sqrt(20_000));
    expect(deviation(x) / 0.5).toBeCloseTo(1, 1);
  });

  it('is drawn about a median, with a normal logarithm', () => {
    const x = drawn({ kind: 'log-normal', median: 8, sigma: 0.3 }, 20_000);
    const logs = x.map(Math.log);
    expect(Math.abs(mean(logs) - Math.log(8))).toBeLessThan((4 * 0.3) / Math.sqrt(20_000));
    expect(deviation(logs) / 0.3).toBeCloseTo(1, 1);
    expect(Math.min(...x)).toBeGreaterThan(0);
  });

  it.each<Values>([
    { kind: 'uniform', low: 2, high: 2 },
    { kind: 'normal', mean: 2, sd: 0 },
    { kind: 'log-normal', median: 2, sigma: 0 },
  ])('without spread is the same for all: %o', (values) => {
    expect(resolve(values, 3)).toBeBitEqual([2, 2, 2]);
  });

  it.each<Values>([
    { kind: 'uniform', low: 1, high: 2 },
    { kind: 'normal', mean: 1, sd: 0.1 },
    { kind: 'log-normal', median: 1, sigma: 0.1 },
  ])('has the same numbers for the same seed, and others for another: %o', (values) => {
    expect(drawn(values, 9, 4)).toBeBitEqual(drawn(values, 9, 4));
    expect(drawn(values, 9, 4)).not.toBeBitEqual(drawn(values, 9, 5));
    expect(new Set(drawn(values, 9, 4)).size).toBe(9);
    expect(drawn(values, 4, 4)).toBeBitEqual(drawn(values, 9, 4).subarray(0, 4));
  });

  it('out of range is refused by path, neuron and number', () => {
    const values = { kind: 'normal', mean: 1, sd: 0.6 } as const;
    const numbers = drawn(values, 50, 2);
    const odd = numbers.findIndex((value) => value <= 0);
    expect(odd).toBeGreaterThan(0);
    const build = () => resolve(values, 50, 2, (value) => value > 0);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(
      `${path}[${odd}]: got ${numbers[odd]}, expected a threshold > 0 (drawn; a narrower distribution)`,
    );
  });

  it('is made one for each, or what follows from it', () => {
    expect(perNeuron(2, 3)).toBeBitEqual([2, 2, 2]);
    expect(perNeuron(Float64Array.of(1, 2), 2)).toBeBitEqual([1, 2]);
    expect(mapValues(2, (value) => 3 * value)).toBe(6);
    expect(mapValues(Float64Array.of(1, 2), (value) => 3 * value)).toBeBitEqual([3, 6]);
  });
});

describe('its schema', () => {
  const schema = valuesOf(z.number().positive());

  it.each<unknown>([
    0,
    'high',
    [],
    [1, -1],
    { kind: 'uniform', low: 0, high: 1 },
    { kind: 'uniform', low: 1 },
    { kind: 'uniform', low: 2, high: 1 },
    { kind: 'normal', mean: 1, sd: -1 },
    { kind: 'log-normal', median: 0, sigma: 1 },
    { kind: 'log-normal', median: 1, sigma: 1, mean: 2 },
    { kind: 'gamma', mean: 1 },
  ])('refuses %j', (values) => {
    expect(schema.safeParse(values).success).toBe(false);
  });

  it.each<Values>([
    1,
    [1, 2],
    { kind: 'uniform', low: 1, high: 2 },
    { kind: 'normal', mean: 1, sd: 0 },
    { kind: 'log-normal', median: 1, sigma: 1 },
  ])('takes %j as it is', (values) => {
    expect(schema.parse(values)).toEqual(values);
  });
});

describe('a decay of every neuron', () => {
  const decays = (setting: unknown, size: number) =>
    resolveDecays(decayValues.parse(setting), size, 0.5, createRng(1), 'network.neuron.membrane');

  it('comes from a time constant and the step, or is given', () => {
    expect(decays({ tauMs: 10 }, 3)).toBe(decayPerStep(10, 0.5));
    expect(decays({ tauMs: [10, 20] }, 2)).toBeClose([Math.exp(-0.05), Math.exp(-0.025)], tolerances.formula);
    expect(decays({ decay: 0.3 }, 3)).toBe(0.3);
    expect(decays({ decay: [0.3, 0.4] }, 2)).toBeBitEqual([0.3, 0.4]);
  });

  it('drawn out of its range is refused by path and neuron', () => {
    const low = () => decays({ tauMs: { kind: 'normal', mean: 1, sd: 50 } }, 20);
    expect(low).toThrow(ConfigError);
    expect(low).toThrow(/^network\.neuron\.membrane\.tauMs\[\d+\]: got -.*, expected a time constant > 0 ms/);
    const high = () => decays({ decay: { kind: 'normal', mean: 0.9, sd: 1 } }, 20);
    expect(high).toThrow(/^network\.neuron\.membrane\.decay\[\d+\]: got .*, expected a decay per step in \[0, 1\)/);
    expect(() => decays({ decay: { kind: 'normal', mean: 0.9, sd: 0.1 } }, 20)).toThrow(/decay\[\d+\]: got 1\./);
    expect(() => decays({ decay: [0.1, 0.2, 0.3] }, 2)).toThrow(
      'network.neuron.membrane.decay: got "3 values", expected 2, one per neuron',
    );
  });
});

describe('in a network', () => {
  const build = (neuron: object, seed = 5) =>
    liveExperiment({ neuron: { label: '', params: { kind: 'lif', vTh: 0.5, ...neuron } }, seed }).run.network.spec
      .populations[0].neuron;
  const thresholds = (neuron: object, seed = 5) => {
    const out = new Float64Array(7);
    build(neuron, seed).threshold?.({}, 0, out);
    return out;
  };
  const vTh = { kind: 'uniform', low: 0.4, high: 0.6 };

  it('numbers follow the seed, and not what else is drawn', () => {
    expect(thresholds({ vTh })).toBeBitEqual(thresholds({ vTh }));
    expect(thresholds({ vTh })).not.toBeBitEqual(thresholds({ vTh }, 6));
    const membrane = { decay: { kind: 'uniform', low: 0.4, high: 0.6 } };
    expect(thresholds({ vTh, membrane })).toBeBitEqual(thresholds({ vTh }));
    const { eligibility } = build({ vTh, membrane });
    if (eligibility?.form !== 'linear') throw new Error('neurons that differ have matrices');
    expect(eligibility.transition).not.toBeClose(thresholds({ vTh }), { relative: 1e-3 });
    expect(eligibility.reset).toBeBitEqual(thresholds({ vTh }));
  });

  it('two time constants of a neuron are drawn apart', () => {
    const spread = { decay: { kind: 'uniform', low: 0.4, high: 0.6 } };
    const { eligibility } = build({ kind: 'cuba-lif', membrane: spread, synapse: spread });
    if (eligibility?.form !== 'linear') throw new Error('neurons that differ have matrices');
    const [alpha, , , sigma] = eligibility.transition;
    expect(sigma).not.toBe(alpha);
  });

  it.each([
    [{ vTh: { kind: 'normal', mean: 0.1, sd: 1 } }, /^network\.neuron\.vTh\[\d\]: got -.*, expected a threshold > 0/],
    [{ gamma: { kind: 'normal', mean: 0.1, sd: 1 } }, /^network\.neuron\.gamma\[\d\]: got -.*, expected a height > 0/],
    [
      { psiWidth: { kind: 'normal', mean: 0.1, sd: 1 } },
      /^network\.neuron\.psiWidth\[\d\]: got -.*, expected a number > 0/,
    ],
    [{ membrane: { tauMs: { kind: 'normal', mean: 1, sd: 9 } } }, /^network\.neuron\.membrane\.tauMs\[\d\]: got -/],
    [{ rest: [0, 1] }, /^network\.neuron\.rest: got "2 values", expected 7, one per neuron/],
  ])('what is wrong is refused by its place: %j', (neuron, message) => {
    expect(() => build(neuron)).toThrow(ConfigError);
    expect(() => build(neuron)).toThrow(message);
  });
});
