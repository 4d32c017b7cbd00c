import uPlot from 'uplot';
import { meanCurve, spreadCurve } from '../../src/plot/meanCurve.ts';
import { seriesColour, withOpacity } from '../../src/plot/palette.ts';
import type { Bound, LearningCurveData, LearningCurvesData, Run, RunGroup } from '../../src/plot/types.ts';
import { colourOf, nearestOf, type Panel, type PanelSeries, shade } from './panel.ts';
import { withRoom } from './trial.ts';

/** Panels of learning curves: every seed thin, means bold, bounds dashed. */
export const curvePanels = ({ panels }: LearningCurvesData): Panel[] => panels.map(curvePanel);

/** A curve as JSON has it: a value that was not measured is null. */
type Column = readonly (number | null)[];
interface Drawn extends PanelSeries {
  readonly x: readonly number[];
  readonly y: Column;
}

function curvePanel(data: LearningCurveData): Panel {
  const drawn = data.groups.flatMap((group, n) => lines(group, n, data.spread === 'band'));
  const columns = uPlot.join(drawn.map(({ x, y }) => [x, y] as unknown as uPlot.AlignedData)) as unknown as Column[];
  const yLog = data.yAxis === 'log';
  const values = columns.slice(1).flatMap((column) => column.filter((value) => value != null));
  const all = [...values, ...data.bounds.map(({ value }) => value)].filter((value) => !yLog || value > 0);
  const xs = columns[0] as readonly number[];
  const shown: Panel = {
    label: data.label ?? '',
    xLabel: data.xLabel,
    yLabel: data.yLabel,
    height: 380,
    xRange: rangeOf(xs),
    yRange: data.yRange ?? (yLog ? logRoom(all) : withRoom(all)),
    yLog,
    legend: data.groups.map(({ label, runs }, n) => ({
      label: runs.length > 1 ? `${label} (mean of ${runs.length} seeds)` : label,
      colour: seriesColour(n),
      dashed: false,
    })),
    series: drawn,
    columns: columns.map((column) => column.map((value) => value ?? null)),
    paint(plot) {
      if (data.spread === 'band') for (const [n, group] of data.groups.entries()) paintBand(plot, group, n);
      for (const bound of data.bounds) paintBound(plot, bound);
    },
    tell(plot, left, top) {
      const found = nearestOf(shown, plot, left, top);
      const at = found && `${found.x.toLocaleString('en-GB')} ${data.xLabel}`;
      return found && `${found.series.name}: ${Number(found.y.toPrecision(5))} (${data.yLabel}) at ${at}`;
    },
  };
  return shown;
}

function lines({ label, runs }: RunGroup, n: number, band: boolean): Drawn[] {
  const colour = seriesColour(n);
  const line = ({ x, y }: Run, name: string, width: number, opacity: number): Drawn => ({
    x: Array.from(x),
    y: Array.from(y as ArrayLike<number | null>, (value) => (value === null || Number.isNaN(value) ? null : value)),
    colour: withOpacity(colour, opacity),
    width,
    dashed: false,
    stepped: false,
    name,
  });
  if (runs.length === 1) return [line(runs[0], nameOf(label, runs[0], 0), 2.5, 1)];
  const seeds = band ? [] : runs.map((run, s) => line(run, nameOf(label, run, s), 1, 0.4));
  return [...seeds, line(meanCurve(runs.map(measured)), `${label}, mean`, 2.5, 1)];
}

const nameOf = (label: string, { label: own }: Run, s: number) => `${label}, ${own ?? `run ${s + 1}`}`;

/** JSON has no NaN. */
const measured = ({ x, y }: Run): Run => ({
  x,
  y: Array.from(y as ArrayLike<number | null>, (value) => value ?? Number.NaN),
});

function rangeOf(xs: readonly number[]): [number, number] {
  const [from, to] = [xs[0], xs[xs.length - 1]];
  return to > from ? [from > 0 && from < 0.1 * to ? 0 : from, to] : [from - 1, to + 1];
}

function logRoom(values: readonly number[]): [number, number] {
  const [low, high] = withRoom(values.map(Math.log10));
  return [10 ** low, 10 ** high];
}

function paintBound(plot: uPlot, { label, value }: Bound): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(value, 'y', true);
  ctx.strokeStyle = colourOf('--soft');
  ctx.fillStyle = colourOf('--soft');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  ctx.fillText(label, bbox.left + bbox.width - 4, y - 2);
}

/** Mean +- sd. */
function paintBand(plot: uPlot, { runs }: RunGroup, n: number): void {
  if (runs.length === 1) return;
  const { x, y, sd } = spreadCurve(runs.map(measured));
  const { ctx } = plot;
  const to = (k: number, sign: number) =>
    ctx.lineTo(plot.valToPos(x[k], 'x', true), plot.valToPos(y[k] + sign * sd[k], 'y', true));
  ctx.beginPath();
  for (let k = 0; k < x.length; k++) to(k, 1);
  for (let k = x.length - 1; k >= 0; k--) to(k, -1);
  ctx.closePath();
  ctx.fillStyle = withOpacity(shade(seriesColour(n)), 0.2);
  ctx.fill();
}
