import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { divergingColour } from '../../src/plot/colourMap.ts';
import { renderHeatMap } from '../../src/plot/index.ts';
import type { HeatMapData } from '../../src/plot/types.ts';
import { decode, frames, project } from './pixels.ts';

const values = [0.4, 0.5, 0.6, 0.7, Number.NaN, 0.9];
const data: HeatMapData = {
  panels: [
    { label: 'one', values },
    { label: 'two', values: values.map((value) => 1 - value) },
  ],
  across: 2,
  rows: ['16', '8'],
  columns: ['a', 'b', 'c'],
  rowTitle: 'weights, bit',
  columnTitle: 'traces, bit',
  middle: 0.5,
  limit: 0.25,
  digits: 2,
};

describe('renderHeatMap', () => {
  it('gives every cell the colour of its distance from the middle, and grey where nothing was measured', async () => {
    const picture = await decode(renderHeatMap({ ...data, across: 1 }));
    const boxes = frames(picture);
    expect(boxes).toHaveLength(2);
    data.panels.forEach((panel, p) => {
      panel.values.forEach((value, n) => {
        // Beside the number in the middle of the cell.
        const x = project((n % 3) - 0.4, [-0.5, 2.5], boxes[p].left, boxes[p].right);
        const y = project(Math.floor(n / 3) - 0.4, [-0.5, 1.5], boxes[p].top, boxes[p].bottom);
        expect(picture.at(x, y), `${panel.label}, cell ${n}`).toEqual(divergingColour(value - 0.5, 0.25));
      });
    });
  });

  it('writes the numbers, light on dark', async () => {
    const picture = await decode(renderHeatMap(data));
    const [box] = frames(picture);
    const darkest = (n: number) => {
      let sum = 0;
      for (let dx = -20; dx <= 20; dx++) {
        const x = project(n % 3, [-0.5, 2.5], box.left, box.right) + dx;
        const y = project(Math.floor(n / 3), [-0.5, 1.5], box.top, box.bottom);
        const background = divergingColour(data.panels[0].values[n] - 0.5, 0.25);
        sum += Math.abs(picture.at(x, y)[0] - background[0]);
      }
      return sum;
    };
    for (const n of [0, 1, 2, 3, 5]) expect(darkest(n), `cell ${n}`).toBeGreaterThan(200);
  });

  it.each([
    [
      'a panel of another size',
      { panels: [{ label: '', values: [1] }] },
      /panels\[0\]\.values\.length: got 1, expected 6/,
    ],
    ['no panels', { panels: [] }, /panels\.length: got 0/],
    ['a limit of 0', { limit: 0 }, /limit: got 0/],
  ])('refuses %s', (_label, change, message) => {
    expect(() => renderHeatMap({ ...data, ...change })).toThrow(ConfigError);
    expect(() => renderHeatMap({ ...data, ...change })).toThrow(message);
  });
});
