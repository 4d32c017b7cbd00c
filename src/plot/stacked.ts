import { ConfigError } from '../core/errors.ts';
import type { AxisSpec } from './axis.ts';
import { drawPlots, type PlotSpec } from './chart.ts';
import { checkGaps, checkLength, checkNotEmpty, checkOptions, checkRaster, checkTime, neuronsOf } from './check.ts';
import { finish, measuringContext, openFrame, scaleOf } from './frame.ts';
import { type HeaderLayout, layoutHeader } from './header.ts';
import { interactiveFigure } from './interactive.ts';
import { lineDatasets, linesHeader, paintZero, rangeOf } from './lines.ts';
import { layoutPanels, PANEL_GAP, type PanelLayout } from './panelLayout.ts';
import { paintRaster, rasterHeader } from './raster.ts';
import type { FigureOptions, LinesSection, RasterData, RasterSection, StackedData } from './types.ts';

const WIDTH = 900;
const PAD_RIGHT = 16;
const LEGEND_ROWS = 3;
/** Px that a y axis rarely exceeds: the legend is broken into rows before the axis is known. */
const Y_AXIS = 76;

/** What all panels of a figure have in common. `yAxis` grows to the widest of them. */
interface Stack {
  readonly data: StackedData;
  readonly width: number;
  readonly scale: number;
  readonly yAxis: { width: number };
}

/**
 * Panels of spikes and of variables over one time axis in ms, left and right edges aligned. Step t is drawn at
 * (startStep + t) * dtMs and the axis has half a step more at either end.
 * @throws ConfigError for data that do not fit together and for a height too small for the panels.
 */
export function renderStacked(data: StackedData, options: FigureOptions = {}): Uint8Array {
  checkOptions(options);
  checkStacked(data);
  const title = options.title ?? data.title;
  if (options.format === 'html')
    return interactiveFigure({ kind: 'trial', data: { ...data, ...(title ? { title } : {}) } });
  const stack: Stack = { data, width: options.width ?? WIDTH, scale: scaleOf(options), yAxis: { width: 0 } };
  const headers = data.panels.map((panel) => headerOf(panel, stack.width));
  const layout = layoutPanels(data.panels, headers, title, options.height);
  const frame = openFrame(stack.width, layout.height, options, title);
  const plots = data.panels.map((panel, n) => ({
    spec: plotSpec(stack, panel, headers[n], layout, n),
    x: 0,
    y: layout.panels[n].y,
  }));
  drawPlots(frame, plots, stack.yAxis);
  return finish(frame);
}

/** Spike rasters one above the other over one time axis in ms. @throws ConfigError as `renderStacked`. */
export function renderRaster(data: RasterData, options: FigureOptions = {}): Uint8Array {
  return renderStacked({ ...data, panels: data.panels.map((panel) => ({ ...panel, kind: 'raster' })) }, options);
}

function headerOf(panel: RasterSection | LinesSection, width: number): HeaderLayout {
  const header = panel.kind === 'raster' ? rasterHeader(panel) : linesHeader(panel);
  return layoutHeader(measuringContext(), header, width - Y_AXIS - PAD_RIGHT, LEGEND_ROWS);
}

function plotSpec(
  stack: Stack,
  panel: RasterSection | LinesSection,
  header: HeaderLayout,
  layout: PanelLayout,
  n: number,
): PlotSpec {
  const last = n === layout.panels.length - 1;
  const { data, width, scale } = stack;
  const { height, area } = layout.panels[n];
  const common = {
    width,
    scale,
    header,
    height,
    padRight: PAD_RIGHT,
    padBottom: last ? 0 : PANEL_GAP,
    x: timeAxis(data, width, last),
  };
  const y = { maxTicks: Math.max(3, Math.round(area / 24)), shared: stack.yAxis };
  const timeOf = (step: number) => ((data.startStep ?? 0) + step) * data.dtMs;
  if (panel.kind === 'raster') {
    const rows = { ...y, ...neuronAxis(neuronsOf(panel)), maxTicks: Math.max(4, Math.round(area / 30)) };
    return { ...common, y: rows, datasets: [], over: paintRaster(panel, data.steps, timeOf) };
  }
  const values = { ...y, ...rangeOf(panel), title: panel.unit };
  const under = panel.zeroLine ? paintZero : undefined;
  return { ...common, y: values, datasets: lineDatasets(panel, timeOf), under };
}

/** The first and the last row stay clear of the frame. */
function neuronAxis(neurons: number) {
  const edge = 0.5 + 0.005 * neurons;
  return { min: -edge, max: neurons - 1 + edge, lastTick: neurons - 1, integer: true, title: 'neuron' };
}

function timeAxis(data: StackedData, width: number, last: boolean): AxisSpec {
  const start = data.startStep ?? 0;
  return {
    min: (start - 0.5) * data.dtMs,
    max: (start + data.steps - 0.5) * data.dtMs,
    maxTicks: Math.max(3, Math.round(width / 80)),
    unlabelled: !last,
    grid: true,
    title: last ? 'time (ms)' : undefined,
  };
}

function checkStacked(data: StackedData): void {
  checkTime(data);
  checkNotEmpty('panels', data.panels, 'panel');
  data.panels.forEach((panel, n) => {
    if (panel.kind === 'raster') checkRaster(`panels[${n}]`, panel, data.steps);
    else checkLines(`panels[${n}]`, panel, data.steps);
  });
}

function checkLines(path: string, panel: LinesSection, steps: number): void {
  checkNotEmpty(`${path}.series`, panel.series, 'series');
  panel.series.forEach((series, n) => {
    checkLength(`${path}.series[${n}].values`, series.values, steps, 'one value a step');
    checkGaps(`${path}.series[${n}].values`, series.values);
    const { colorOf } = series;
    if (colorOf !== undefined && !(colorOf in panel.series)) {
      throw new ConfigError(`${path}.series[${n}].colorOf`, colorOf, `a series in [0, ${panel.series.length})`);
    }
  });
}
