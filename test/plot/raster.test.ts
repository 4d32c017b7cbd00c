import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { renderRaster } from '../../src/plot/index.ts';
import type { RasterData } from '../../src/plot/types.ts';
import { type Box, count, decode, frames, isBlue, isVermilion, type Picture, project } from './pixels.ts';

const STEPS = 40;
const NEURONS = 6;

/** Neurons 0 to 2 and 4 fire once each, at steps 5, 15, 25 and 35; 3 and 5 are silent. */
const data: RasterData = {
  dtMs: 1,
  steps: STEPS,
  panels: [
    {
      label: 'recurrent',
      populations: [
        { label: 'LIF', size: 4 },
        { label: 'ALIF', size: 2 },
      ],
      spikes: { t: [5, 15, 25, 35], index: [0, 1, 2, 4] },
    },
  ],
};

/** The middle of a neuron's row around a step. Half a row of room is inside the axis, and half a percent more. */
function cell(box: Box, neuron: number, step: number, halfWidth: number): Box {
  const edge = 0.5 + 0.005 * NEURONS;
  const y = project(neuron, [-edge, NEURONS - 1 + edge], box.bottom, box.top);
  const x = project(step, [-0.5, STEPS - 0.5], box.left, box.right);
  return { left: x - halfWidth, right: x + halfWidth, top: y - 2, bottom: y + 2 };
}

function row(box: Box, neuron: number): Box {
  return { ...cell(box, neuron, 0, 0), left: box.left + 4, right: box.right - 4 };
}

async function draw(changes: Partial<RasterData> = {}): Promise<{ picture: Picture; box: Box }> {
  const picture = await decode(renderRaster({ ...data, ...changes }));
  const [box] = frames(picture);
  return { picture, box };
}

describe('renderRaster', () => {
  it('has width and height times scale pixels', async () => {
    const picture = await decode(renderRaster(data, { width: 500, height: 200, scale: 1.5 }));
    expect([picture.width, picture.height]).toEqual([750, 300]);
  });

  it('draws a spike in the row of its neuron at its step, in the colour of its population', async () => {
    const { picture, box } = await draw();
    expect(count(picture, cell(box, 0, 5, 4), isBlue)).toBeGreaterThan(4);
    expect(count(picture, cell(box, 2, 25, 4), isBlue)).toBeGreaterThan(4);
    expect(count(picture, cell(box, 4, 35, 4), isVermilion)).toBeGreaterThan(4);
    expect(count(picture, cell(box, 4, 35, 4), isBlue)).toBe(0);
  });

  it('draws nothing else in these rows and nothing at all in the row of a silent neuron', async () => {
    const { picture, box } = await draw();
    const inked = (neuron: number) =>
      count(picture, row(box, neuron), isBlue) + count(picture, row(box, neuron), isVermilion);
    expect(inked(3)).toBe(0);
    expect(inked(5)).toBe(0);
    expect(inked(0)).toBe(count(picture, cell(box, 0, 5, 4), isBlue));
  });

  it('draws ticks higher than wide', async () => {
    const { picture, box } = await draw({ panels: [{ ...data.panels[0], spikes: { t: [20], index: [1] } }] });
    const around = cell(box, 1, 20, 10);
    const tall = { ...around, top: around.top - 8, bottom: around.bottom + 8 };
    const columns = Array.from({ length: 21 }, (_, n) =>
      count(picture, { ...tall, left: around.left + n, right: around.left + n }, isBlue),
    );
    const inked = columns.filter((pixels) => pixels > 0);
    expect(Math.max(...columns)).toBeGreaterThan(2 * inked.length);
  });

  it('shows graded values as opacity and zero not at all', async () => {
    const spikes = { t: [5, 15, 25, 35], index: [0, 0, 0, 0], value: [2, 0.5, 0, 0.02] };
    const { picture, box } = await draw({ panels: [{ ...data.panels[0], spikes }] });
    const darkest = (step: number) => {
      const { left, right, top } = cell(box, 0, step, 4);
      return Math.min(...Array.from({ length: Math.ceil(right - left) }, (_, n) => picture.at(left + n, top + 2)[0]));
    };
    expect(darkest(5)).toBeLessThan(60);
    expect(darkest(15)).toBeGreaterThan(120);
    expect(darkest(15)).toBeLessThan(225);
    expect(darkest(25)).toBeGreaterThan(230);
    expect(darkest(35)).toBeGreaterThan(230);
  });

  it('keeps every spike of 1000 neurons and 2250 steps visible, and is fast', async () => {
    const spikes = 20_000;
    const t = Array.from({ length: spikes }, (_, n) => (n * 7919) % 2250);
    const index = Array.from({ length: spikes }, (_, n) => (n * 104_729) % 1000);
    const start = performance.now();
    const png = renderRaster({
      dtMs: 1,
      steps: 2250,
      panels: [{ label: 'all', populations: [{ label: 'all', size: 1000 }], spikes: { t, index } }],
    });
    expect(performance.now() - start).toBeLessThan(5000);
    const picture = await decode(png);
    expect(count(picture, frames(picture)[0], isBlue)).toBeGreaterThan(2 * spikes);
  });

  it('aligns the edges of its panels', async () => {
    const small = { label: 'few', populations: [{ label: '', size: 3 }], spikes: { t: [], index: [] } };
    const large = { label: 'many', populations: [{ label: '', size: 1000 }], spikes: { t: [], index: [] } };
    const [upper, lower] = frames(await decode(renderRaster({ dtMs: 1, steps: 100, panels: [small, large] })));
    expect([upper.left, upper.right]).toEqual([lower.left, lower.right]);
  });
});

