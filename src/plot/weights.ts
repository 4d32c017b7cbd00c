import { ConfigError } from '../core/errors.ts';
import { matrixImage, paintCells } from './cells.ts';
import { bottomOf, drawPlots, type PlotSpec } from './chart.ts';
import { checkCount, checkGaps, checkLength, checkNotEmpty, checkOptions, checkPositive } from './check.ts';
import { barPlot, layoutBar, type Sheet } from './colourBar.ts';
import { finish, MARGIN, measuringContext, openFrame, scaleOf } from './frame.ts';
import { layoutHeader } from './header.ts';
import type { FigureOptions, WeightMatrix, WeightsData } from './types.ts';

const MATRIX_WIDTH = 380;
const HEIGHT = 400;
const SMALLEST_MATRIX = 140;

/**
 * Heat maps of weight matrices, side by side on one colour scale that is symmetric about 0. Rows are presynaptic, index 0
 * at the top; columns postsynaptic.
 * @throws ConfigError for a matrix whose values are not pre * post, and for a figure too narrow.
 */
export function renderWeights(data: WeightsData, options: FigureOptions = {}): Uint8Array {
  checkOptions(options);
  checkWeights(data);
  const title = options.title ?? data.title;
  const limit = data.limit ?? largestWeight(data);
  const bar = layoutBar(data, limit);
  const width = options.width ?? data.matrices.length * MATRIX_WIDTH + bar.width;
  const column = Math.floor((width - bar.width) / data.matrices.length);
  checkColumn(column, data.matrices.length);
  const frame = openFrame(width, options.height ?? HEIGHT, options, title);
  const sheet = { height: (options.height ?? HEIGHT) - frame.top - MARGIN, scale: scaleOf(options), limit };
  const plots = data.matrices.map((matrix) => matrixPlot(matrix, column, sheet));
  plots.push(barPlot(bar, sheet, bottomOf(plots[0])));
  drawPlots(
    frame,
    plots.map((spec, n) => ({ spec, x: n * column, y: frame.top })),
  );
  return finish(frame);
}

function matrixPlot(matrix: WeightMatrix, width: number, { height, scale, limit }: Sheet): PlotSpec {
  const { pre, post, label } = matrix;
  const index = { min: -0.5, integer: true } as const;
  return {
    width,
    height,
    scale,
    header: layoutHeader(measuringContext(), { label, entries: [] }, width),
    padRight: 16,
    padBottom: 0,
    datasets: [],
    x: { ...index, max: post - 0.5, title: 'postsynaptic index', maxTicks: Math.max(3, Math.round(width / 60)) },
    y: {
      ...index,
      max: pre - 0.5,
      title: 'presynaptic index',
      reverse: true,
      maxTicks: Math.max(3, Math.round(height / 45)),
    },
    under: paintCells(matrixImage(matrix, limit)),
  };
}

function largestWeight(data: WeightsData): number {
  let largest = 0;
  for (const { values } of data.matrices) {
    for (let n = 0; n < values.length; n++) if (Math.abs(values[n]) > largest) largest = Math.abs(values[n]);
  }
  return largest > 0 ? largest : 1;
}

function checkWeights(data: WeightsData): void {
  if (data.limit !== undefined) checkPositive('limit', data.limit, 'a weight');
  checkNotEmpty('matrices', data.matrices, 'matrix');
  data.matrices.forEach(({ pre, post, values }, n) => {
    checkCount(`matrices[${n}].pre`, pre, 'neurons');
    checkCount(`matrices[${n}].post`, post, 'neurons');
    checkLength(`matrices[${n}].values`, values, pre * post, 'pre * post');
    checkGaps(`matrices[${n}].values`, values);
  });
}

function checkColumn(column: number, matrices: number): void {
  if (column >= SMALLEST_MATRIX) return;
  throw new ConfigError('options.width', column, `at least ${SMALLEST_MATRIX} px for each of ${matrices} matrices`);
}
