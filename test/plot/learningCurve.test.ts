import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { spread } from '../../src/plot/boundLabels.ts';
import { meanCurve, renderLearningCurve, spreadCurve } from '../../src/plot/index.ts';
import type { LearningCurveData } from '../../src/plot/types.ts';
import { count, decode, frames, isBlue, isDark, project } from './pixels.ts';

const X = [0, 10, 20, 30, 40];
/** Three flat seeds around a mean of 2. */
const data: LearningCurveData = {
  xLabel: 'iteration',
  yLabel: 'loss',
  yRange: [0, 4],
  bounds: [{ label: 'chance', value: 3 }],
  groups: [{ label: 'e-prop', runs: [1, 2.25, 2.75].map((level) => ({ x: X, y: X.map(() => level) })) }],
};

it('counts seeds in the legend, unless it is told to give the labels alone or nothing', () => {
  const one = (label: string, legend?: 'seeds' | 'labels' | 'none'): LearningCurveData => ({
    ...data,
    ...(legend ? { legend } : {}),
    groups: [{ label, runs: [{ x: X, y: X }] }],
  });
  const figure = (panel: LearningCurveData) => Buffer.from(renderLearningCurve(panel));
  expect(figure(one('a'))).toEqual(figure(one('a (1 seed)', 'labels')));
  expect(figure(one('a', 'none'))).toEqual(figure(one('', 'labels')));
  expect(figure(one('a', 'none'))).not.toEqual(figure(one('a', 'labels')));
  expect(figure({ ...one('a'), label: 'above' })).not.toEqual(figure(one('a')));
});

describe('renderLearningCurve', () => {
  it('draws a bound dashed, at its value', async () => {
    const picture = await decode(renderLearningCurve(data));
    const [box] = frames(picture);
    const y = project(3, [0, 4], box.bottom, box.top);
    const line = { left: box.left + 4, right: box.right - 4, top: y - 2, bottom: y + 2 };
    const columns = Array.from({ length: Math.floor(line.right - line.left) }, (_, n) =>
      count(picture, { ...line, left: line.left + n, right: line.left + n }, isDark),
    );
    const share = columns.filter((pixels) => pixels > 0).length / columns.length;
    expect(share).toBeGreaterThan(0.4); // dashes of 6 px, gaps of 4
    expect(share).toBeLessThan(0.8);
    const elsewhere = { ...line, top: y - 40, bottom: y - 6 };
    expect(count(picture, elsewhere, isDark)).toBe(0);
  });

  it('writes the label of a bound beside the plot at its height', async () => {
    const picture = await decode(renderLearningCurve(data));
    const [box] = frames(picture);
    const y = project(3, [0, 4], box.bottom, box.top);
    const beside = { left: box.right + 20, right: picture.width - 1, top: y - 12, bottom: y + 12 };
    expect(count(picture, beside, isDark)).toBeGreaterThan(50);
    const whole = { ...beside, top: box.top, bottom: box.bottom };
    expect(count(picture, whole, isDark)).toBe(count(picture, beside, isDark));
    expect(count(picture, { ...whole, left: picture.width - 6 }, isDark)).toBe(0); // not cut off
  });

  it('draws the mean bold and full, each seed thin and light', async () => {
    const picture = await decode(renderLearningCurve(data));
    const [box] = frames(picture);
    const x = (box.left + box.right) / 2 + 8; // between grid lines
    const at = (value: number) => {
      const y = project(value, [0, 4], box.bottom, box.top);
      return { left: x, right: x, top: y - 6, bottom: y + 6 };
    };
    expect(count(picture, at(2), isBlue)).toBeGreaterThanOrEqual(4); // 2.5 px at scale 2
    const inked = ([r, , b]: readonly [number, number, number]) => b - r > 40;
    for (const level of [1, 2.25, 2.75]) {
      expect(count(picture, at(level), isBlue)).toBe(0);
      const thickness = count(picture, at(level), inked);
      expect(thickness).toBeGreaterThan(0);
      expect(thickness).toBeLessThanOrEqual(3);
    }
  });

  it('chooses a range that holds data and bounds', async () => {
    const { yRange: _, ...free } = data;
    const picture = await decode(renderLearningCurve({ ...free, bounds: [{ label: 'far', value: 50 }] }));
    const [box] = frames(picture);
    const margin = (50 - 1) * 0.05;
    const y = project(50, [1 - margin, 50 + margin], box.bottom, box.top);
    expect(
      count(picture, { left: box.left + 4, right: box.right - 4, top: y - 2, bottom: y + 2 }, isDark),
    ).toBeGreaterThan(100);
  });

  it('draws on logarithmic axes', async () => {
    const runs = [{ x: [1, 10, 100, 1000], y: [10, 10, 10, 10] }];
    const log = {
      ...data,
      xAxis: 'log',
      yAxis: 'log',
      yRange: [1, 1000],
      bounds: [],
      groups: [{ label: 'a', runs }],
    } as const;
    const picture = await decode(renderLearningCurve(log));
    const [box] = frames(picture);
    const y = project(1, [0, 3], box.bottom, box.top);
    const x = (box.left + box.right) / 2;
    expect(count(picture, { left: x, right: x, top: y - 6, bottom: y + 6 }, isBlue)).toBeGreaterThanOrEqual(4);
  });
});

