import { ConfigError } from '../core/errors.ts';
import type { AxisSpec } from './axis.ts';
import { layoutBounds, paintBounds } from './boundLabels.ts';
import { drawPlots, type LineDataset, type Paint, type Point } from './chart.ts';
import { checkOptions } from './check.ts';
import { finish, measuringContext, openFrame, scaleOf, topOf } from './frame.ts';
import { type Header, layoutHeader } from './header.ts';
import { interactiveFigure } from './interactive.ts';
import { checkLearningCurve } from './learningCurveCheck.ts';
import { withMargin } from './lines.ts';
import { meanCurve, spreadCurve } from './meanCurve.ts';
import { seriesColour, seriesDash, withOpacity } from './palette.ts';
import type { FigureOptions, LearningCurveData, LearningCurvesData, Run, RunGroup } from './types.ts';

const WIDTH = 760;
const HEIGHT = 440;
const PANEL_HEIGHT = 250;
const Y_AXIS = 70;
const BOTTOM_MARGIN = 8;
/** Curves of at most this many points show them. */
const FEW_POINTS = 12;
const SMALLEST_PLOT = 120;
const BOLD = 2.5;
const THIN = 1;
/** Radius of a marked value. */
const MARK = 4;

/**
 * Every seed thin and light or a band of one sd, the mean over seeds bold (see `meanCurve`), bounds dashed with their labels at the right.
 * @throws ConfigError for data that do not fit together, and for values <= 0 on a logarithmic axis.
 */
export function renderLearningCurve(data: LearningCurveData, options: FigureOptions = {}): Uint8Array {
  const { title = data.title, ...others } = options;
  return renderLearningCurves({ panels: [{ ...data, title: undefined }], ...(title ? { title } : {}) }, others);
}

/**
 * Learning curves one below the other over the same x axis, for example the losses of everything that a rule learns.
 * @throws ConfigError as for one
 */
export function renderLearningCurves({ title, panels }: LearningCurvesData, options: FigureOptions = {}): Uint8Array {
  checkOptions(options);
  for (const panel of panels) checkLearningCurve(panel);
  const heading = options.title ?? title;
  if (options.format === 'html') {
    return interactiveFigure({ kind: 'curves', data: { panels, ...(heading ? { title: heading } : {}) } });
  }
  const width = options.width ?? WIDTH;
  const height = options.height ?? (panels.length === 1 ? HEIGHT : panels.length * PANEL_HEIGHT);
  const bounds = panels.map((panel) => layoutBounds(measuringContext(), panel.bounds));
  const padRight = Math.max(...bounds.map((labels) => labels.width));
  const room = width - Y_AXIS - padRight;
  if (room < SMALLEST_PLOT) {
    throw new ConfigError('options.width', width, `at least ${width + SMALLEST_PLOT - room} px for these bound labels`);
  }
  const frame = openFrame(width, height, options, heading);
  const share = (height - topOf(heading) - BOTTOM_MARGIN) / panels.length;
  const shared = { width: 0 };
  const plots = panels.map((panel, n) => ({
    x: 0,
    y: topOf(heading) + n * share,
    spec: {
      width,
      height: share,
      scale: scaleOf(options),
      header: layoutHeader(measuringContext(), headerOf(panel), room),
      padRight,
      padBottom: 0,
      datasets: panel.groups.flatMap((group, n) => groupDatasets(group, n, panel)),
      x: xAxis(panel, width),
      y: { ...yAxis(panel, share), shared },
      under: panel.spread === 'band' ? paintBands(panel.groups) : undefined,
      over: paintBounds(bounds[n]),
    },
  }));
  drawPlots(frame, plots, shared);
  return finish(frame);
}

function headerOf(data: LearningCurveData): Header {
  const entries = data.groups.map(
    (group, n) =>
      ({ label: legendOf(group, data.legend), colour: seriesColour(n), mark: 'bold', dash: seriesDash(n) }) as const,
  );
  return { label: data.label ?? '', entries };
}

/** An empty label is not listed. */
function legendOf({ label, runs }: RunGroup, legend: LearningCurveData['legend'] = 'seeds'): string {
  if (legend !== 'seeds') return legend === 'labels' ? label : '';
  if (runs.length === 1) return `${label} (1 seed)`;
  const hasMean = meanCurve(runs).x.length > 0;
  return `${label} (${hasMean ? 'mean of ' : ''}${runs.length} seeds${hasMean ? '' : ', no common x'})`;
}

