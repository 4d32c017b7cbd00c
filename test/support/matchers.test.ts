import { describe, expect, it } from 'vitest';

function messageOf(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('toBeClose', () => {
  it('takes numbers, arrays, typed arrays and nested arrays', () => {
    expect(1).toBeClose(1 + 1e-13, { relative: 1e-12 });
    expect(Float64Array.of(1, 2)).toBeClose([1, 2], { relative: 0 });
    expect([[1], [Float64Array.of(2)]]).toBeClose([[1], [[2]]], { relative: 0 });
    expect([0, 1e-9]).toBeClose([0, 0], { relative: 0, absolute: 1e-8 });
  });

  it('measures against the largest expected entry', () => {
    expect([1000, 1e-9]).toBeClose([1000, 0], { relative: 1e-11 });
    expect([1000, 1e-7]).not.toBeClose([1000, 0], { relative: 1e-11 });
  });

  it('prints the worst element, its index and both values', () => {
    const message = messageOf(() =>
      expect([
        [1, 2],
        [3, 4.5],
      ]).toBeClose(
        [
          [1, 2.1],
          [3, 4],
        ],
        { relative: 1e-3 },
      ),
    );
    expect(message).toContain('worst at [1][1]: got 4.5, expected 4');
  });

  it.each([
    ['NaN', [1, Number.NaN], [1, 2]],
    ['an expected NaN', [1, 2], [1, Number.NaN]],
    ['a shorter list', [1], [1, 2]],
    ['another shape', [[1, 2]], [[1], [2]]],
    ['infinity', [Number.POSITIVE_INFINITY], [1]],
  ])('refuses %s', (_name, got, want) => {
    expect(messageOf(() => expect(got).toBeClose(want, { relative: 1 }))).not.toBe('');
  });
});

describe('toBeBitEqual', () => {
  it('tells 0 from -0 and the last bit, and NaN from nothing', () => {
    expect([0, Number.NaN]).toBeBitEqual([0, Number.NaN]);
    expect([0]).not.toBeBitEqual([-0]);
    expect([1]).not.toBeBitEqual([1 + Number.EPSILON]);
  });
});
