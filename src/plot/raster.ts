import type { SKRSContext2D } from '@napi-rs/canvas';
import type { PlotArea } from './chart.ts';
import { neuronsOf } from './check.ts';
import type { Header } from './header.ts';
import { FAINT, seriesColour, withOpacity } from './palette.ts';
import type { RasterPanel } from './types.ts';

/** Graded ticks come in this many opacities, so that all ticks of one fill are drawn together. */
const LEVELS = 8;

/** Ticks of one colour and opacity: step and neuron of each. */
interface TickBatch {
  readonly colour: string;
  readonly t: number[];
  readonly index: number[];
}

/** A raster that names its populations. A single one that repeats the name of its panel isn't named twice. */
export function rasterHeader(panel: RasterPanel): Header {
  const single = panel.populations.length === 1 && panel.populations[0].label === panel.label;
  const entries = panel.populations.map(({ label }, n) => ({ label, colour: seriesColour(n), mark: 'tick' }) as const);
  return { label: panel.label, entries: single ? [] : entries };
}

/** Draws every spike at `timeOf(step)` in the row of its neuron. */
export function paintRaster(panel: RasterPanel, steps: number, timeOf: (step: number) => number) {
  const batches = batchTicks(panel);
  return (ctx: SKRSContext2D, area: PlotArea): void => {
    paintBorders(ctx, area, panel);
    for (const batch of batches) paintTicks(ctx, area, batch, steps, timeOf);
  };
}

/** Lines between populations, so that a silent one can be seen. */
function paintBorders(ctx: SKRSContext2D, area: PlotArea, panel: RasterPanel): void {
  ctx.fillStyle = FAINT;
  let end = 0;
  for (const { size } of panel.populations.slice(0, -1)) {
    end += size;
    ctx.fillRect(area.left, area.y(end - 0.5) - 0.5, area.right - area.left, 1);
  }
}

function paintTicks(
  ctx: SKRSContext2D,
  area: PlotArea,
  batch: TickBatch,
  steps: number,
  timeOf: (step: number) => number,
): void {
  const snap = (px: number) => Math.round(px * area.scale) / area.scale;
  const row = Math.abs(area.y(1) - area.y(0));
  const column = (area.right - area.left) / steps;
  // A gap between rows while there is room for one; below that every spike still gets a visible dash.
  const height = Math.max(1.5, row * 0.8);
  const width = snap(Math.min(2, Math.max(1, Math.min(column * 0.2, height * 0.35))));
  ctx.fillStyle = batch.colour;
  for (let n = 0; n < batch.t.length; n++) {
    const x = snap(area.x(timeOf(batch.t[n])) - width / 2);
    const y = area.y(batch.index[n]) - height / 2;
    ctx.fillRect(x, y, width, height);
  }
}

function batchTicks(panel: RasterPanel): TickBatch[] {
  const population = populationOfNeuron(panel);
  const { t, index, value } = panel.spikes;
  const largest = value ? largestMagnitude(value) : 1;
  const batches = new Map<number, TickBatch>();
  for (let n = 0; n < t.length; n++) {
    const level = value ? Math.round((LEVELS * Math.abs(value[n])) / largest) : LEVELS;
    if (level === 0) continue;
    const owner = population[index[n]];
    const batch = batchOf(batches, owner, level);
    batch.t.push(t[n]);
    batch.index.push(index[n]);
  }
  return [...batches.values()];
}

function batchOf(batches: Map<number, TickBatch>, population: number, level: number): TickBatch {
  const key = population * (LEVELS + 1) + level;
  const known = batches.get(key);
  if (known) return known;
  const fresh = { colour: withOpacity(seriesColour(population), level / LEVELS), t: [], index: [] };
  batches.set(key, fresh);
  return fresh;
}

function populationOfNeuron(panel: RasterPanel): Uint16Array {
  const owner = new Uint16Array(neuronsOf(panel));
  let start = 0;
  panel.populations.forEach(({ size }, n) => {
    owner.fill(n, start, start + size);
    start += size;
  });
  return owner;
}

function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let n = 0; n < values.length; n++) largest = Math.max(largest, Math.abs(values[n]));
  return largest > 0 ? largest : 1;
}
