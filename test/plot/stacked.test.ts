import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { renderStacked } from '../../src/plot/index.ts';
import type { LinesSection, StackedData } from '../../src/plot/types.ts';
import { type Box, count, decode, frames, isBlue, near, type Picture, project } from './pixels.ts';

const STEPS = 100;
const ramp = Float64Array.from({ length: STEPS }, (_, t) => t);
const lines: LinesSection = { kind: 'lines', label: 'readout yₖ', series: [{ label: 'y₀', values: ramp }] };

function stack(...panels: StackedData['panels']): StackedData {
  return { dtMs: 1, steps: STEPS, panels };
}

async function draw(panel: LinesSection): Promise<{ picture: Picture; box: Box }> {
  const picture = await decode(renderStacked(stack(panel)));
  return { picture, box: frames(picture)[0] };
}

/** Around a step and a value, on an axis from min to max with the margin that the figure adds. */
function around(box: Box, step: number, value: number, [min, max]: readonly [number, number]): Box {
  const margin = 0.08 * (max - min);
  const x = project(step, [-0.5, STEPS - 0.5], box.left, box.right);
  const y = project(value, [min - margin, max + margin], box.bottom, box.top);
  return { left: x - 3, right: x + 3, top: y - 3, bottom: y + 3 };
}

describe('renderStacked', () => {
  it('draws values at their steps and heights', async () => {
    const { picture, box } = await draw(lines);
    for (const t of [10, 50, 90]) {
      expect(count(picture, around(box, t, t, [0, 99]), isBlue)).toBeGreaterThan(4);
      expect(count(picture, around(box, t, 99 - t + (t === 50 ? 30 : 0), [0, 99]), isBlue)).toBe(0);
    }
  });

  it('leaves a gap at NaN', async () => {
    const values = ramp.map((value, t) => (t > 40 && t < 60 ? Number.NaN : value));
    const { picture, box } = await draw({ ...lines, series: [{ label: 'y₀', values }] });
    expect(count(picture, around(box, 50, 50, [0, 99]), isBlue)).toBe(0);
    expect(count(picture, around(box, 30, 30, [0, 99]), isBlue)).toBeGreaterThan(4);
  });

  it('draws a target dashed in the colour of its readout', async () => {
    const flat = new Float64Array(STEPS).fill(50);
    const series = [
      { label: 'y₀', values: ramp },
      { label: 'target', values: flat, dashed: true, colorOf: 0 },
    ];
    const { picture, box } = await draw({ ...lines, series });
    const row = { ...around(box, 50, 50, [0, 99]), left: box.left + 20, right: box.right - 20 };
    const middle = (row.top + row.bottom) / 2;
    const share = count(picture, { ...row, top: middle, bottom: middle + 0.5 }, isBlue) / (row.right - row.left);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.85);
  });

  it('draws the zero line and keeps it in the range', async () => {
    const values = ramp.map((value) => 100 + value);
    const { picture, box } = await draw({ ...lines, zeroLine: true, series: [{ label: 'y', values }] });
    const line = { ...around(box, 50, 0, [0, 199]), left: box.left + 20, right: box.right - 20 };
    expect(count(picture, line, near('#8a8a8a', 20))).toBeGreaterThan((line.right - line.left) * 0.9);
  });

  it('holds values over their steps when asked to', async () => {
    const values = ramp.map((_, t) => (t < 50 ? 0 : 1));
    const shares = [true, false].map(async (step) => {
      const picture = await decode(
        renderStacked({
          dtMs: 1,
          steps: 4,
          panels: [{ ...lines, step, series: [{ label: 'y', values: values.slice(48, 52) }] }],
        }),
      );
      const [box] = frames(picture);
      const x = project(1.25, [-0.5, 3.5], box.left, box.right);
      const y = project(0, [-0.08, 1.08], box.bottom, box.top);
      return count(picture, { left: x - 3, right: x + 3, top: y - 3, bottom: y + 3 }, isBlue);
    });
    const [held, joined] = await Promise.all(shares);
    expect(held).toBeGreaterThan(4);
    expect(joined).toBe(0);
  });

  it('aligns rasters with lines and labels time under the last panel only', async () => {
    const raster = {
      kind: 'raster',
      label: 'z',
      populations: [{ label: 'a', size: 20 }],
      spikes: { t: [1], index: [0] },
    } as const;
    const wide = { ...lines, unit: 'mV', series: [{ label: 'v', values: ramp.map((value) => value * 1234.5) }] };
    const picture = await decode(renderStacked(stack(raster, lines, wide)));
    const boxes = frames(picture);
    expect(new Set(boxes.map(({ left, right }) => `${left} ${right}`)).size).toBe(1);
    expect(boxes).toHaveLength(3);
    const under = (box: Box) => ({
      left: box.left + 30,
      right: box.right * 0.6,
      top: box.bottom + 4,
      bottom: box.bottom + 13,
    });
    const inks = boxes.map((box) => count(picture, under(box), (rgb) => Math.max(...rgb) < 200));
    expect(inks.slice(0, 2)).toEqual([0, 0]);
    expect(inks[2]).toBeGreaterThan(0);
  });

  it('gives a panel without a finite value and a single step a picture', async () => {
    const panel = (value: number): LinesSection => ({ ...lines, series: [{ label: 'v', values: [value] }] });
    const picture = await decode(renderStacked({ dtMs: 1, steps: 1, panels: [panel(Number.NaN), panel(0.3)] }));
    const [empty, dot] = frames(picture);
    expect(count(picture, empty, isBlue)).toBe(0);
    expect(count(picture, dot, isBlue)).toBeGreaterThan(4);
  });
});

describe('renderStacked refuses', () => {
  const withSeries = (series: LinesSection['series']) => stack({ ...lines, series });
  const cases: [string, StackedData, RegExp][] = [
    [
      'a series of another length',
      withSeries([{ label: 'y', values: [1, 2] }]),
      /panels\[0\]\.series\[0\]\.values\.length: got 2, expected 100/,
    ],
    [
      'an infinite value',
      withSeries([{ label: 'y', values: ramp.map((v, t) => (t === 7 ? 1 / 0 : v)) }]),
      /values\[7\]: got Infinity/,
    ],
    ['the colour of no series', withSeries([{ label: 'y', values: ramp, colorOf: 1 }]), /colorOf: got 1/],
    ['a panel without series', withSeries([]), /series\.length: got 0/],
    ['a fractional first step', { ...stack(lines), startStep: 0.5 }, /startStep: got 0\.5/],
  ];
  it.each(cases)('%s', (_, bad, message) => {
    expect(() => renderStacked(bad)).toThrow(ConfigError);
    expect(() => renderStacked(bad)).toThrow(message);
  });
});
