import { expect, it } from 'vitest';
import { createRng } from '../../../src/core/rng.ts';
import { predictedShare, type Table } from '../../../src/experiment/diagnosis/regression.ts';

/** Rows of five features of any scale and place, and outputs made of them with noise of a given share of the variance. */
function table(seed: number, noise: number, rows = 400): Table {
  const rng = createRng(seed);
  const x = Array.from({ length: rows }, () =>
    Float64Array.from({ length: 5 }, (_, f) => 10 ** f * (rng.normal() + 3)),
  );
  const y = x.map((row) => {
    const signal = row[0] - row[1] / 10 + row[2] / 100;
    return Float64Array.of(signal + Math.sqrt((3 * noise) / (1 - noise)) * rng.normal() + 7, 5);
  });
  return { x, y };
}

it('finds the share of the variance that is there', () => {
  expect(predictedShare(table(1, 0), table(2, 0))).toBeGreaterThan(0.999);
  expect(predictedShare(table(1, 0.5, 4000), table(2, 0.5, 4000))).toBeCloseTo(0.5, 1);
});

it('parts features that go together', () => {
  const together = (seed: number): Table => {
    const rng = createRng(seed);
    const x = Array.from({ length: 400 }, () => {
      const common = rng.normal();
      return Float64Array.from({ length: 5 }, (_, f) => (f - 2.5) * common + rng.normal());
    });
    return { x, y: x.map((row) => Float64Array.of(row[3] - row[1])) };
  };
  expect(predictedShare(together(1), together(2))).toBeGreaterThan(0.98);
});

it('finds none where there is none, in rows that it has not seen', () => {
  const [train, other] = [table(1, 0), table(3, 0)];
  const shuffled = { x: train.x, y: other.y };
  expect(predictedShare(shuffled, { x: table(2, 0).x, y: table(4, 0).y })).toBeLessThan(0.01);
  expect(predictedShare({ x: [], y: [] }, train)).toBe(0);
});

it('takes features and outputs that do not vary', () => {
  const still = { x: table(1, 0).x.map((row) => row.fill(2)), y: table(1, 0).y };
  expect(predictedShare(still, still)).toBeCloseTo(0, 9);
  const flat = { x: table(1, 0).x, y: table(1, 0).y.map((row) => row.fill(2)) };
  expect(predictedShare(flat, flat)).toBe(0);
});
