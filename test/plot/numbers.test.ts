import { describe, expect, it } from 'vitest';
import { logTicks, niceTicks, tickLabels } from '../../src/plot/numbers.ts';

describe('tickLabels', () => {
  it.each([
    [
      [0, 160_000, 640_000],
      ['0', '160k', '640k'],
    ],
    [
      [0, 500_000, 1_000_000],
      ['0', '0.5M', '1.0M'],
    ],
    [
      [-1, -0.5, 0, 0.5],
      ['−1.0', '−0.5', '0', '0.5'],
    ],
    [
      [0, 2000, 8000],
      ['0', '2000', '8000'],
    ],
    [
      [0, 0.00005, 0.0001],
      ['0', '0.5e−4', '1.0e−4'],
    ],
    [
      [1000, 1000.005, 1000.01],
      ['1000.000', '1000.005', '1000.010'],
    ],
    [
      [1_000_010, 1_000_020],
      ['1000010', '1000020'],
    ],
  ])('%j', (values, labels) => {
    expect(tickLabels(values)).toEqual(labels);
  });
});

describe('niceTicks', () => {
  it('are round and inside the range', () => {
    expect(niceTicks(-0.03, 1.07, 6)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(5000, 640_000, 8)).toEqual([100e3, 200e3, 300e3, 400e3, 500e3, 600e3]);
  });

  it('are at least two, however low the panel', () => {
    for (const [min, max] of [
      [-0.4, 1.3],
      [0.02, 0.31],
      [-1e-4, 1.4e-4],
      [99, 101],
    ]) {
      expect(niceTicks(min, max, 1).length).toBeGreaterThanOrEqual(2);
    }
  });

  it('are integers for neurons, down to a single one', () => {
    expect(niceTicks(-0.5, 3, 4, true)).toEqual([0, 1, 2, 3]);
    expect(niceTicks(-0.5, 0, 4, true)).toEqual([0]);
  });
});

describe('logTicks', () => {
  it('are powers of ten over many decades and finer over few', () => {
    expect(logTicks(0.001, 10, 8)).toEqual([0.001, 0.01, 0.1, 1, 10]);
    expect(logTicks(3, 300, 8)).toEqual([5, 10, 20, 50, 100, 200]);
    expect(logTicks(0.25, 0.9, 8)).toEqual([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
  });
});
