import { matrixImage, paintCells } from './cells.ts';
import type { Paint, PlotSpec } from './chart.ts';
import { font } from './font.ts';
import { measuringContext } from './frame.ts';
import { layoutHeader } from './header.ts';
import { niceTicks, tickLabels } from './numbers.ts';
import { ABSENT, INK } from './palette.ts';
import type { WeightMatrix, WeightsData } from './types.ts';

const BAR = 26;
const PAD_RIGHT = 6;
/** Margin, tick marks and the title of the axis, beside the widest label. */
const AXIS_ROOM = 30;
/** So that the note under the bar fits. */
const LEAST_WIDTH = 86;
const TICKS = 9;
const STEPS = 256;

/** What the plots of one figure share. Px, device pixels per px, and |weight| at the ends of the colour scale. */
export interface Sheet {
  readonly height: number;
  readonly scale: number;
  readonly limit: number;
}

export interface BarLayout {
  /** Px of bar and axis. */
  readonly width: number;
  readonly axis: { readonly width: number };
  readonly title: string;
  readonly noteGaps: boolean;
}

/** Measures the labels: Chart.js gives an axis at most half of a plot, which is too little beside a narrow bar. */
export function layoutBar(data: WeightsData, limit: number): BarLayout {
  const ctx = measuringContext();
  ctx.font = font(10);
  const widths = tickLabels(niceTicks(-limit, limit, TICKS)).map((label) => ctx.measureText(label).width);
  const axis = { width: Math.ceil(Math.max(...widths)) + AXIS_ROOM };
  const width = Math.max(LEAST_WIDTH, BAR + axis.width + PAD_RIGHT + 4);
  return { width, axis, title: data.unit ?? 'weight', noteGaps: hasGaps(data) };
}

/** The colour scale as a plot of its own, as high as the matrices; under it what grey means, where there is any. */
export function barPlot(layout: BarLayout, { height, scale, limit }: Sheet, bottom: number): PlotSpec {
  const values = Array.from({ length: STEPS }, (_, n) => limit * (1 - (2 * n + 1) / STEPS));
  const bar: WeightMatrix = { label: '', pre: STEPS, post: 1, values };
  return {
    width: layout.width,
    height,
    scale,
    header: layoutHeader(measuringContext(), { label: ' ', entries: [] }, layout.width),
    padRight: PAD_RIGHT,
    padBottom: height - bottom,
    datasets: [],
    x: { min: 0, max: 1, unlabelled: true, maxTicks: 2 },
    y: { min: -limit, max: limit, side: 'right', title: layout.title, maxTicks: TICKS, shared: layout.axis },
    under: paintCells(matrixImage(bar, limit)),
    over: layout.noteGaps ? paintNote : undefined,
  };
}

const paintNote: Paint = (ctx, area) => {
  ctx.fillStyle = ABSENT;
  ctx.fillRect(area.left, area.bottom + 10, 10, 10);
  ctx.fillStyle = INK;
  ctx.font = font(10);
  ctx.textBaseline = 'middle';
  ctx.fillText('no synapse', area.left + 15, area.bottom + 15);
};

function hasGaps(data: WeightsData): boolean {
  return data.matrices.some(({ values }) => Array.prototype.some.call(values, Number.isNaN));
}
