import { legend, line, openAxes, polyline, rangeOf, type Sheet } from './plot.ts';
import type { Bound, ScoreInfo } from './types.ts';

/** The score of a run over its training. */
export interface Curve {
  readonly label: string;
  /** Symbols or trials. */
  readonly amount: readonly number[];
  readonly score: readonly number[];
  readonly colour: number;
  /** Of an earlier run. */
  readonly faded: boolean;
}

export interface CurveData {
  readonly curves: readonly Curve[];
  readonly bounds: readonly Bound[];
  readonly score: ScoreInfo;
  readonly unit: string;
  readonly total: number;
}

/** Trials over which the thick line is a mean. */
const smoothedOver = 12;

/** Learning curves: every trial thin, a running mean thick, known values dashed. */
export function drawCurve(sheet: Sheet, { curves, bounds, score, unit, total }: CurveData): void {
  const { ctx, theme, width } = sheet;
  const drawn = curves.filter(({ amount }) => amount.length > 0);
  const top = legend(
    sheet,
    curves.map(({ label, colour, faded }) => ({ label, colour: theme.series(colour), dashed: faded })),
  );
  const known = score.axis === 'log' ? [] : [bounds.map(({ value }) => value)];
  const values = [...drawn.map(({ score: of }) => of), ...known];
  const [low, high] = score.axis === 'log' ? logRange(values) : rangeOf(values);
  const area = openAxes(
    sheet,
    { domain: [0, total], label: unit },
    { domain: [low, high], label: score.label, log: score.axis === 'log' },
    top,
  );
  for (const { label, value } of bounds) {
    if (value < low || value > high) continue;
    ctx.setLineDash([6, 4]);
    line(ctx, theme.axis, area.left, area.y(value), area.right, area.y(value));
    ctx.setLineDash([]);
    ctx.fillStyle = theme.axis;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'bottom';
    ctx.fillText(label, width - 14, area.y(value) - 1);
  }
  for (const { amount, score: of, colour, faded } of drawn) {
    const style = { colour: theme.series(colour), dashed: faded };
    ctx.globalAlpha = 0.35;
    if (!faded) polyline(ctx, area, (n) => amount[n], of, { ...style, width: 1 });
    ctx.globalAlpha = faded ? 0.6 : 1;
    polyline(ctx, area, (n) => amount[n], smoothed(of), { ...style, width: faded ? 1.5 : 2.5 });
    ctx.globalAlpha = 1;
  }
}

/** Mean over the last trials, as far as there are any; NaN is left out. */
export function smoothed(values: readonly number[]): number[] {
  let sum = 0;
  let count = 0;
  const take = (value: number, sign: 1 | -1) => {
    if (!Number.isFinite(value)) return;
    sum += sign * value;
    count += sign;
  };
  return values.map((value, n) => {
    take(value, 1);
    if (n >= smoothedOver) take(values[n - smoothedOver], -1);
    return count > 0 ? sum / count : Number.NaN;
  });
}

function logRange(columns: readonly (readonly number[])[]): [number, number] {
  const values = columns.flat().filter((value) => value > 0);
  if (values.length === 0) return [0.1, 1];
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  return [low / 1.2, high * 1.2];
}
