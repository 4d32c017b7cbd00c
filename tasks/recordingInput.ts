import { ConfigError, FileError } from '../src/core/errors.ts';
import type { Real } from '../src/core/layout.ts';
import type { Rng } from '../src/core/rng.ts';
import type { Events, Recording } from '../src/data/index.ts';
import { msOf } from './recordingFiles.ts';
import type { RecordingParams } from './recordingParams.ts';

/** Share of a step by which a time may fall short of its border: times in seconds are no multiples of a step in binary. */
const slack = 1e-6;

/** Which unit of a recording goes where. */
export interface Channels {
  /** Units of the recording. */
  readonly units: number;
  /** Inputs of one kind. */
  readonly count: number;
  /** The place of a unit by its identity in the file, outside of 0 to `units` where it has none. */
  placeOf(id: number): number;
  /** Input of the unit at a place, -1 where it is not read. */
  inputOf(place: number): number;
}

/** @throws ConfigError for units that are kept and not there */
export function channelsOf(recordings: readonly Recording[], p: RecordingParams): Channels {
  const ids = p.unitIds === 'sorted' || p.units === null ? idsOf(recordings) : null;
  const sorted = p.unitIds === 'sorted' && ids ? new Map(Array.from(ids, (id, place) => [id, place])) : null;
  const offset = typeof p.unitIds === 'object' ? p.unitIds.offset : 0;
  const largest = ids?.at(-1) ?? -1;
  const units = p.units ?? Math.max(1, sorted ? sorted.size : largest - offset + 1);
  if (units > 1e8) throw new ConfigError('task.units', units, 'at most 1e8 units: name those of the file with unitIds');
  const kept = p.keep ?? Array.from({ length: units }, (_, unit) => unit);
  const outside = kept.findIndex((unit) => unit >= units);
  if (outside >= 0) throw new ConfigError(`task.keep.${outside}`, kept[outside], `a unit below ${units}`);
  const twice = (p.keep ?? []).findIndex((unit, place) => kept.indexOf(unit) !== place);
  if (twice >= 0) throw new ConfigError(`task.keep.${twice}`, kept[twice], 'each unit once');
  const inputs = new Int32Array(units).fill(-1);
  kept.forEach((unit, place) => {
    inputs[unit] = Math.floor(place / p.pool);
  });
  return {
    units,
    count: Math.ceil(kept.length / p.pool),
    placeOf: sorted ? (id) => sorted.get(id) ?? -1 : (id) => id - offset,
    inputOf: (place) => (place >= 0 && place < units ? inputs[place] : -1),
  };
}

function idsOf(recordings: readonly Recording[]): Float64Array {
  const all = new Set<number>();
  for (const { content } of recordings) {
    if (content.kind === 'events') for (const id of content.summary().ids) all.add(id);
    else for (let unit = 0; unit < content.width; unit++) all.add(unit);
  }
  return Float64Array.from(all).sort();
}

/** Arrays of a trial that are filled. */
export interface Filled {
  /** [step][stride], 0 in the columns of the task */
  readonly x: Real;
  readonly stride: number;
  readonly steps: number;
}

/** By how much the trial is moved, in steps and units, and every spike of it. */
export interface Moved {
  readonly steps: number;
  readonly units: number;
  readonly jitter: (() => number) | null;
}

/** What a trial of the training is moved by; nothing in the test. */
export function movedBy(p: RecordingParams, dtMs: number, rng: Rng | null): Moved {
  if (!rng) return { steps: 0, units: 0, jitter: null };
  const most = Math.floor(p.shiftMs / dtMs + slack);
  const steps = most > 0 ? rng.integer(2 * most + 1) - most : 0;
  const units = p.shiftUnits > 0 ? rng.integer(2 * p.shiftUnits + 1) - p.shiftUnits : 0;
  const noise = rng.split('jitter');
  return { steps, units, jitter: p.jitterMs > 0 ? () => (p.jitterMs / dtMs) * noise.normal() : null };
}

type Place = (t: number, place: number, amount: number) => void;

/** Writes spikes: several of one input in one step are one, or their number. What is moved out of the trial or the units is left out. */
function placer({ x, stride, steps }: Filled, channels: Channels, moved: Moved, perStep: 'one' | 'count'): Place {
  return (t, place, amount) => {
    const row = t + moved.steps;
    const input = channels.inputOf(place + moved.units);
    if (row < 0 || row >= steps || input < 0 || amount === 0) return;
    const at = row * stride + input;
    x[at] = perStep === 'one' ? 1 : x[at] + amount;
  };
}

