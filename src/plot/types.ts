/** How a figure is drawn here. */
export type PictureFormat = 'png' | 'svg';

/** Or what a browser draws: one HTML file, of rasters, traces and learning curves only. */
export type FigureFormat = PictureFormat | 'html';

/** Size, resolution and format of a figure. Everything is in CSS pixels; a PNG has `width * scale` by `height * scale` pixels. */
export interface FigureOptions {
  /** CSS pixels. */
  readonly width?: number;
  /** CSS pixels; without it the content decides. */
  readonly height?: number;
  /** Device pixels per CSS pixel of a PNG, 2 by default (print quality). */
  readonly scale?: number;
  /**
   * `png` by default. `svg`: lines and text as paths; pictures of many cells, such as weights, stay pictures. `html`: to zoom and point at, as
   * wide as its window; width, height and scale are those of pictures.
   */
  readonly format?: FigureFormat;
  /** Goes before the title in the data. */
  readonly title?: string;
}

/** Neurons that share a colour. The populations of a panel follow one another along its neuron index. */
export interface Population {
  /** Shown in the legend; an empty label is not listed. */
  readonly label: string;
  /** Neurons. */
  readonly size: number;
}

/** Spikes as two columns of equal length, in any order. */
export interface SpikeColumns {
  /** Step of each spike, counted from the first step shown: an integer in [0, steps). */
  readonly t: ArrayLike<number>;
  /** Neuron of each spike: an integer in [0, sum of the population sizes). */
  readonly index: ArrayLike<number>;
  /** Graded input instead of spikes: |value| is the opacity of the tick relative to the largest one, in eighths; one of 0 draws none. */
  readonly value?: ArrayLike<number>;
}

/** One raster. Every neuron has a row, index 0 lowest, whether it fires or not. */
export interface RasterPanel {
  readonly label: string;
  readonly populations: readonly Population[];
  readonly spikes: SpikeColumns;
}

/** Spike rasters one above the other over one time axis. */
export interface RasterData {
  readonly title?: string;
  /** Length of a step in ms. */
  readonly dtMs: number;
  /** Steps shown. */
  readonly steps: number;
  /** Number of the first step shown, 0 by default; only moves the labels of the time axis. */
  readonly startStep?: number;
  readonly panels: readonly RasterPanel[];
}

/** One line of a panel. */
export interface Series {
  /** Shown in the legend; an empty label is not listed. */
  readonly label: string;
  /** One value a step: [steps]. NaN leaves a gap. */
  readonly values: ArrayLike<number>;
  /** Thresholds and targets. */
  readonly dashed?: boolean;
  /** Index of the series of this panel whose colour this one takes: v for its threshold, the readout for its target. */
  readonly colorOf?: number;
  /** Index of the population of a raster whose colour it takes, in place of its own. */
  readonly population?: number;
}

export interface RasterSection extends RasterPanel {
  readonly kind: 'raster';
}

export interface LinesSection {
  readonly kind: 'lines';
  readonly label: string;
  /** Stands beside the y axis. */
  readonly unit?: string;
  readonly series: readonly Series[];
  /** Draws y = 0 and keeps it in the range. */
  readonly zeroLine?: boolean;
  /** Holds each value over its step instead of joining the values by straight lines. */
  readonly step?: boolean;
}

/** Any variables of a trial over one time axis, from the top: input spikes, spikes, v, psi, L, readout, error. */
export interface StackedData {
  readonly title?: string;
  /** Length of a step in ms. */
  readonly dtMs: number;
  /** Steps shown. */
  readonly steps: number;
  /** Number of the first step shown, 0 by default; only moves the labels of the time axis. */
  readonly startStep?: number;
  readonly panels: readonly (RasterSection | LinesSection)[];
}

/** One seed. `x` is finite and strictly ascending, `y` has its length and may hold NaN where nothing was measured. */
export interface Run {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Such as its seed; told where somebody points at it. */
  readonly label?: string;
}

/** The seeds of one condition, for example of one rule. */
export interface RunGroup {
  readonly label: string;
  readonly runs: readonly Run[];
}

/** A value known in theory or from a reference: chance, an entropy bound. */
export interface Bound {
  readonly label: string;
  readonly value: number;
}

export interface LearningCurveData {
  readonly title?: string | undefined;
  /** Stands above the panel. */
  readonly label?: string;
  /** What the legend says of a group: its label with the number of seeds, which is the default, its label alone, or nothing. */
  readonly legend?: 'seeds' | 'labels' | 'none';
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xAxis?: 'linear' | 'log';
  readonly yAxis?: 'linear' | 'log';
  /** Ends of the y axis; without it data and bounds decide. What lies outside is cut off. */
  readonly yRange?: readonly [number, number];
  readonly bounds: readonly Bound[];
  readonly groups: readonly RunGroup[];
  /** How several runs of a group are shown beside their mean: each as a thin line, which is the default, or mean +- sd as a band. */
  readonly spread?: 'runs' | 'band';
  /** Names of x = 0, 1, 2, ..: an axis of conditions, with a mark at every value of every seed. */
  readonly conditions?: readonly string[];
}

export interface LearningCurvesData {
  readonly title?: string;
  /** From the top. */
  readonly panels: readonly LearningCurveData[];
}

/** What a figure of the format `html` holds. */
export type FigureContent =
  | { readonly kind: 'trial'; readonly data: StackedData }
  | { readonly kind: 'curves'; readonly data: LearningCurvesData };

export interface WeightMatrix {
  readonly label: string;
  /** Presynaptic neurons: rows. */
  readonly pre: number;
  /** Postsynaptic neurons: columns. */
  readonly post: number;
  /** [pre][post], row by row. NaN is an absent synapse and is drawn grey. */
  readonly values: ArrayLike<number>;
}

/** Weight matrices side by side, for example before and after training, on one colour scale. */
export interface WeightsData {
  readonly title?: string;
  /** Stands beside the colour bar, `weight` by default. */
  readonly unit?: string;
  /** |weight| at the ends of the colour bar; the largest |weight| by default. Larger weights take the end colour. */
  readonly limit?: number;
  readonly matrices: readonly WeightMatrix[];
}

/** One table of numbers, drawn as coloured cells. */
export interface HeatMapPanel {
  readonly label: string;
  /** [rows * columns], row by row; NaN for a cell that was not measured. */
  readonly values: readonly number[];
}

/** Tables over the same two settings. */
export interface HeatMapData {
  readonly panels: readonly HeatMapPanel[];
  /** Panels side by side. */
  readonly across: number;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly rowTitle: string;
  readonly columnTitle: string;
  /** Of one column, px; 62 by default. */
  readonly cellWidth?: number;
  /** The value that is white: below it blue, above it vermilion. */
  readonly middle: number;
  /** Distance from it at which colours end. */
  readonly limit: number;
  /** Digits after the point. */
  readonly digits: number;
  readonly title?: string;
}

/** A box of the figure of a network. */
export interface NetworkNode {
  readonly name: string;
  /** Below the name, at most two. */
  readonly lines: readonly string[];
  readonly kind: 'input' | 'population' | 'readout';
  /** From the left, from 0. */
  readonly column: number;
}

/** An arrow of the figure of a network, between nodes by name. */
export interface NetworkEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly sign: 'excitatory' | 'inhibitory' | 'either';
  readonly plastic: boolean;
}

export interface NetworkData {
  readonly title?: string;
  readonly nodes: readonly NetworkNode[];
  readonly edges: readonly NetworkEdge[];
}
