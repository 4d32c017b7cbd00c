import { FileError } from '../core/errors.ts';
import { type EventRows, type EventSummary, type Events, indexEvents } from './events.ts';
import type { Names, TimeUnit } from './names.ts';
import { allOf, countOf, type NumberArray } from './numbers.ts';

/** Spikes as a list. */
export interface EventContent {
  readonly kind: 'events';
  /** Of one trial, from 0. @throws FileError */
  events(trial: number): Events;
  /** Goes over all events once, when it is first asked for. @throws FileError */
  summary(): EventSummary;
}

/** Numbers of every unit at every step: spikes, counts, or analog values. */
export interface ValueContent {
  readonly kind: 'values';
  /** Of the array in the file. */
  readonly shape: readonly number[];
  /** Steps of a trial. */
  steps(trial: number): number;
  /** Units. */
  readonly width: number;
  /** Of one trial, from 0. [step][unit] @throws FileError */
  values(trial: number): Float64Array;
}

/** Trials of a file, or of the files of a folder. */
export interface Recording {
  readonly path: string;
  readonly trials: number;
  /** Of the times; null where the file does not say. */
  readonly timeUnit: TimeUnit | null;
  /** A whole number a trial; null where the file holds none. [trial] @throws FileError */
  labels(): Float64Array | null;
  readonly content: EventContent | ValueContent;
}

/** How a file is to be read where it does not say so itself. */
export interface ReadingOptions {
  readonly names: Names;
  /** Columns and rows of the sensor of events with x and y; null: of the format, or as large as a file needs it. */
  readonly sensor: { readonly width: number; readonly height: number } | null;
}

/** Labels of all trials, checked. @throws FileError */
export function checkedLabels(array: NumberArray, trials: number | null): Float64Array {
  const labels = allOf(array);
  if (array.shape.length > 1 && countOf(array.shape) !== Math.max(...array.shape)) {
    throw new FileError(array.path, `has the shape [${array.shape}], expected one label a trial`);
  }
  if (trials !== null && labels.length !== trials) {
    throw new FileError(array.path, `holds ${labels.length} labels for ${trials} trials`);
  }
  const odd = labels.findIndex((label) => !(Number.isSafeInteger(label) && label >= 0));
  if (odd >= 0) throw new FileError(array.path, `trial ${odd}: got label ${labels[odd]}, expected a whole number >= 0`);
  return labels;
}

/** A table of events, whose last trials may be known from their labels alone. */
export function eventRecording(rows: EventRows, timeUnit: TimeUnit | null, labels: NumberArray | null): Recording {
  const indexed = indexEvents(rows);
  const known = labels === null ? null : checkedLabels(labels, null);
  if (known && known.length < indexed.trials) {
    throw new FileError(labels?.path ?? rows.path, `holds ${known.length} labels for ${indexed.trials} trials`);
  }
  return {
    path: rows.path,
    trials: known?.length ?? indexed.trials,
    timeUnit,
    labels: () => known,
    content: { kind: 'events', events: indexed.events, summary: () => indexed.summary },
  };
}

/** An array [trial][step][unit], or [step][unit] of one trial; further axes are units too. @throws FileError */
export function valueRecording(array: NumberArray, labels: NumberArray | null): Recording {
  const { path, shape } = array;
  if (shape.length < 2)
    throw new FileError(path, `has the shape [${shape}], expected [trial][step][unit] or [step][unit]`);
  const [trials, steps, ...rest] = shape.length === 2 ? [1, ...shape] : shape;
  const width = countOf(rest);
  if (trials * steps * width === 0) throw new FileError(path, `has the shape [${shape}]: nothing is in it`);
  const known = labels === null ? null : checkedLabels(labels, trials);
  return {
    path,
    trials,
    timeUnit: 'steps',
    labels: () => known,
    content: {
      kind: 'values',
      shape,
      steps: () => steps,
      width,
      values(trial) {
        const values = array.read(trial * steps * width, steps * width);
        assertFinite(values, path, trial, width);
        return values;
      },
    },
  };
}

export function assertFinite(values: Float64Array, path: string, trial: number, width: number): void {
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd < 0) return;
  throw new FileError(path, `trial ${trial}, step ${Math.floor(odd / width)}, unit ${odd % width}: got ${values[odd]}`);
}

/** What goes over the events of all trials finds. */
export function summaryOf(trials: number, events: (trial: number) => Events): EventSummary {
  const ids = new Set<number>();
  let longest = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { times, units } = events(trial);
    for (const unit of units) ids.add(unit);
    for (const time of times) longest = Math.max(longest, time);
  }
  return { ids: Float64Array.from(ids).sort(), longest };
}

/** @throws FileError where the events of a trial are none */
export function checkedEvents(events: Events, path: string, trial: number): Events {
  const { times, units } = events;
  const at = `${path}: trial ${trial}`;
  if (times.length !== units.length) throw new FileError(at, `has ${times.length} times and ${units.length} units`);
  const odd = times.findIndex(
    (time, e) => !Number.isFinite(time) || !(Number.isSafeInteger(units[e]) && units[e] >= 0),
  );
  if (odd >= 0) throw new FileError(at, `event ${odd}: got time ${times[odd]}, unit ${units[odd]}`);
  return events;
}
