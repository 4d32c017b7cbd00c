import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/rng.ts';
import { createOptimizer, type OptimizerSettings } from '../../src/optim/index.ts';
import { tolerances } from '../support/tolerances.ts';

/** One weight's steps under a list of gradients, typed from the formulas. */
type Recursion = (gradients: readonly number[], rate: number) => number[];

const cases: readonly {
  readonly settings: OptimizerSettings;
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
];

it('has a case for every kind of optimiser', () => {
  const kinds: Record<OptimizerSettings['kind'], true> = { sgd: true, momentum: true, adam: true };
  expect(cases.map(({ settings }) => settings.kind)).toEqual(Object.keys(kinds));
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
      optimizer.step(step, state, 0.03, n + 1);
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
    optimizer.step(step, state, 1, 1);
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
    for (const g of [1e-3, 1, -50]) expect(first(1e-16, g)).toBeClose(Math.sign(g), { relative: 1e-9 });
  });
});