it('draws a band of one sd about the mean in place of the seeds', async () => {
  const picture = await decode(renderLearningCurve({ ...data, bounds: [], spread: 'band' }));
  const [box] = frames(picture);
  const at = (value: number) => picture.at((box.left + box.right) / 2 + 7, project(value, [0, 4], box.bottom, box.top));
  const isPaper = (rgb: readonly number[]) => rgb.every((part) => part > 225);
  expect(isPaper(at(2.5))).toBe(false); // sd 0.9
  expect(isPaper(at(1.4))).toBe(false);
  expect(isPaper(at(3.2))).toBe(true);
  expect(isBlue(at(2.75))).toBe(false); // no seed
  expect(spreadCurve(data.groups[0].runs).sd[0]).toBeCloseTo(Math.sqrt((1 + 0.0625 + 0.5625) / 2), 12);
});

describe('meanCurve', () => {
  it('is the mean at the x that all runs share', () => {
    const mean = meanCurve([
      { x: [0, 1, 2, 3], y: [1, 2, 3, 4] },
      { x: [0, 2, 4], y: [3, 5, 7] },
    ]);
    expect(mean).toEqual({ x: [0, 2], y: [2, 4] });
  });

  it('leaves out x where a seed has no value, and ends with the shortest run', () => {
    const mean = meanCurve([
      { x: [0, 1, 2, 3], y: [1, Number.NaN, 3, 4] },
      { x: [0, 1, 2], y: [3, 3, 3] },
    ]);
    expect(mean).toEqual({ x: [0, 2], y: [2, 3] });
  });

  it('is empty when the runs have nothing in common', () => {
    expect(
      meanCurve([
        { x: [0], y: [1] },
        { x: [1], y: [1] },
      ]),
    ).toEqual({ x: [], y: [] });
  });
});

describe('spread', () => {
  const gaps = (centres: number[], height: number) => centres.slice(1).map((y, n) => y - centres[n] - height);

  it('leaves labels that do not touch where they are', () => {
    expect(spread([20, 60, 90], [10, 10, 10], 0, 100)).toEqual([20, 60, 90]);
  });

  it('separates equal ones evenly around their place', () => {
    const centres = spread([50, 50, 50], [10, 10, 10], 0, 100);
    expect(Math.min(...gaps(centres, 10))).toBeGreaterThan(0);
    expect(centres[1]).toBeCloseTo(50);
  });

  it('stays inside', () => {
    const low = spread([0, 0, 1], [10, 10, 10], 0, 100);
    const high = spread([98, 99, 100], [10, 10, 10], 0, 100);
    expect(low[0]).toBeGreaterThanOrEqual(5);
    expect(high[2]).toBeLessThanOrEqual(95);
    expect(Math.min(...gaps(low, 10), ...gaps(high, 10))).toBeGreaterThan(0);
  });
});

describe('renderLearningCurve refuses', () => {
  const withRun = (x: number[], y: number[]) => ({ ...data, groups: [{ label: 'a', runs: [{ x, y }] }] });
  const cases: [string, LearningCurveData, RegExp][] = [
    ['no groups', { ...data, groups: [] }, /groups\.length: got 0/],
    ['a group without runs', { ...data, groups: [{ label: 'a', runs: [] }] }, /groups\[0\]\.runs\.length: got 0/],
    ['an empty run', withRun([], []), /groups\[0\]\.runs\[0\]\.x\.length: got 0/],
    ['unequal lengths', withRun([0, 1], [1]), /runs\[0\]\.y\.length: got 1/],
    ['x that does not ascend', withRun([0, 1, 1], [1, 1, 1]), /x\[2\]: got 1, expected more than 1/],
    ['x that is NaN', withRun([0, Number.NaN], [1, 1]), /x\[1\]: got NaN/],
    ['y that is infinite', withRun([0, 1], [1, Number.POSITIVE_INFINITY]), /y\[1\]: got Infinity/],
    ['a bound that is NaN', { ...data, bounds: [{ label: 'b', value: Number.NaN }] }, /bounds\[0\]\.value/],
    ['zero on a logarithmic axis', { ...withRun([1, 2], [1, 0]), yAxis: 'log' }, /y\[1\]: got 0/],
    ['a range upside down', { ...data, yRange: [2, 1] }, /yRange/],
  ];
  it.each(cases)('%s', (_, bad, message) => {
    expect(() => renderLearningCurve(bad)).toThrow(ConfigError);
    expect(() => renderLearningCurve(bad)).toThrow(message);
  });

  it('a figure too narrow for its labels', () => {
    const bounds = [{ label: 'averylonglabelwithoutanyspacesinit', value: 1 }];
    expect(() => renderLearningCurve({ ...data, bounds }, { width: 260 })).toThrow(
      /options\.width: got 260, expected at least/,
    );
  });
});
