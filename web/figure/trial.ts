import type uPlot from 'uplot';
import { seriesColour } from '../../src/plot/palette.ts';
import type { LinesSection, RasterSection, Series, StackedData } from '../../src/plot/types.ts';
import { near, nearestOf, type Panel, type PanelSeries, shade } from './panel.ts';

/** Panels of a trial over one time axis in ms. */
export function trialPanels(data: StackedData): Panel[] {
  const panels = data.panels.map((panel) =>
    panel.kind === 'raster' ? rasterPanel(panel, data) : linesPanel(panel, data),
  );
  return panels.map((panel, n) => (n < panels.length - 1 ? { ...panel, xLabel: '' } : panel));
}

const rounded = (value: number) => String(Number(value.toPrecision(4)));

function timeAxis({ startStep = 0, steps, dtMs }: StackedData) {
  return {
    xLabel: 'time (ms)',
    xRange: [(startStep - 0.5) * dtMs, (startStep + steps - 0.5) * dtMs] as const,
    times: Array.from({ length: steps }, (_, t) => (startStep + t) * dtMs),
  };
}

function linesPanel(panel: LinesSection, data: StackedData): Panel {
  const { times, ...axis } = timeAxis(data);
  const series = panel.series.map(
    (one, n): PanelSeries => ({
      colour: lineColour(one, n),
      width: 1.5,
      dashed: one.dashed ?? false,
      stepped: panel.step ?? false,
      name: one.label || panel.label,
    }),
  );
  const columns = [
    times,
    ...panel.series.map(({ values }) =>
      Array.from(values as ArrayLike<number | null>, (value) => (value === null || Number.isNaN(value) ? null : value)),
    ),
  ];
  const values = columns.slice(1).flatMap((column) => column.filter((value) => value !== null));
  const shown: Panel = {
    ...axis,
    label: panel.label,
    yLabel: panel.unit ?? '',
    height: 140,
    yRange: withRoom(panel.zeroLine ? [...values, 0] : values),
    yLog: false,
    legend: series.flatMap(({ colour, dashed }, n) =>
      panel.series[n].label === '' ? [] : [{ label: panel.series[n].label, colour, dashed }],
    ),
    series,
    columns,
    tell(plot, left, top) {
      const found = nearestOf(shown, plot, left, top);
      return found && `${panel.label}, ${found.series.name}: ${rounded(found.y)} at ${rounded(found.x)} ms`;
    },
  };
  return shown;
}

const lineColour = (series: Series, n: number) => seriesColour(series.population ?? series.colorOf ?? n);

/** Ends of all values with a margin. */
export function withRoom(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(low <= high)) return [0, 1];
  const room = high > low ? 0.06 * (high - low) : Math.abs(high) / 10 || 1;
  return [low - room, high + room];
}

function rasterPanel(panel: RasterSection, data: StackedData): Panel {
  const { times, ...axis } = timeAxis(data);
  const neurons = panel.populations.reduce((sum, { size }) => sum + size, 0);
  return {
    ...axis,
    label: panel.label,
    yLabel: 'neuron',
    height: Math.min(420, Math.max(150, 70 + 3 * neurons)),
    yRange: [-0.5, neurons - 0.5],
    yLog: false,
    legend:
      panel.populations.length > 1
        ? panel.populations.map(({ label }, n) => ({ label, colour: seriesColour(n), dashed: false }))
        : [],
    series: [],
    columns: [times],
    paint: (plot) => paintSpikes(plot, panel, times),
    tell: (plot, left, top) => tellSpike(plot, panel, times, left, top),
  };
}

/** The population that a row belongs to. */
function ownerOf({ populations }: RasterSection, row: number): number {
  let end = 0;
  return populations.findIndex(({ size }) => {
    end += size;
    return row < end;
  });
}

function paintSpikes(plot: uPlot, panel: RasterSection, times: readonly number[]): void {
  const { ctx } = plot;
  const { t, index, value } = panel.spikes;
  const scale = devicePixelRatio;
  const row = Math.abs(plot.valToPos(1, 'y', true) - plot.valToPos(0, 'y', true));
  const height = Math.max(1.5 * scale, 0.8 * row);
  const step = times.length > 1 ? plot.valToPos(times[1], 'x', true) - plot.valToPos(times[0], 'x', true) : height;
  const width = Math.max(scale, Math.min(6 * scale, 0.4 * step));
  const colours = panel.populations.map((_, n) => shade(seriesColour(n)));
  const largest = value ? Array.from(value).reduce((most, one) => Math.max(most, Math.abs(one)), 0) : 1;
  for (let n = 0; n < t.length; n++) {
    ctx.globalAlpha = value ? Math.abs(value[n]) / largest : 1;
    ctx.fillStyle = colours[ownerOf(panel, index[n])];
    const x = plot.valToPos(times[t[n]], 'x', true);
    const y = plot.valToPos(index[n], 'y', true);
    ctx.fillRect(x - width / 2, y - height / 2, width, height);
  }
  ctx.globalAlpha = 1;
}

function tellSpike(
  plot: uPlot,
  panel: RasterSection,
  times: readonly number[],
  left: number,
  top: number,
): string | null {
  const { t, index } = panel.spikes;
  let best = -1;
  let distance = near;
  for (let n = 0; n < t.length; n++) {
    const away = Math.hypot(plot.valToPos(times[t[n]], 'x') - left, plot.valToPos(index[n], 'y') - top);
    if (away >= distance) continue;
    best = n;
    distance = away;
  }
  if (best < 0) return null;
  const { label } = panel.populations[ownerOf(panel, index[best])];
  return `${panel.label}: neuron ${index[best]}${label && label !== panel.label ? ` (${label})` : ''} at ${rounded(times[t[best]])} ms`;
}