describe('renderRaster refuses', () => {
  const panel = data.panels[0];
  const withSpikes = (spikes: RasterData['panels'][number]['spikes']) => ({ ...data, panels: [{ ...panel, spikes }] });
  const cases: [string, RasterData, RegExp][] = [
    ['a neuron outside its panel', withSpikes({ t: [0, 1], index: [0, 6] }), /panels\[0\]\.spikes\.index\[1\]: got 6/],
    ['a step outside the window', withSpikes({ t: [40], index: [0] }), /panels\[0\]\.spikes\.t\[0\]: got 40/],
    ['columns of unequal length', withSpikes({ t: [1, 2], index: [0] }), /spikes\.index\.length: got 1/],
    ['values of another length', withSpikes({ t: [1], index: [0], value: [] }), /spikes\.value\.length: got 0/],
    ['a graded value that is NaN', withSpikes({ t: [1], index: [0], value: [Number.NaN] }), /value\[0\]: got NaN/],
    ['NaN steps', { ...data, steps: Number.NaN }, /steps: got NaN/],
    ['a step without length', { ...data, dtMs: 0 }, /dtMs: got 0/],
    ['no panels', { ...data, panels: [] }, /panels\.length: got 0/],
    [
      'a population of NaN neurons',
      { ...data, panels: [{ ...panel, populations: [{ label: '', size: Number.NaN }] }] },
      /size: got NaN/,
    ],
  ];
  it.each(cases)('%s', (_, bad, message) => {
    expect(() => renderRaster(bad)).toThrow(ConfigError);
    expect(() => renderRaster(bad)).toThrow(message);
  });

  it.each([{ width: Number.NaN }, { width: 10 }, { height: 130.5 }, { scale: 0 }, { scale: Number.NaN }])(
    '%j',
    (options) => {
      expect(() => renderRaster(data, options)).toThrow(ConfigError);
    },
  );

  it('a height that leaves no room, and says how much is needed', () => {
    const panels = Array.from({ length: 8 }, () => panel);
    const message = (height: number) => {
      try {
        renderRaster({ ...data, panels }, { height });
      } catch (error) {
        return String(error);
      }
      return '';
    };
    const needed = Number(/at least (\d+) px/.exec(message(200))?.[1]);
    expect(message(needed)).toBe('');
  });
});
