import uPlot from 'uplot';

/** One plot of a figure: columns over a shared x, what is drawn beside them, and what a point of it means. */
export interface Panel {
  readonly label: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** CSS pixels. */
  readonly height: number;
  readonly xRange: readonly [number, number];
  readonly yRange: readonly [number, number];
  readonly yLog: boolean;
  readonly legend: readonly { readonly label: string; readonly colour: string; readonly dashed: boolean }[];
  readonly series: readonly PanelSeries[];
  /** x, then a column for each series; null leaves a gap. */
  readonly columns: readonly (readonly (number | null)[])[];
  /** Drawn into the area of the data: spikes, bounds, bands. */
  readonly paint?: (plot: uPlot) => void;
  /** What lies at a point of the area of the data, in words; null: nothing near. */
  readonly tell: (plot: uPlot, left: number, top: number) => string | null;
}

export interface PanelSeries {
  readonly colour: string;
  readonly width: number;
  readonly dashed: boolean;
  /** Each value held over its step. */
  readonly stepped: boolean;
  /** In words, for who points at it. */
  readonly name: string;
}

/** Pixels between a point and what it is said to be. */
export const near = 12;

export const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name);

/** Blue and vermilion are lifted and black is turned on the dark, as in the playground. */
const lifted: Readonly<Record<string, string>> = { '#0072B2': '#4aa8e0', '#000000': '#f2f2f2', '#D55E00': '#f0843a' };
export const darkness = matchMedia('(prefers-color-scheme: dark)');
export const shade = (colour: string): string => (darkness.matches ? (lifted[colour] ?? colour) : colour);

/** Between the ticks of an axis of neurons. */
const wholeNumbers = [0, 1, 2, 3, 4, 5, 6].flatMap((n) => [1, 2, 5].map((step) => step * 10 ** n));

/** Opens a panel as a plot. @param moved told of every change of the x range @param said told of what the pointer is at */
export function openPanel(
  panel: Panel,
  home: HTMLElement,
  moved: (from: number, to: number) => void,
  said: (text: string | null) => void,
): uPlot {
  const axis = (label: string, more: uPlot.Axis): uPlot.Axis => ({
    label,
    labelSize: 20,
    labelFont: '12px system-ui, sans-serif',
    font: '12px system-ui, sans-serif',
    stroke: () => colourOf('--soft'),
    grid: { stroke: () => colourOf('--line'), width: 0.5 },
    ticks: { stroke: () => colourOf('--line'), width: 0.5 },
    ...more,
  });
  // A plot has scales of its series only: where all is painted, one that is not drawn holds them.
  const bare = panel.series.length === 0;
  const anchor: uPlot.Series = { paths: () => null, points: { show: false } };
  return new uPlot(
    {
      width: home.clientWidth,
      height: panel.height,
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, min: panel.xRange[0], max: panel.xRange[1], range: (_, from, to) => [from, to] },
        y: {
          distr: panel.yLog ? 3 : 1,
          auto: false,
          min: panel.yRange[0],
          max: panel.yRange[1],
          range: (_, from, to) => [from, to],
        },
      },
      axes: [
        axis(panel.xLabel, { size: 28, ...(panel.xLabel === '' ? { labelSize: 0 } : {}) }),
        // A blank keeps the room of a label, so that panels are aligned.
        axis(panel.yLabel || ' ', { size: 54, space: 26, ...(bare ? { incrs: wholeNumbers } : {}) }),
      ],
      series: [{}, ...(bare ? [anchor] : panel.series.map(seriesOf))],
      cursor: {
        drag: { x: true, y: true, uni: 20, setScale: true },
        points: { show: false },
        sync: { key: 'x', scales: ['x', null], filters: { pub: (type) => /^mouse(move|leave|enter)$/.test(type) } },
        bind: { dblclick: () => null },
      },
      hooks: {
        draw: [(plot) => clipped(plot, panel.paint)],
        setScale: [
          (plot, key) => {
            const { min, max } = plot.scales.x;
            if (key === 'x' && min != null && max != null) moved(min, max);
          },
        ],
        setCursor: [
          (plot) => {
            const { left = -1, top = -1, event } = plot.cursor;
            // That of another panel comes without an event.
            if (event && left >= 0) said(panel.tell(plot, left, top));
          },
        ],
      },
    },
    (bare ? [...panel.columns, panel.columns[0].map(() => 0)] : panel.columns) as uPlot.AlignedData,
    home,
  );
}

function seriesOf({ colour, width, dashed, stepped }: PanelSeries): uPlot.Series {
  return {
    stroke: () => shade(colour.slice(0, 7)) + colour.slice(7),
    width,
    ...(dashed ? { dash: [6, 4] } : {}),
    ...(stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    points: { show: false },
    spanGaps: false,
  };
}

function clipped(plot: uPlot, paint: Panel['paint']): void {
  if (!paint) return;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint(plot);
  ctx.restore();
}

/** Index and distance in px of the series whose value lies nearest to a point, among the values around it. */
export function nearestOf(
  { series, columns }: Pick<Panel, 'series' | 'columns'>,
  plot: uPlot,
  left: number,
  top: number,
): { readonly series: PanelSeries; readonly x: number; readonly y: number } | null {
  const xs = columns[0] as readonly number[];
  let best = { distance: near, s: -1, n: -1 };
  const at = plot.posToIdx(left);
  for (let n = Math.max(0, at - 3); n <= Math.min(xs.length - 1, at + 3); n++) {
    const dx = plot.valToPos(xs[n], 'x') - left;
    for (let s = 0; s < series.length; s++) {
      const y = columns[s + 1][n];
      if (y === null) continue;
      const distance = Math.hypot(dx, plot.valToPos(y, 'y') - top);
      if (distance < best.distance) best = { distance, s, n };
    }
  }
  return best.s < 0 ? null : { series: series[best.s], x: xs[best.n], y: columns[best.s + 1][best.n] as number };
}