function groupDatasets({ runs }: RunGroup, n: number, { conditions, spread }: LearningCurveData): LineDataset[] {
  const colour = seriesColour(n);
  const marks = conditions !== undefined;
  // The gaps of a single seed are shown; a mean skips what one of its seeds does not have.
  if (runs.length === 1) return [dataset(runs[0], colour, BOLD, seriesDash(n))];
  const shown = spread === 'band' ? [] : runs;
  const seeds = shown.map((run) => ({
    ...dataset(run, withOpacity(colour, marks ? 0.6 : 0.35), THIN, []),
    ...(marks ? { pointRadius: MARK } : {}),
  }));
  return [...seeds, dataset(meanCurve(runs), colour, BOLD, seriesDash(n))];
}

/** Mean +- sd of every group of several runs, light, under the means. */
function paintBands(groups: readonly RunGroup[]): Paint {
  return (ctx, area) => {
    groups.forEach(({ runs }, n) => {
      if (runs.length === 1) return;
      const { x, y, sd } = spreadCurve(runs);
      ctx.beginPath();
      for (let k = 0; k < x.length; k++) ctx.lineTo(area.x(x[k]), area.y(y[k] + sd[k]));
      for (let k = x.length - 1; k >= 0; k--) ctx.lineTo(area.x(x[k]), area.y(y[k] - sd[k]));
      ctx.closePath();
      ctx.fillStyle = withOpacity(seriesColour(n), 0.2);
      ctx.fill();
    });
  };
}

function dataset(curve: Run, colour: string, borderWidth: number, borderDash: number[]): LineDataset {
  return {
    data: Array.from(curve.x, (x, n): Point => ({ x, y: curve.y[n] })),
    borderColor: colour,
    backgroundColor: colour,
    borderWidth,
    borderDash,
    pointBorderWidth: 0,
    pointRadius: curve.x.length <= FEW_POINTS ? borderWidth + 0.5 : 0,
    // Whole points at the ends of the x axis, nothing beyond those of the y axis.
    clip: { left: 4, right: 4, top: 0, bottom: 0 },
    order: borderWidth === BOLD ? 0 : 1,
  };
}

function xAxis(data: LearningCurveData, width: number): AxisSpec {
  const { conditions: names } = data;
  if (names) return { min: -0.5, max: names.length - 0.5, title: data.xLabel, names, maxTicks: names.length };
  const all = data.groups.flatMap(({ runs }) => runs.flatMap(({ x }) => [x[0], x[x.length - 1]]));
  const range = { min: originOr(Math.min(...all), Math.max(...all), data.xAxis), max: Math.max(...all) };
  const usable = range.max > range.min ? range : withMargin(range.min, range.max, 0.1);
  return {
    ...usable,
    kind: data.xAxis ?? 'linear',
    title: data.xLabel,
    grid: true,
    maxTicks: Math.round(width / 85),
    integer: all.every(Number.isInteger), // there is no iteration 0.5
  };
}

/** 0 for curves that start just after it. */
function originOr(min: number, max: number, kind: 'linear' | 'log' | undefined): number {
  return kind !== 'log' && min > 0 && min < 0.1 * max ? 0 : min;
}

function yAxis(data: LearningCurveData, height: number): AxisSpec {
  const kind = data.yAxis ?? 'linear';
  return {
    ...yRange(data, kind),
    kind,
    title: data.yLabel,
    grid: true,
    maxTicks: Math.max(3, Math.round(height / 50)),
  };
}

function yRange(data: LearningCurveData, kind: 'linear' | 'log'): { min: number; max: number } {
  if (data.yRange) return { min: data.yRange[0], max: data.yRange[1] };
  let min = Math.min(...data.bounds.map(({ value }) => value));
  let max = Math.max(...data.bounds.map(({ value }) => value));
  for (const { y } of data.groups.flatMap(({ runs }) => runs)) {
    for (let n = 0; n < y.length; n++) {
      if (y[n] < min) min = y[n];
      if (y[n] > max) max = y[n];
    }
  }
  if (kind === 'linear') return withMargin(min, max, 0.05);
  const exponents = withMargin(Math.log10(min), Math.log10(max), 0.05);
  return { min: 10 ** exponents.min, max: 10 ** exponents.max };
}
