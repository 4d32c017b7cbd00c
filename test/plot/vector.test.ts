import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { divergingColour } from '../../src/plot/colourMap.ts';
import { renderLearningCurve, renderNetwork, renderStacked, renderWeights } from '../../src/plot/index.ts';
import type { FigureOptions } from '../../src/plot/types.ts';
import { decode, type Picture } from './pixels.ts';

const sine = Float64Array.from({ length: 100 }, (_, t) => Math.sin(t / 8));

/** One figure of every kind without pictures in it. */
const figures: Readonly<Record<string, (options: FigureOptions) => Uint8Array>> = {
  stacked: (options) =>
    renderStacked(
      {
        title: 'a & b',
        dtMs: 1,
        steps: 100,
        panels: [
          {
            kind: 'raster',
            label: 'neurons',
            populations: [{ label: 'LIF', size: 20 }],
            spikes: { t: [3, 50, 99], index: [0, 7, 19] },
          },
          { kind: 'lines', label: 'v', series: [{ label: 'neuron 0', values: sine }] },
        ],
      },
      options,
    ),
  'learning curve': (options) =>
    renderLearningCurve(
      {
        xLabel: 'trials',
        yLabel: 'loss',
        bounds: [{ label: 'chance', value: 0.5 }],
        groups: [{ label: 'e-prop 1', runs: [{ x: [1, 2, 3], y: [0.7, 0.5, 0.4] }] }],
      },
      options,
    ),
  network: (options) =>
    renderNetwork(
      {
        nodes: [
          { name: 'input', lines: ['3 units'], kind: 'input', column: 0 },
          { name: 'rec', lines: ['20 lif'], kind: 'population', column: 1 },
        ],
        edges: [{ from: 'input', to: 'rec', label: '60', sign: 'excitatory', plastic: true }],
      },
      options,
    ),
};

/** Share of pixels that differ by more than what lies between two ways to smooth an edge. */
function difference(a: Picture, b: Picture): number {
  let differing = 0;
  for (let x = 0; x < a.width; x++) {
    for (let y = 0; y < a.height; y++) {
      const [p, q] = [a.at(x, y), b.at(x, y)];
      if (p.some((value, c) => Math.abs(value - q[c]) > 100)) differing++;
    }
  }
  return differing / (a.width * a.height);
}

describe('a figure as SVG', () => {
  it.each(Object.entries(figures))('shows what the PNG does: %s', async (_, draw) => {
    const svg = draw({ format: 'svg' });
    const [vector, raster] = [await decode(svg), await decode(draw({ scale: 1 }))];
    expect([vector.width, vector.height]).toEqual([raster.width, raster.height]);
    expect(difference(vector, raster)).toBeLessThan(0.01);
    const text = new TextDecoder().decode(svg);
    expect(text).not.toContain('<text');
    const names = [...text.matchAll(/\bid="([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [, name] of text.matchAll(/(?:url\(#|href="#)([^")]+)/g)) expect(names).toContain(name);
  });

  it('keeps cells as pictures that are larger than on the page', async () => {
    const matrix = { label: 'W', pre: 2, post: 3, values: [-1, 0, 0.5, 1, 1, -0.25] };
    const text = new TextDecoder().decode(renderWeights({ matrices: [matrix] }, { format: 'svg' }));
    const [, first] = /xlink:href="data:image\/png;base64,([^"]+)"/.exec(text) as RegExpExecArray;
    const picture = await decode(Buffer.from(first, 'base64'));
    const [across, down] = [picture.width / matrix.post, picture.height / matrix.pre];
    expect(Math.min(across, down)).toBeGreaterThan(100);
    matrix.values.forEach((value, n) => {
      const [i, j] = [Math.floor(n / matrix.post), n % matrix.post];
      expect(picture.at((j + 0.5) * across, (i + 0.5) * down)).toEqual(divergingColour(value, 1));
    });
  });

  it('is not another format', () => {
    expect(() => figures.network({ format: 'pdf' as never })).toThrow(
      new ConfigError('options.format', 'pdf', 'png, svg or html'),
    );
  });
});
