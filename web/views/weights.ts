import { line, openAxes, type Sheet } from './plot.ts';
import { pixelOf } from './raster.ts';
import type { Theme } from './theme.ts';
import type { SynapseName, WeightRows } from './types.ts';

export interface WeightsData {
  readonly weights: WeightRows;
  readonly synapse: SynapseName | null;
}

const bins = 41;
/** Height of the histogram below the matrix, CSS pixels. */
const histogramHeight = 130;
const frame = { left: 54, right: 12, top: 8 };

/** Where the matrix lies on a sheet, CSS pixels: postsynaptic neurons to the right, presynaptic ones downwards. */
function matrixArea({ width, height }: Pick<Sheet, 'width' | 'height'>) {
  return { ...frame, width: width - frame.left - frame.right, height: height - histogramHeight - frame.top - 26 };
}

/** The pair at a point of the sheet; null outside the matrix. */
export function pairAt(
  size: Pick<Sheet, 'width' | 'height'>,
  { name, nPre, nPost }: WeightRows,
  x: number,
  y: number,
): SynapseName | null {
  const area = matrixArea(size);
  const post = Math.floor(((x - area.left) / area.width) * nPost);
  const pre = Math.floor(((y - area.top) / area.height) * nPre);
  return post >= 0 && post < nPost && pre >= 0 && pre < nPre ? { projection: name, pre, post } : null;
}

/** A matrix on a scale from blue through paper to vermilion, and below it how many weights are how large. */
export function drawWeights(sheet: Sheet, { weights, synapse }: WeightsData): void {
  const { ctx, theme } = sheet;
  const { nPre, nPost, values, name } = weights;
  const limit = values.reduce((most, w) => (Math.abs(w) > most ? Math.abs(w) : most), 0) || 1;
  const area = matrixArea(sheet);
  if (sheet.vector) paintCells(sheet, area, weights, limit);
  else {
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(imageOf(weights, limit, theme), area.left, area.top, area.width, area.height);
    ctx.imageSmoothingEnabled = true;
  }
  ctx.strokeStyle = theme.axis;
  ctx.lineWidth = 1;
  ctx.strokeRect(area.left - 0.5, area.top - 0.5, area.width + 1, area.height + 1);
  if (synapse && synapse.projection === name) {
    const cell = { width: area.width / nPost, height: area.height / nPre };
    const x = area.left + synapse.post * cell.width;
    const y = area.top + synapse.pre * cell.height;
    ctx.strokeStyle = theme.ink;
    ctx.lineWidth = 2;
    ctx.strokeRect(x - 2, y - 2, cell.width + 4, cell.height + 4);
  }
  ctx.fillStyle = theme.axis;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'top';
  ctx.fillText(`to ${nPost} neurons`, area.left + area.width, area.top + area.height + 4);
  ctx.save();
  ctx.translate(40, area.top);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(`from ${nPre}`, 0, 0);
  ctx.restore();
  ctx.save();
  ctx.translate(0, sheet.height - histogramHeight);
  histogram({ ...sheet, height: histogramHeight }, values, limit);
  ctx.restore();
}

function imageOf({ nPre, nPost, values }: WeightRows, limit: number, theme: Theme): OffscreenCanvas {
  const image = new ImageData(nPost, nPre);
  const pixels = new Uint32Array(image.data.buffer);
  const scale = scaleOf(theme);
  const absent = (0xff << 24) | pixelOf(theme.absent);
  for (let s = 0; s < values.length; s++) {
    pixels[s] = Number.isNaN(values[s]) ? absent : scale[Math.round(127 * (1 + values[s] / limit))];
  }
  const layer = new OffscreenCanvas(nPost, nPre);
  layer.getContext('2d')?.putImageData(image, 0, 0);
  return layer;
}

function paintCells(
  { ctx, theme }: Sheet,
  area: ReturnType<typeof matrixArea>,
  { nPre, nPost, values }: WeightRows,
  limit: number,
): void {
  const cell = { width: area.width / nPost, height: area.height / nPre };
  for (let s = 0; s < values.length; s++) {
    const absent = Number.isNaN(values[s]);
    ctx.globalAlpha = absent ? 1 : Math.abs(values[s]) / limit;
    ctx.fillStyle = absent ? theme.absent : theme.ends[values[s] < 0 ? 0 : 1];
    ctx.fillRect(
      area.left + (s % nPost) * cell.width,
      area.top + Math.floor(s / nPost) * cell.height,
      cell.width,
      cell.height,
    );
  }
  ctx.globalAlpha = 1;
}

/** Pixels from the largest weight below zero to the largest above it. */
function scaleOf({ ends, paper }: Theme): Uint32Array {
  const part = (colour: string, n: number) => Number.parseInt(colour.slice(1 + 2 * n, 3 + 2 * n), 16);
  return Uint32Array.from({ length: 255 }, (_, n) => {
    const share = Math.abs(n - 127) / 127;
    const end = ends[n < 127 ? 0 : 1];
    const mix = (c: number) => Math.round((1 - share) * part(paper, c) + share * part(end, c));
    return (0xff << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0);
  });
}

function histogram(sheet: Sheet, values: Float32Array, limit: number): void {
  const counts = new Float64Array(bins);
  for (const w of values)
    if (!Number.isNaN(w)) counts[Math.min(bins - 1, Math.floor(((w + limit) / (2 * limit)) * bins))]++;
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const area = openAxes(sheet, { domain: [-limit, limit], label: 'weight' }, { domain: [0, most], label: 'synapses' });
  const { ctx, theme } = sheet;
  ctx.fillStyle = theme.series(0);
  counts.forEach((count, n) => {
    const x0 = area.x(-limit + (2 * limit * n) / bins);
    const x1 = area.x(-limit + (2 * limit * (n + 1)) / bins);
    ctx.fillRect(x0 + 0.5, area.y(count), Math.max(1, x1 - x0 - 1), area.bottom - area.y(count));
  });
  line(ctx, theme.axis, area.x(0), area.top, area.x(0), area.bottom);
}
