import type { SKRSContext2D } from '@napi-rs/canvas';
import { font } from './font.ts';
import { AXIS, INK } from './palette.ts';

/** One entry of a legend: how its mark looks. */
export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly mark: 'tick' | 'line' | 'bold' | 'none';
  readonly dash?: readonly number[];
}

/** What stands above a plot area: its label at the left, its legend at the right or in rows below. */
export interface Header {
  readonly label: string;
  readonly entries: readonly LegendEntry[];
}

/** A header of known height in px. `rows` of the legend that do not share the line of the label. */
export interface HeaderLayout {
  readonly header: Header;
  readonly height: number;
  readonly besideLabel: boolean;
  readonly rows: readonly (readonly LegendEntry[])[];
}

const ROW = 17;
const MARK = 24;
const GAP = 14;
const LABEL_FONT = [12, 'bold'] as const;
const ENTRY_FONT = [11] as const;

/** Breaks the legend into rows of at most `width` px; what does not fit in `maxRows` is counted, not listed. */
export function layoutHeader(
  ctx: SKRSContext2D,
  header: Header,
  width: number,
  maxRows = Number.POSITIVE_INFINITY,
): HeaderLayout {
  const entries = header.entries.filter((entry) => entry.label !== '');
  const labelWidth = measure(ctx, header.label, LABEL_FONT);
  const besideLabel = labelWidth + rowWidth(ctx, entries) + GAP <= width;
  const rows = besideLabel ? [entries] : breakRows(ctx, entries, width, maxRows);
  const lines = besideLabel ? 1 : rows.length + (header.label === '' ? 0 : 1);
  const empty = header.label === '' && entries.length === 0;
  return { header, besideLabel, rows, height: empty ? 6 : lines * ROW + 5 };
}

/** Draws between `left` and `right`, downwards from y = 0. */
export function drawHeader(ctx: SKRSContext2D, layout: HeaderLayout, left: number, right: number): void {
  ctx.save();
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.fillStyle = INK;
  ctx.font = font(...LABEL_FONT);
  ctx.fillText(layout.header.label, left, ROW / 2, right - left); // squeezed rather than cut off
  const offset = layout.besideLabel || layout.header.label === '' ? 0 : 1;
  layout.rows.forEach((row, n) => {
    const start = layout.besideLabel ? right - rowWidth(ctx, row) : left;
    drawRow(ctx, row, start, (n + offset + 0.5) * ROW);
  });
  ctx.restore();
}

function breakRows(
  ctx: SKRSContext2D,
  entries: readonly LegendEntry[],
  width: number,
  maxRows: number,
): LegendEntry[][] {
  const rows: LegendEntry[][] = [[]];
  for (const [n, entry] of entries.entries()) {
    const row = rows.at(-1) ?? [];
    const rest = { label: `and ${entries.length - n} more`, colour: AXIS, mark: 'none' } as const;
    const last = rows.length === maxRows;
    const needed = last && n < entries.length - 1 ? [...row, entry, rest] : [...row, entry];
    if (row.length === 0 || rowWidth(ctx, needed) <= width) row.push(entry);
    else if (last) {
      row.push(rest);
      break;
    } else rows.push([entry]);
  }
  return rows;
}

function rowWidth(ctx: SKRSContext2D, row: readonly LegendEntry[]): number {
  const text = row.reduce((sum, entry) => sum + measure(ctx, entry.label, ENTRY_FONT), 0);
  return text + row.length * (MARK + GAP) - (row.length > 0 ? GAP : 0);
}

function drawRow(ctx: SKRSContext2D, row: readonly LegendEntry[], start: number, y: number): void {
  let x = start;
  for (const entry of row) {
    drawMark(ctx, entry, x, y);
    ctx.fillStyle = entry.mark === 'none' ? AXIS : INK;
    ctx.font = font(...ENTRY_FONT);
    ctx.fillText(entry.label, x + MARK, y);
    x += MARK + measure(ctx, entry.label, ENTRY_FONT) + GAP;
  }
}

function drawMark(ctx: SKRSContext2D, entry: LegendEntry, x: number, y: number): void {
  if (entry.mark === 'none') return;
  if (entry.mark === 'tick') {
    ctx.fillStyle = entry.colour;
    for (let n = 0; n < 3; n++) ctx.fillRect(x + 3 + n * 5, y - 5, 1.5, 10);
    return;
  }
  ctx.strokeStyle = entry.colour;
  ctx.lineWidth = entry.mark === 'bold' ? 3 : 1.75;
  ctx.setLineDash([...(entry.dash ?? [])]);
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + MARK - 5, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

function measure(ctx: SKRSContext2D, text: string, shape: readonly [number, ('normal' | 'bold')?]): number {
  ctx.font = font(...shape);
  return ctx.measureText(text).width;
}
