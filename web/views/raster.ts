import { type Area, cursor, legend, openAxes, type Sheet } from './plot.ts';
import type { Spikes } from './types.ts';

export interface RasterData {
  readonly spikes: Spikes;
  readonly steps: number;
  readonly dtMs: number;
  /** Neurons that share a colour, one below the other, index 0 lowest. */
  readonly groups: readonly { readonly label: string; readonly size: number }[];
  /** Step at which a paused page stands; null: none. */
  readonly cursor: number | null;
  readonly yLabel: string;
}

/** Spikes of a trial: one row a neuron, one column a step, a colour for each population. */
export function drawRaster(sheet: Sheet, data: RasterData): void {
  const { theme } = sheet;
  const { groups, steps, dtMs } = data;
  const neurons = groups.reduce((sum, { size }) => sum + size, 0);
  const top =
    groups.length > 1
      ? legend(
          sheet,
          groups.map(({ label }, n) => ({ label, colour: theme.series(n) })),
        )
      : 0;
  const area = openAxes(
    sheet,
    { domain: [0, steps * dtMs], label: 'time (ms)' },
    { domain: [-0.5, neurons - 0.5], label: data.yLabel },
    top,
  );
  const owners = ownersOf(data.groups, neurons);
  if (sheet.vector) paintTicks(sheet, area, data, owners, neurons);
  else paintImage(sheet, area, data, owners, neurons);
  cursor(sheet, area, data.cursor === null ? null : data.cursor * dtMs);
}

function ownersOf(groups: RasterData['groups'], neurons: number): Uint16Array {
  const owners = new Uint16Array(neurons);
  let first = 0;
  groups.forEach(({ size }, n) => {
    owners.fill(n, first, first + size);
    first += size;
  });
  return owners;
}

/** #rrggbb as the number that a pixel of an image is, little-endian. */
export function pixelOf(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16);
}

/** All ticks into the pixels of one image: tens of thousands take a millisecond. */
function paintImage(
  { ctx, theme }: Sheet,
  area: Area,
  { spikes, steps }: RasterData,
  owners: Uint16Array,
  neurons: number,
): void {
  const scale = ctx.getTransform().a;
  const width = Math.max(1, Math.floor((area.right - area.left) * scale));
  const height = Math.max(1, Math.floor((area.bottom - area.top) * scale));
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = Uint32Array.from({ length: 1 + owners[owners.length - 1] }, (_, n) => pixelOf(theme.series(n)));
  const tickWidth = Math.max(Math.ceil(scale), Math.min(Math.round(2 * scale), Math.floor((0.5 * width) / steps)));
  const tickHeight = Math.max(Math.ceil(scale), Math.floor((0.8 * height) / neurons));
  const { t, index, value } = spikes;
  for (let n = 0; n < t.length; n++) {
    const x0 = Math.floor((t[n] * width) / steps);
    const y0 = Math.min(height - tickHeight, Math.floor(height - ((index[n] + 1) * height) / neurons));
    const alpha = value ? Math.round(255 * value[n]) : 255;
    const colour = (alpha << 24) | colours[owners[index[n]]];
    const x1 = Math.min(width, x0 + tickWidth);
    for (let y = Math.max(0, y0); y < y0 + tickHeight; y++) {
      for (let at = y * width + x0; at < y * width + x1; at++) pixels[at] = colour;
    }
  }
  const layer = new OffscreenCanvas(width, height);
  layer.getContext('2d')?.putImageData(image, 0, 0);
  ctx.drawImage(layer, area.left, area.top, width / scale, height / scale);
}

function paintTicks(
  { ctx, theme }: Sheet,
  area: Area,
  { spikes, dtMs }: RasterData,
  owners: Uint16Array,
  neurons: number,
): void {
  const height = Math.max(1, (0.8 * (area.bottom - area.top)) / neurons);
  const { t, index, value } = spikes;
  for (let n = 0; n < t.length; n++) {
    ctx.fillStyle = theme.series(owners[index[n]]);
    ctx.globalAlpha = value ? value[n] : 1;
    ctx.fillRect(area.x(t[n] * dtMs), area.y(index[n]) - height / 2, 1.2, height);
  }
  ctx.globalAlpha = 1;
}
