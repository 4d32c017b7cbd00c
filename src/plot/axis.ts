import type { ScaleOptionsByType } from 'chart.js';
import { fontFamily } from './font.ts';
import { logTicks, niceTicks, tickLabels } from './numbers.ts';
import { AXIS, FAINT, INK } from './palette.ts';

/** One axis of a plot. */
export interface AxisSpec {
  readonly min: number;
  readonly max: number;
  readonly title?: string | undefined;
  readonly kind?: 'linear' | 'log';
  /** Ticks at integers only. */
  readonly integer?: boolean;
  /** No tick above it, although the axis goes on: the last neuron. */
  readonly lastTick?: number;
  readonly reverse?: boolean;
  readonly side?: 'left' | 'right' | 'bottom';
  /** Without the labels of the ticks: a lower panel has them. */
  readonly unlabelled?: boolean;
  readonly grid?: boolean;
  readonly maxTicks: number;
  /** Names of 0, 1, 2, .. in place of numbers. */
  readonly names?: readonly string[];
  /** Px that a y axis takes at least: how the panels of a figure agree on their left edge. */
  readonly shared?: { readonly width: number };
}

type AxisOptions = ScaleOptionsByType<'linear' | 'logarithmic'>;
/** The nested options of Chart.js are all optional, which its own types say only behind a deep mapping. */
export type ScaleConfig = { [K in keyof AxisOptions]?: Partial<AxisOptions[K]> | AxisOptions[K] };

interface FittedScale {
  width: number;
  height: number;
  isHorizontal(): boolean;
}

/** Options of Chart.js for an axis. */
export function axisOptions(spec: AxisSpec): ScaleConfig {
  return {
    type: spec.kind === 'log' ? 'logarithmic' : 'linear',
    min: spec.min,
    max: spec.max,
    reverse: spec.reverse ?? false,
    position: spec.side ?? 'left',
    title: { display: spec.title !== undefined, text: spec.title ?? '', color: INK, font: fontSpec(11) },
    border: { display: true, color: AXIS },
    grid: { color: spec.grid ? FAINT : 'transparent', tickColor: AXIS, tickLength: spec.unlabelled ? 0 : 4 },
    ticks: ticksOf(spec),
    afterBuildTicks: (scale: { ticks: object[] }) => {
      scale.ticks = ticksIn(spec).map((value) => ({ value }));
    },
    afterFit: (scale: FittedScale) => roundSize(scale, spec.shared),
  } as ScaleConfig;
}

/** Whole px, so that the edges of the plot are sharp. */
function roundSize(scale: FittedScale, shared: AxisSpec['shared']): void {
  if (scale.isHorizontal()) scale.height = Math.ceil(scale.height);
  else scale.width = Math.ceil(Math.max(scale.width, shared?.width ?? 0));
}

function ticksOf(spec: AxisSpec): object {
  return {
    display: !spec.unlabelled,
    autoSkip: false,
    maxRotation: 0,
    color: INK,
    font: fontSpec(10),
    callback: spec.names
      ? (value: unknown) => spec.names?.[Number(value)]
      : spec.kind === 'log'
        ? logLabel
        : linearLabel,
  };
}

function ticksIn({ kind, min, max, lastTick, maxTicks, integer, names }: AxisSpec): number[] {
  if (names) return names.map((_, n) => n);
  return kind === 'log' ? logTicks(min, max, maxTicks) : niceTicks(min, lastTick ?? max, maxTicks, integer);
}

function linearLabel(_value: unknown, index: number, ticks: readonly { value: number }[]): string {
  return tickLabels(ticks.map((tick) => tick.value))[index];
}

/** On its own: decades have no common unit. */
function logLabel(value: unknown): string {
  return tickLabels([Number(value)])[0];
}

function fontSpec(size: number): { family: string; size: number } {
  return { family: fontFamily(), size };
}
