import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import {
  BasicPlatform,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  Decimation,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Plugin,
  PointElement,
} from 'chart.js';
import { type AxisSpec, axisOptions } from './axis.ts';
import { canvasFor } from './canvas.ts';
import { type Frame, place, release } from './frame.ts';
import { drawHeader, type HeaderLayout } from './header.ts';
import { AXIS, PAPER } from './palette.ts';
import type { PictureFormat } from './types.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export type LineDataset = ChartDataset<'line', Point[]>;

/** What a figure draws itself, under or over the lines of Chart.js. Coordinates are px from the upper left corner. */
export type Paint = (ctx: SKRSContext2D, plot: PlotArea) => void;

/** Where the data are: the plot area in px, and from data to px. */
export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Device pixels per px. */
  readonly scale: number;
  readonly format: PictureFormat;
  x(value: number): number;
  y(value: number): number;
}

/** One plot: axes and lines by Chart.js, header and anything else by us. Sizes in px. */
export interface PlotSpec {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly header: HeaderLayout;
  readonly padRight: number;
  readonly padBottom: number;
  readonly datasets: LineDataset[];
  readonly x: AxisSpec;
  readonly y: AxisSpec;
  readonly under?: Paint | undefined;
  readonly over?: Paint | undefined;
}

/** A plot, and px from the upper left corner of the figure. */
export interface PlacedPlot {
  readonly spec: PlotSpec;
  readonly x: number;
  readonly y: number;
}

/** A plot that is drawn and can be drawn again after a change of the shared axis width. Close it. */
interface Plot {
  readonly canvas: Canvas;
  readonly yAxisWidth: number;
  /** Y in px of the lower edge of the plot area. */
  readonly bottom: number;
  redraw(): void;
  close(): void;
}

/**
 * Draws plots and places them. `shared` is the width of the y axes of all of them, which is that of the widest: only Chart.js knows how
 * wide an axis is, and only after a layout; hence a first pass, and a second with the widest.
 */
export function drawPlots(frame: Frame, placed: readonly PlacedPlot[], shared?: { width: number }): void {
  let plots = placed.map(({ spec }) => openPlot(spec, 'png'));
  if (shared) {
    shared.width = Math.max(...plots.map((plot) => plot.yAxisWidth));
    for (const plot of plots) if (plot.yAxisWidth < shared.width) plot.redraw();
  }
  if (frame.format === 'svg') {
    // What a vector figure was given stays in it: the layout was found aside.
    for (const plot of plots) plot.close();
    plots = placed.map(({ spec }) => openPlot(spec, 'svg'));
  }
  for (const [n, plot] of plots.entries()) {
    place(frame, plot.canvas, placed[n].x, placed[n].y);
    plot.close();
  }
}

/** Y in px of the lower edge of the plot area. */
export function bottomOf(spec: PlotSpec): number {
  const plot = openPlot(spec, 'png');
  plot.close();
  return plot.bottom;
}

function openPlot(spec: PlotSpec, format: PictureFormat): Plot {
  Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Decimation);
  const canvas = canvasFor(format, spec.width, spec.height); // Chart.js enlarges it by devicePixelRatio
  const ctx = canvas.getContext('2d');
  const chart = new Chart<'line', Point[]>(ctx as never, configOf(spec, ctx, format));
  return {
    canvas,
    yAxisWidth: chart.scales.y.width,
    bottom: chart.chartArea.bottom,
    redraw: () => chart.update('none'),
    close: () => {
      chart.destroy();
      if (format === 'png') release(canvas);
    },
  };
}

function configOf(spec: PlotSpec, ctx: SKRSContext2D, format: PictureFormat): ChartConfiguration<'line', Point[]> {
  return {
    type: 'line',
    platform: BasicPlatform,
    data: { datasets: spec.datasets },
    options: {
      animation: false,
      responsive: false,
      devicePixelRatio: spec.scale,
      parsing: false,
      normalized: true,
      events: [],
      // Without it the overhang of the last label would move the right edge of one panel and not of the others.
      layout: { autoPadding: false, padding: paddingOf(spec) },
      scales: { x: axisOptions({ ...spec.x, side: 'bottom' }), y: axisOptions(spec.y) } as object,
      elements: { point: { radius: 0 }, line: { borderJoinStyle: 'round' } },
      plugins: { decimation: { enabled: spec.datasets.every(isGapless), algorithm: 'min-max' } },
    },
    plugins: [painter(spec, ctx, format)],
  };
}

function paddingOf(spec: PlotSpec): { left: number; right: number; top: number; bottom: number } {
  return { left: 4, right: spec.padRight, top: spec.header.height, bottom: spec.padBottom };
}

/** The minima and maxima of Chart.js' decimation swallow everything beside a NaN, and the gap with it. */
function isGapless(dataset: LineDataset): boolean {
  return dataset.data.every((point) => Number.isFinite(point.y));
}

function painter(spec: PlotSpec, ctx: SKRSContext2D, format: PictureFormat): Plugin<'line'> {
  return {
    id: 'figure',
    beforeDraw: () => {
      ctx.fillStyle = PAPER;
      ctx.fillRect(0, 0, spec.width, spec.height);
    },
    beforeDatasetsDraw: (chart) => {
      const area = areaOf(chart, spec.scale, format);
      clipped(ctx, area, spec.under);
      outline(ctx, area);
    },
    afterDatasetsDraw: (chart) => {
      const area = areaOf(chart, spec.scale, format);
      spec.over?.(ctx, area);
      drawHeader(ctx, spec.header, area.left, area.right);
    },
  };
}

function areaOf(chart: Chart<'line'>, scale: number, format: PictureFormat): PlotArea {
  const { left, right, top, bottom } = chart.chartArea;
  const { x, y } = chart.scales;
  const px = (axis: typeof x) => (value: number) => axis.getPixelForValue(value);
  return { left, right, top, bottom, scale, format, x: px(x), y: px(y) };
}

function clipped(ctx: SKRSContext2D, area: PlotArea, paint: Paint | undefined): void {
  if (!paint) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
  ctx.clip();
  paint(ctx, area);
  ctx.restore();
}

function outline(ctx: SKRSContext2D, area: PlotArea): void {
  ctx.strokeStyle = AXIS;
  ctx.lineWidth = 1;
  ctx.strokeRect(area.left, area.top, area.right - area.left, area.bottom - area.top);
}