/**
 * Spikes of a list into steps: step floor(time / dt), where a time that falls short of a border by a millionth of a step is behind it.
 * @throws FileError for a unit that is none, or a time outside of the trial where these are refused
 */
export function fillEvents(
  filled: Filled,
  { times, units }: Events,
  recording: Recording,
  trial: number,
  { p, dtMs, channels, moved }: InputSettings,
): void {
  const perStep = msOf(recording, p, dtMs) / dtMs;
  const put = placer(filled, channels, moved, p.perStep);
  for (let e = 0; e < times.length; e++) {
    const place = channels.placeOf(units[e]);
    if (!(place >= 0 && place < channels.units)) {
      throw new FileError(
        recording.path,
        `trial ${trial}, event ${e}: got unit ${units[e]}, expected one of ${channels.units} (task.units, task.unitIds)`,
      );
    }
    const exact = times[e] * perStep;
    const step = Math.floor(exact + slack);
    if (step < 0 || step >= filled.steps) {
      if (p.longer === 'cut') continue;
      throw new FileError(
        recording.path,
        `trial ${trial}, event ${e}: at ${exact * dtMs} ms, outside of the ${filled.steps * dtMs} ms of task.durationMs; task.longer = "cut" leaves it out`,
      );
    }
    put(moved.jitter ? Math.floor(exact + slack + moved.jitter()) : step, place, 1);
  }
}

/** What input is made by. */
export interface InputSettings {
  readonly p: RecordingParams;
  readonly dtMs: number;
  readonly channels: Channels;
  readonly moved: Moved;
  /** Of codings that draw. */
  readonly rng: Rng;
}

/**
 * Values in rows into steps, each row for `rowSteps` of them, by the coding. values: [row][unit]
 * @throws FileError for numbers of spikes that are none
 */
export function fillValues(
  filled: Filled,
  values: Float64Array,
  recording: Recording,
  trial: number,
  settings: InputSettings,
): void {
  const { p, channels } = settings;
  const { units } = channels;
  const rows = Math.min(values.length / units, Math.ceil(filled.steps / p.rowSteps));
  const code = coderOf(filled, values, recording, trial, settings);
  for (let row = 0; row < rows; row++) for (let unit = 0; unit < units; unit++) code(row, unit);
}

type Code = (row: number, unit: number) => void;

function coderOf(
  filled: Filled,
  values: Float64Array,
  recording: Recording,
  trial: number,
  settings: InputSettings,
): Code {
  const { p, channels, moved, rng } = settings;
  const { coding, rowSteps } = p;
  const { units } = channels;
  const put = placer(filled, channels, moved, p.perStep);
  switch (coding.kind) {
    case 'spikes':
      return (row, unit) => {
        const amount = values[row * units + unit];
        if (!(Number.isInteger(amount) && amount >= 0)) {
          throw new FileError(
            recording.path,
            `trial ${trial}, row ${row}, unit ${unit}: got ${amount}, expected a number of spikes; task.coding is for analog values`,
          );
        }
        put(row * rowSteps, unit, amount);
      };
    case 'current': {
      const add = placer(filled, channels, moved, 'count');
      return (row, unit) => {
        const amount = coding.gain * values[row * units + unit];
        for (let t = row * rowSteps; t < (row + 1) * rowSteps; t++) add(t, unit, amount);
      };
    }
    case 'delta': {
      const less = placer({ ...filled, x: filled.x.subarray(channels.count) as Real }, channels, moved, p.perStep);
      return (row, unit) => {
        const change = values[row * units + unit] - (row > 0 ? values[(row - 1) * units + unit] : 0);
        if (change > coding.threshold) put(row * rowSteps, unit, 1);
        if (-change > coding.threshold) less(row * rowSteps, unit, 1);
      };
    }
    case 'latency':
      return (row, unit) => {
        const share = shareOf(values[row * units + unit], coding);
        if (share > 0) put(row * rowSteps + Math.round((1 - share) * (rowSteps - 1)), unit, 1);
      };
    case 'poisson':
      return (row, unit) => {
        const probability = coding.rate * shareOf(values[row * units + unit], coding);
        for (let t = row * rowSteps; t < (row + 1) * rowSteps; t++) put(t, unit, rng.bernoulli(probability));
      };
    default:
      return coding satisfies never;
  }
}

/** Where a value lies between low and high, from 0 to 1. */
function shareOf(value: number, { low, high }: { readonly low: number; readonly high: number }): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}
