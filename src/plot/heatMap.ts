import { matrixImage, paintCells } from './cells.ts';
import { drawPlots, type Paint, type PlotSpec } from './chart.ts';
import { checkLength, checkNotEmpty, checkOptions, checkPositive } from './check.ts';
import { divergingColour } from './colourMap.ts';
import { font } from './font.ts';
import { finish, MARGIN, measuringContext, openFrame, scaleOf, topOf } from './frame.ts';
import { layoutHeader } from './header.ts';
import { INK, PAPER } from './palette.ts';
import type { FigureOptions, HeatMapData, HeatMapPanel } from './types.ts';

const CELL_WIDTH = 62;
const CELL_HEIGHT = 34;
/** Axis and header of a panel; names of rows that are longer get more. */
const PANEL_ROOM = { width: 80, height: 86 };
/** Ticks, the title of the rows and the right margin of a panel. */
const BESIDE_NAMES = 44;

/**
 * Tables of a measure over two settings, each cell with its number and a colour: blue below `middle`, vermilion above it.
 * @throws ConfigError for a panel whose values are not rows * columns
 */
export function renderHeatMap(data: HeatMapData, options: FigureOptions = {}): Uint8Array {
  checkOptions(options);
  checkData(data);
  const { panels, across, rows, columns } = data;
  const title = options.title ?? data.title;
  const scale = scaleOf(options);
  const { cellWidth = CELL_WIDTH } = data;
  const width = columns.length * cellWidth + Math.max(PANEL_ROOM.width, widest(rows) + BESIDE_NAMES);
  const height = rows.length * CELL_HEIGHT + PANEL_ROOM.height;
  const down = Math.ceil(panels.length / across);
  const frame = openFrame(across * width + MARGIN, topOf(title) + down * height + MARGIN, options, title);
  drawPlots(
    frame,
    panels.map((panel, n) => ({
      spec: panelPlot(panel, data, { width, height, scale }),
      x: (n % across) * width,
      y: frame.top + Math.floor(n / across) * height,
    })),
  );
  return finish(frame);
}

/** px */
function widest(names: readonly string[]): number {
  const ctx = measuringContext();
  ctx.font = font(12);
  return Math.max(...names.map((name) => ctx.measureText(name).width));
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}

function panelPlot(panel: HeatMapPanel, data: HeatMapData, size: Size): PlotSpec {
  const { rows, columns, middle, limit } = data;
  const shifted = panel.values.map((value) => value - middle);
  return {
    ...size,
    header: layoutHeader(measuringContext(), { label: panel.label, entries: [] }, size.width),
    padRight: 12,
    padBottom: 0,
    datasets: [],
    x: { min: -0.5, max: columns.length - 0.5, title: data.columnTitle, names: columns, maxTicks: columns.length },
    y: { min: -0.5, max: rows.length - 0.5, title: data.rowTitle, names: rows, maxTicks: rows.length, reverse: true },
    under: paintCells(matrixImage({ label: '', pre: rows.length, post: columns.length, values: shifted }, limit)),
    over: paintNumbers(panel, data),
  };
}

/** The number of every cell, dark on light and light on dark. */
function paintNumbers({ values }: HeatMapPanel, { columns, middle, limit, digits }: HeatMapData): Paint {
  return (ctx, area) => {
    ctx.font = font(11);
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    values.forEach((value, n) => {
      const [red, green, blue] = divergingColour(value - middle, limit);
      ctx.fillStyle = red + green + blue < 330 ? PAPER : INK;
      const text = Number.isNaN(value) ? '–' : value.toFixed(digits);
      ctx.fillText(text, area.x(n % columns.length), area.y(Math.floor(n / columns.length)));
    });
    ctx.textAlign = 'left';
  };
}

function checkData({ panels, rows, columns, limit }: HeatMapData): void {
  checkPositive('limit', limit, 'a distance from the middle');
  checkNotEmpty('panels', panels, 'panel');
  checkNotEmpty('rows', rows, 'row');
  checkNotEmpty('columns', columns, 'column');
  panels.forEach(({ values }, n) => {
    checkLength(`panels[${n}].values`, values, rows.length * columns.length, 'rows * columns');
  });
}
