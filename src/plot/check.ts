import { ConfigError } from '../core/errors.ts';
import type { FigureOptions, RasterPanel } from './types.ts';

export const DEFAULT_SCALE = 2;
const LARGEST = 8000;

/** @throws ConfigError unless `value` is a finite number > 0. */
export function checkPositive(path: string, value: number, what: string): void {
  if (!(Number.isFinite(value) && value > 0)) throw new ConfigError(path, value, `${what} > 0`);
}

/** @throws ConfigError unless `value` is an integer >= 1. */
export function checkCount(path: string, value: number, what: string): void {
  if (!(Number.isSafeInteger(value) && value >= 1)) throw new ConfigError(path, value, `a number of ${what} >= 1`);
}

/** @throws ConfigError unless there is something to draw. */
export function checkNotEmpty(path: string, values: ArrayLike<unknown>, what: string): void {
  if (!(values.length > 0)) throw new ConfigError(`${path}.length`, values.length, `at least one ${what}`);
}

/** @throws ConfigError unless the array has `length` entries. */
export function checkLength(path: string, values: ArrayLike<number>, length: number, what: string): void {
  if (values.length !== length) throw new ConfigError(`${path}.length`, values.length, `${length}, ${what}`);
}

/** @throws ConfigError for a size that no picture can have. */
export function checkOptions(options: FigureOptions): void {
  const { width, height, scale, format } = options;
  if (width !== undefined) checkPixels('options.width', width, 240);
  if (height !== undefined) checkPixels('options.height', height, 120);
  if (scale !== undefined && !(scale >= 0.5 && scale <= 8)) {
    throw new ConfigError('options.scale', scale, '0.5 to 8 device pixels per pixel');
  }
  if (format !== undefined && format !== 'png' && format !== 'svg' && format !== 'html') {
    throw new ConfigError('options.format', format, 'png, svg or html');
  }
}

/** @throws ConfigError for a time axis without length. */
export function checkTime(data: { readonly dtMs: number; readonly steps: number; readonly startStep?: number }): void {
  checkPositive('dtMs', data.dtMs, 'a step in ms');
  checkCount('steps', data.steps, 'steps');
  const start = data.startStep ?? 0;
  if (!Number.isSafeInteger(start)) throw new ConfigError('startStep', start, 'a step number');
}

/** @throws ConfigError for a spike outside the panel. */
export function checkRaster(path: string, panel: RasterPanel, steps: number): void {
  checkNotEmpty(`${path}.populations`, panel.populations, 'population');
  panel.populations.forEach((p, n) => {
    checkCount(`${path}.populations[${n}].size`, p.size, 'neurons');
  });
  const { t, index, value } = panel.spikes;
  checkLength(`${path}.spikes.index`, index, t.length, 'as many as spikes.t');
  if (value) checkLength(`${path}.spikes.value`, value, t.length, 'as many as spikes.t');
  checkBelow(`${path}.spikes.t`, t, steps, 'a step');
  checkBelow(`${path}.spikes.index`, index, neuronsOf(panel), 'a neuron');
  if (value) checkFinite(`${path}.spikes.value`, value);
}

export function neuronsOf(panel: RasterPanel): number {
  return panel.populations.reduce((sum, population) => sum + population.size, 0);
}

/** @throws ConfigError for the first entry that is not a finite number. */
export function checkFinite(path: string, values: ArrayLike<number>): void {
  for (let n = 0; n < values.length; n++) {
    if (!Number.isFinite(values[n])) throw new ConfigError(`${path}[${n}]`, values[n], 'a finite number');
  }
}

/** @throws ConfigError for the first infinite entry; NaN is a gap. */
export function checkGaps(path: string, values: ArrayLike<number>): void {
  for (let n = 0; n < values.length; n++) {
    if (Math.abs(values[n]) === Number.POSITIVE_INFINITY) {
      throw new ConfigError(`${path}[${n}]`, values[n], 'a finite number, or NaN for a gap');
    }
  }
}

function checkBelow(path: string, values: ArrayLike<number>, end: number, what: string): void {
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    if (!(Number.isInteger(value) && value >= 0 && value < end)) {
      throw new ConfigError(`${path}[${n}]`, value, `${what} in [0, ${end})`);
    }
  }
}

function checkPixels(path: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= LARGEST)) {
    throw new ConfigError(path, value, `a whole number of pixels, ${least} to ${LARGEST}`);
  }
}
