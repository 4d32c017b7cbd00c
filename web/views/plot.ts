import { scaleLinear, scaleLog } from 'd3-scale';
import type { Theme } from './theme.ts';

/** A canvas, or what writes an SVG in its place. */
export type Context = CanvasRenderingContext2D;

/** CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What is drawn on, how large it is, and in which colours. */
export interface Sheet extends Size {
  readonly ctx: Context;
  readonly theme: Theme;
  /** Ticks of rasters as rectangles, which stay sharp at any size, in place of an image. */
  readonly vector: boolean;
}

/** Where an axis runs, CSS pixels, and what values its ends have. */
export interface AxisSpec {
  readonly domain: readonly [number, number];
  readonly label: string;
  readonly log?: boolean;
  /** No numbers: neurons in a row. */
  readonly bare?: boolean;
}

/** The place between the axes. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  x(value: number): number;
  y(value: number): number;
}

export const font = '12px system-ui, sans-serif';
const margin = { left: 54, right: 12, top: 8, bottom: 34 };
/** Pixels that a tick label takes at the least. */
const perTick = { x: 80, y: 32 };

/** Draws two axes with their ticks. @param top room above, for a legend @param plain no x axis: another panel below has it */
export function openAxes({ ctx, width, height, theme }: Sheet, x: AxisSpec, y: AxisSpec, top = 0): Area {
  const left = margin.left;
  const right = width - margin.right;
  const upper = margin.top + top;
  const bottom = height - margin.bottom;
  const along = (x.log ? scaleLog() : scaleLinear()).domain(x.domain).range([left, right]);
  const up = (y.log ? scaleLog() : scaleLinear()).domain(y.domain).range([bottom, upper]);
  ctx.font = font;
  ctx.lineWidth = 1;
  ctx.fillStyle = theme.axis;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  const rows = Math.max(2, Math.floor((bottom - upper) / perTick.y));
  // A logarithmic scale would write 0.8 as 800m.
  const nameY = y.log ? up.tickFormat(rows, '~g') : up.tickFormat(rows);
  for (const tick of y.bare ? [] : up.ticks(rows)) {
    const at = Math.round(up(tick)) + 0.5;
    line(ctx, theme.faint, left, at, right, at);
    ctx.fillText(nameY(tick), left - 6, at);
  }
  ctx.textBaseline = 'top';
  ctx.textAlign = 'center';
  const columns = Math.max(2, Math.floor((right - left) / perTick.x));
  const nameX = x.log ? along.tickFormat(columns, '~g') : along.tickFormat(columns);
  for (const tick of along.ticks(columns)) {
    const half = ctx.measureText(nameX(tick)).width / 2;
    ctx.fillText(nameX(tick), Math.min(along(tick), width - half - 1), bottom + 5);
  }
  ctx.textAlign = 'right';
  ctx.fillText(x.label, right, bottom + 19);
  ctx.save();
  ctx.translate(6, (upper + bottom) / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = 'center';
  ctx.fillText(y.label, 0, -4);
  ctx.restore();
  line(ctx, theme.axis, left, bottom + 0.5, right, bottom + 0.5);
  return { left, right, top: upper, bottom, x: along, y: up };
}

export function line(ctx: Context, colour: string, x0: number, y0: number, x1: number, y1: number): void {
  ctx.strokeStyle = colour;
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** Smallest and largest of several columns with a margin of a twentieth; [0, 1] of nothing. */
export function rangeOf(columns: readonly ArrayLike<number>[], zero = false): [number, number] {
  let low = zero ? 0 : Number.POSITIVE_INFINITY;
  let high = zero ? 0 : Number.NEGATIVE_INFINITY;
  for (const column of columns) {
    for (let n = 0; n < column.length; n++) {
      const value = column[n];
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(low <= high)) return [0, 1];
  const room = high > low ? (high - low) / 20 : Math.abs(high) / 10 || 1;
  return [low - room, high + room];
}

/** Names with their colours in rows from the left. @returns height that it takes, CSS pixels */
export function legend(
  { ctx, width, theme }: Sheet,
  entries: readonly { readonly label: string; readonly colour: string; readonly dashed?: boolean }[],
): number {
  const rowHeight = 18;
  ctx.font = font;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  let x = margin.left;
  let y = margin.top + 4;
  for (const { label, colour, dashed = false } of entries) {
    const taken = 24 + ctx.measureText(label).width + 14;
    if (x > margin.left && x + taken > width) {
      x = margin.left;
      y += rowHeight;
    }
    ctx.lineWidth = 2.5;
    ctx.setLineDash(dashed ? [5, 3] : []);
    line(ctx, colour, x, y, x + 18, y);
    ctx.setLineDash([]);
    ctx.fillStyle = theme.ink;
    ctx.fillText(label, x + 24, y);
    x += taken;
  }
  return entries.length > 0 ? y + rowHeight / 2 : 0;
}

/** A line through the values at ascending x; NaN leaves a gap. */
export function polyline(
  ctx: Context,
  area: Area,
  xOf: (n: number) => number,
  values: ArrayLike<number>,
  style: { readonly colour: string; readonly width: number; readonly dashed?: boolean },
): void {
  ctx.strokeStyle = style.colour;
  ctx.lineWidth = style.width;
  ctx.setLineDash(style.dashed ? [5, 3] : []);
  ctx.lineJoin = 'round';
  ctx.beginPath();
  let pen = false;
  for (let n = 0; n < values.length; n++) {
    const y = area.y(values[n]);
    if (!Number.isFinite(y)) {
      pen = false;
      continue;
    }
    const x = area.x(xOf(n));
    if (pen) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    pen = true;
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Where a paused page stands in a trial. @param t step; null: nowhere */
export function cursor({ ctx, theme }: Sheet, area: Area, ms: number | null): void {
  if (ms === null) return;
  ctx.lineWidth = 1.5;
  line(ctx, theme.ink, area.x(ms), area.top, area.x(ms), area.bottom);
}
