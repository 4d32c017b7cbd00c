import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { tolerances } from '../support/tolerances.ts';

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const softmax = (y: readonly number[]) => {
  const total = y.reduce((sum, value) => sum + Math.exp(value), 0);
  return y.map((value) => Math.exp(value) / total);
};

/** Every registered loss, typed again from its formula. */
const formulas: Readonly<Record<string, (y: readonly number[], target: readonly number[]) => number>> = {
  square: (y, target) => y.reduce((sum, value, k) => sum + (value - target[k]) ** 2 / 2, 0),
  softmax: (y, target) => -softmax(y).reduce((sum, p, k) => sum + target[k] * Math.log(p), 0),
  bernoulli: (y, target) =>
    -y.reduce((sum, x, k) => sum + target[k] * Math.log(logistic(x)) + (1 - target[k]) * Math.log(1 - logistic(x)), 0),
  policy: (y, target) => -softmax(y).reduce((sum, p, k) => sum + target[k] * Math.log(p), 0),
  value: (y) => -y.reduce((sum, value) => sum + value, 0),
};

it('has a formula for every registered loss', () => {
  expect(Object.keys(formulas)).toEqual(models.losses.map(({ kind }) => kind));
});

const values = fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: 6, maxLength: 6 });
const y = [0.3, -1.2, 2.5, 0.1, -0.4, 1.1];
const target = [0.2, 0.5, 0.3, 0, 1, 0];

describe.each(models.losses)('$kind', ({ kind, params, derive }) => {
  const loss = derive(params.parse({ kind }) as never);

  it('is its formula, on its own row', () => {
    const [row, nOut] = [3, 3];
    const want = formulas[kind](y.slice(3), target.slice(3));
    expect(loss.value(Float64Array.from(y), Float64Array.from(target), row, nOut)).toBeClose(want, tolerances.formula);
  });

  it('says whether it reads a target', () => {
    const errorAt = (aim: readonly number[]) => {
      const error = new Float64Array(3);
      loss.error(error, Float64Array.from(y.slice(3)), Float64Array.from(aim), 0, 3);
      return error;
    };
    const [one, other] = [errorAt([1, 0, 0]), errorAt([0, 0, 1])];
    if (loss.targetless) expect(one).toBeBitEqual(other);
    else expect(one).not.toBeBitEqual(other);
  });

  it('has the derivative of its value as its error, for targets that sum to 1', () => {
    fc.assert(
      fc.property(values, values, (logits, raw) => {
        const wanted = softmax(raw.slice(0, 3));
        const error = new Float64Array(6).fill(7);
        const at = Float64Array.from([...wanted, ...wanted]);
        loss.error(error, Float64Array.from(logits), at, 3, 3);
        expect(error.subarray(0, 3)).toBeBitEqual([7, 7, 7]);
        for (let k = 0; k < 3; k++) {
          const shifted = (h: number) =>
            loss.value(
              Float64Array.from(logits, (value, s) => (s === 3 + k ? value + h : value)),
              at,
              3,
              3,
            );
          const difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
          expect(error[3 + k]).toBeClose(difference, { relative: 0, absolute: 1e-8 });
        }
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('stays finite at enormous outputs', () => {
    const big = Float64Array.of(1000, -1000, 0);
    const wanted = Float64Array.of(0, 1, 0);
    const error = new Float64Array(3);
    loss.error(error, big, wanted, 0, 3);
    expect(error.every(Number.isFinite)).toBe(true);
    expect(Number.isFinite(loss.value(big, wanted, 0, 3))).toBe(true);
  });
});

it('a policy has an error where it acts, and its entropy beside it', () => {
  const policy = models.losses.find(({ kind }) => kind === 'policy');
  const loss = policy?.derive({ kind: 'policy', entropy: 0.3 } as never);
  const logits = Float64Array.of(0.4, -0.2);
  const [still, chosen] = [Float64Array.of(0, 0), Float64Array.of(0, 1)];
  const error = Float64Array.of(5, 5);
  loss?.error(error, logits, still, 0, 2);
  loss?.aside?.(error, logits, still, 0, 2, 2);
  expect(Array.from(error)).toEqual([0, 0]);
  expect(loss?.value(logits, still, 0, 2)).toBe(0);
  loss?.error(error, logits, chosen, 0, 2);
  loss?.aside?.(error, logits, chosen, 0, 2, 1);
  const at = (k: number, h: number) =>
    loss?.value(
      logits.map((y, s) => (s === k ? y + h : y)),
      chosen,
      0,
      2,
    ) ?? 0;
  for (const k of [0, 1]) expect(error[k]).toBeCloseTo((at(k, 1e-5) - at(k, -1e-5)) / 2e-5, 8);
});

it('squares are a regression, cross-entropies classify', () => {
  expect(models.losses.map((loss) => loss.derive({ kind: loss.kind } as never).classification)).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});

it('a softmax does not know a shift of all its outputs', () => {
  const wanted = Float64Array.of(0.2, 0.3, 0.5);
  const loss = models.losses[1].derive({ kind: 'softmax' } as never);
  const at = (shift: number) => loss.value(Float64Array.of(shift, shift + 1, shift - 2), wanted, 0, 3);
  expect(at(1234)).toBeClose(at(0), { relative: 1e-12 });
});
