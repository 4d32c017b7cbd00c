import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/rng.ts';
import { createOptimizer, type Settings } from '../support/optimizers.ts';
import { tolerances } from '../support/tolerances.ts';

/** One weight's steps under a list of gradients, typed from the formulas. */
type Recursion = (gradients: readonly number[], rate: number) => number[];

const cases: readonly {
  readonly settings: Settings;
  readonly slots: readonly string[];
  readonly byHand: Recursion;
}[] = [
  { settings: { kind: 'sgd' }, slots: [], byHand: (gradients, rate) => gradients.map((g) => rate * g) },
  {
    settings: { kind: 'momentum', momentum: 0.8 },
    slots: ['velocity'],
    byHand(gradients, rate) {
      let u = 0;
      return gradients.map((g) => {
        u = 0.8 * u + g;
        return rate * u;
      });
    },
  },
  {
    settings: { kind: 'adam', beta1: 0.7, beta2: 0.95, epsilon: 0.3 },
    slots: ['mean', 'square'],
    byHand(gradients, rate) {
      let m = 0;
      let v = 0;
      return gradients.map((g, index) => {
        const n = index + 1;
        m = 0.7 * m + (1 - 0.7) * g;
        v = 0.95 * v + (1 - 0.95) * g ** 2;
        return ((rate * Math.sqrt(1 - 0.95 ** n)) / (1 - 0.7 ** n)) * (m / (Math.sqrt(v) + 0.3));
      });
    },
  },
  {
    // Every step is larger than delta, so that nothing is left to chance; see below for the rest.
    settings: { kind: 'one-step', delta: 1e-6 },
    slots: [],
    byHand: (gradients) => gradients.map((g) => 1e-6 * Math.sign(g)),
  },
];

it('has a case for every kind of optimiser', () => {
  expect(cases.map(({ settings }) => settings.kind)).toEqual(models.optimizers.map(({ kind }) => kind));
});

describe.each(cases)('$settings.kind', ({ settings, slots, byHand }) => {
  it('is the recursion of its formula, weight by weight', () => {
    const rng = createRng(1);
    const width = 5;
    const gradients = Array.from({ length: 12 }, () => Array.from({ length: width }, () => rng.normal()));
    const optimizer = createOptimizer(settings);
    const state = optimizer.slots.map(() => new Float64Array(width));
    const steps = gradients.map((gradient, n) => {
      const step = Float64Array.from(gradient);
      optimizer.step(step, state, 0.03, n + 1, 0);
      return step;
    });
    for (let s = 0; s < width; s++) {
      const wanted = byHand(
        gradients.map((gradient) => gradient[s]),
        0.03,
      );
      expect(steps.map((step) => step[s])).toBeClose(wanted, tolerances.formula);
    }
  });

  it('keeps one copy of the weights per slot and leaves a gradient of 0 at rest', () => {
    const optimizer = createOptimizer(settings);
    expect(optimizer.kind).toBe(settings.kind);
    expect(optimizer.slots).toEqual(slots);
    const state = slots.map(() => new Float64Array(2));
    const step = Float64Array.of(0, 0);
    optimizer.step(step, state, 1, 1, 0);
    expect(step).toBeBitEqual([0, 0]);
  });
});

describe('adam', () => {
  const first = (epsilon: number, gradient: number) => {
    const step = Float64Array.of(gradient);
    createOptimizer({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon }).step(
      step,
      [new Float64Array(1), new Float64Array(1)],
      1,
      1,
      0,
    );
    return step[0];
  };

  it('has epsilon outside the bias correction, as TensorFlow and NEST', () => {
    const [g, epsilon] = [0.01, 1e-3];
    const outside = (Math.sqrt(0.001) / 0.1) * ((0.1 * g) / (Math.sqrt(0.001 * g * g) + epsilon));
    const inside = g / (g + epsilon);
    expect(first(epsilon, g)).toBeClose(outside, tolerances.formula);
    expect(Math.abs(first(epsilon, g) - inside)).toBeGreaterThan(0.1);
  });

  it('takes a first step of the rate itself, whatever the size of the gradient', () => {
    for (const g of [1e-3, 1, -50]) expect(first(1e-12, g)).toBeClose(Math.sign(g), { relative: 1e-7 });
  });
});

describe('one-step', () => {
  const delta = 0.25;
  const width = 4000;

  /** Steps of `count` updates under one gradient for all weights. [update][weight] */
  const stepsUnder = (gradient: number, rate: number, updates: number, key = 7, block = 0) =>
    Array.from({ length: updates }, (_, n) => {
      const step = new Float64Array(width).fill(gradient);
      createOptimizer({ kind: 'one-step', delta }, key, ['a', 'b']).step(step, [], rate, n + 1, block);
      return step;
    });

  it.each([0.3, -0.07, 1e-3, -4e-4])('moves by delta or not at all, with the mean rate g (%d)', (gradient) => {
    const rate = 0.5;
    const steps = stepsUnder(gradient, rate, 20);
    const all = steps.flatMap((step) => Array.from(step));
    expect(new Set(all)).toEqual(new Set([0, Math.sign(gradient) * delta]));
    const p = Math.abs(rate * gradient) / delta;
    const mean = all.reduce((sum, step) => sum + step, 0) / all.length;
    expect(Math.abs(mean - rate * gradient)).toBeLessThan(4 * delta * Math.sqrt((p * (1 - p)) / all.length));
  });

  it('draws every weight, update, block and key anew, and the same ones again', () => {
    const [first, second] = stepsUnder(0.1, 1, 2);
    expect(stepsUnder(0.1, 1, 1)[0]).toBeBitEqual(first);
    const moved = (a: Float64Array, b: Float64Array) => a.filter((step, s) => step !== 0 && b[s] !== 0).length;
    // Independent draws: both move with probability 0.16.
    const near = (count: number) =>
      expect(Math.abs(count - 0.16 * width)).toBeLessThan(4 * Math.sqrt(0.16 * 0.84 * width));
    near(moved(first, second));
    near(moved(first, stepsUnder(0.1, 1, 1, 8)[0]));
    near(moved(first, stepsUnder(0.1, 1, 1, 7, 1)[0]));
    const next = Float64Array.from(first, (_, s) => first[(s + 1) % width]);
    near(moved(first, next));
  });

  it('has a delta for each block', () => {
    const optimizer = createOptimizer({ kind: 'one-step', delta: { in: 1, rec: 2, out: 3 } }, 1, [
      'in',
      'rec',
      'out',
      'out',
    ]);
    const taken = [0, 1, 2, 3].map((block) => {
      const step = Float64Array.of(-50);
      optimizer.step(step, [], 1, 1, block);
      return step[0];
    });
    expect(taken).toEqual([-1, -2, -3, -3]);
  });

  it('refuses names that no block has, and blocks without one', () => {
    const of = (delta: Record<string, number>) => () => createOptimizer({ kind: 'one-step', delta }, 1, ['in', 'out']);
    expect(of({ in: 1, out: 1, x: 1 })).toThrow(new ConfigError('optimizer.delta', 'x', 'names of in, out'));
    expect(of({ in: 1 })).toThrow(new ConfigError('optimizer.delta.out', undefined, 'what its weights move by'));
  });
});
