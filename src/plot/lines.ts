import type { LineDataset, Paint } from './chart.ts';
import type { Header } from './header.ts';
import { AXIS, seriesColour, seriesDash } from './palette.ts';
import type { LinesSection, Series } from './types.ts';

/** Up to this many steps each value also gets a dot. */
const FEW_STEPS = 2;

export function linesHeader(panel: LinesSection): Header {
  const entries = panel.series.map(
    (series, n) =>
      ({ label: series.label, colour: colourOf(series, n), mark: 'line', dash: dashOf(series, n) }) as const,
  );
  return { label: panel.label, entries };
}

/** One dataset a series, values at `timeOf(step)`. */
export function lineDatasets(panel: LinesSection, timeOf: (step: number) => number): LineDataset[] {
  return panel.series.map((series, n) => ({
    data: Array.from(series.values, (y, step) => ({ x: timeOf(step), y })),
    borderColor: colourOf(series, n),
    backgroundColor: colourOf(series, n),
    borderWidth: 1.4,
    borderDash: dashOf(series, n),
    pointRadius: series.values.length <= FEW_STEPS ? 2 : 0,
    stepped: panel.step ? 'middle' : false,
    order: series.dashed ? 0 : 1, // a target over the readout that follows it
  }));
}

/** Range of all finite values with a margin; a constant gets room around it. */
export function rangeOf(panel: LinesSection): { min: number; max: number } {
  let min = panel.zeroLine ? 0 : Number.POSITIVE_INFINITY;
  let max = panel.zeroLine ? 0 : Number.NEGATIVE_INFINITY;
  for (const { values } of panel.series) {
    for (let t = 0; t < values.length; t++) {
      const value = values[t];
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return withMargin(min, max, 0.08);
}

/** [min, max] widened by a share of its length at both ends; something usable for an empty or a constant range. */
export function withMargin(min: number, max: number, share: number): { min: number; max: number } {
  if (!(min <= max)) return { min: 0, max: 1 };
  const margin = max > min ? (max - min) * share : Math.abs(max) * 0.1 || 1;
  return { min: min - margin, max: max + margin };
}

/** The line y = 0, under the data. */
export const paintZero: Paint = (ctx, area) => {
  ctx.fillStyle = AXIS;
  ctx.fillRect(area.left, area.y(0) - 0.5, area.right - area.left, 1);
};

function colourOf(series: Series, n: number): string {
  return seriesColour(series.population ?? series.colorOf ?? n);
}

function dashOf(series: Series, n: number): number[] {
  return series.dashed ? [5, 3] : seriesDash(n);
}
