import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { divergingColour } from '../../src/plot/colourMap.ts';
import { renderWeights } from '../../src/plot/index.ts';
import type { WeightsData } from '../../src/plot/types.ts';
import { decode, frames, project } from './pixels.ts';

/** [pre][post] with 2 rows and 3 columns. */
const matrix = { label: 'W', pre: 2, post: 3, values: [-1, 0, 0.5, Number.NaN, 1, -0.25] };

describe('renderWeights', () => {
  it('draws the weight of pre i and post j in row i, counted from the top, and column j', async () => {
    const picture = await decode(renderWeights({ matrices: [matrix] }));
    const [box] = frames(picture);
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 3; j++) {
        const x = project(j, [-0.5, 2.5], box.left, box.right);
        const y = project(i, [-0.5, 1.5], box.top, box.bottom);
        expect(picture.at(x, y), `pre ${i}, post ${j}`).toEqual(divergingColour(matrix.values[3 * i + j], 1));
      }
    }
  });

  it('uses one scale for all matrices', async () => {
    const after = { ...matrix, values: matrix.values.map((value) => 4 * value) };
    const picture = await decode(renderWeights({ matrices: [matrix, after] }, { width: 800 }));
    const before = picture.at(120, picture.height / 4); // pre 0, post 0
    expect(before).toEqual(divergingColour(-1, 4));
  });
});

describe('divergingColour', () => {
  it('is symmetric: equal weights of either sign are equally far from zero', () => {
    const distance = (weight: number) => Math.hypot(...divergingColour(weight, 1).map((value) => value - 247));
    expect(distance(0)).toBe(0);
    for (const weight of [0.25, 0.5, 1]) expect(distance(-weight) / distance(weight)).toBeCloseTo(1, 0);
  });

  it('ends at the limit', () => {
    expect(divergingColour(7, 1)).toEqual(divergingColour(1, 1));
    expect(divergingColour(-7, 1)).toEqual(divergingColour(-1, 1));
  });
});

describe('renderWeights refuses', () => {
  const cases: [string, WeightsData, RegExp][] = [
    ['no matrices', { matrices: [] }, /matrices\.length: got 0/],
    [
      'values that are not pre * post',
      { matrices: [{ ...matrix, pre: 3 }] },
      /matrices\[0\]\.values\.length: got 6, expected 9/,
    ],
    [
      'an infinite weight',
      { matrices: [{ label: '', pre: 1, post: 1, values: [1 / 0] }] },
      /values\[0\]: got Infinity/,
    ],
    ['a size that is NaN', { matrices: [{ ...matrix, pre: Number.NaN }] }, /pre: got NaN/],
    ['a limit of zero', { matrices: [matrix], limit: 0 }, /limit: got 0/],
  ];
  it.each(cases)('%s', (_, bad, message) => {
    expect(() => renderWeights(bad)).toThrow(ConfigError);
    expect(() => renderWeights(bad)).toThrow(message);
  });

  it('more matrices than fit', () => {
    expect(() => renderWeights({ matrices: [matrix, matrix, matrix] }, { width: 300 })).toThrow(/options\.width/);
  });
});
