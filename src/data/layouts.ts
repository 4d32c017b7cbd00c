import { FileError } from '../core/errors.ts';
import {
  assertFinite,
  checkedEvents,
  checkedLabels,
  eventRecording,
  type ReadingOptions,
  type Recording,
  summaryOf,
  valueRecording,
} from './content.ts';
import { arrayRows, type Events } from './events.ts';
import type { Hdf5File } from './hdf5.ts';
import { matlabRecording } from './matlab.ts';
import { type Names, nameIn, nameOf, type TimeUnit, unitOfName } from './names.ts';
import { allOf } from './numbers.ts';
import { sensorUnits } from './sensor.ts';

/** How a tool lays recordings out in HDF5. */
interface Layout {
  readonly name: string;
  fits(file: Hdf5File): boolean;
  open(file: Hdf5File, options: ReadingOptions): Recording;
}

/** Heidelberg digits and speech commands (Cramer et al. 2022): times in seconds and units of every trial. */
const shd: Layout = {
  name: 'SHD',
  fits: (file) => isRagged(file, 'spikes/times') && isRagged(file, 'spikes/units'),
  open: (file) =>
    raggedRecording(file, 'spikes/times', 'spikes/units', file.isDataSet('labels') ? 'labels' : null, 's'),
};

/** Neurodata Without Borders 2: the times of unit k end at entry k of the index; trials are stretches of them, in seconds. */
const nwb: Layout = {
  name: 'NWB',
  fits: (file) => file.isDataSet('units/spike_times') && file.isDataSet('units/spike_times_index'),
  open: (file, { names }) => nwbRecording(file, names),
};

/** SONATA of the Allen Institute, as BMTK writes it: one group a population. */
const sonata: Layout = {
  name: 'SONATA',
  fits: (file) => file.isGroup('spikes') && populationsOf(file).length > 0,
  open(file, { names }) {
    const populations = populationsOf(file);
    const chosen = names.units ?? populations[0];
    if (!populations.includes(chosen) || (names.units === null && populations.length > 1)) {
      throw new FileError(file.path, `holds the populations ${populations.join(', ')}: say which with names.units`);
    }
    const group = `spikes/${chosen}`;
    const rows = arrayRows(file.path, file.array(`${group}/timestamps`), file.array(`${group}/node_ids`), null);
    return eventRecording(rows, 'ms', null);
  },
};

const populationsOf = (file: Hdf5File) =>
  file
    .names('spikes')
    .filter((name) => file.isDataSet(`spikes/${name}/timestamps`) && file.isDataSet(`spikes/${name}/node_ids`));

/** A cache of tonic: one trial, records of events in microseconds or frames, and its label. */
const tonic: Layout = {
  name: 'tonic',
  fits: (file) => file.isDataSet('data/0'),
  open(file, { sensor }) {
    const labels = file.isDataSet('target/0') ? file.array('target/0') : null;
    if (file.kindOf('data/0') !== 'records') {
      const frames = file.array('data/0');
      return valueRecording({ ...frames, shape: [1, ...frames.shape] }, labels);
    }
    const path = `${file.path}: data/0`;
    const column = (name: string) => columnOf(file.columns('data/0'), name, path);
    const events = (): Events => {
      const columns = file.columns('data/0');
      if (!columns.has('y')) return checkedEvents({ times: column('t'), units: column('x') }, path, 0);
      const pixels = { x: column('x'), y: column('y'), p: column('p'), t: column('t') };
      if (!sensor)
        throw new FileError(path, 'holds events of pixels: say with sensor how many columns and rows there are');
      return checkedEvents(sensorUnits(pixels, sensor, path), path, 0);
    };
    return {
      path: file.path,
      trials: 1,
      timeUnit: 'us',
      labels: () => (labels ? checkedLabels(labels, 1) : null),
      content: { kind: 'events', events, summary: () => summaryOf(1, events) },
    };
  },
};

function columnOf(columns: ReadonlyMap<string, Float64Array>, name: string, path: string): Float64Array {
  const column = columns.get(name);
  if (column) return column;
  throw new FileError(path, `has no column ${name}; there are ${[...columns.keys()].join(', ')}`);
}

/** Variables of MATLAB's save(..., '-v7.3'), each with its class beside it. */
const matlab: Layout = {
  name: 'MATLAB 7.3',
  fits: (file) => file.names('').some((name) => file.isDataSet(name) && file.hasAttribute(name, 'MATLAB_class')),
  open: (file, { names }) => matlabRecording(file, names),
};

/** Data sets at the top, as h5py writes arrays: named by the user, or as usual. */
const plain: Layout = {
  name: 'arrays',
  fits: () => true,
  open(file, { names }) {
    const asked = Object.values(names).filter((name) => name !== null);
    const there = [
      ...file.names('').filter((name) => file.isDataSet(name)),
      ...asked.filter((name) => name.includes('/')),
    ];
    const labelName = nameOf('labels', names, there, file.path);
    const timesName = nameOf('times', names, there, file.path);
    if (names.values !== null || timesName === null) {
      const values = file.array(nameIn('values', names, there, file.path));
      return valueRecording(values, labelName === null ? null : file.array(labelName));
    }
    const unitsName = nameIn('units', names, there, file.path);
    const unit = unitOfName(timesName);
    if (isRagged(file, timesName)) return raggedRecording(file, timesName, unitsName, labelName, unit);
    const trialName = nameOf('trial', names, there, file.path);
    const trial = trialName === null ? null : file.array(trialName);
    const rows = arrayRows(file.path, file.array(timesName), file.array(unitsName), trial);
    return eventRecording(rows, unit, labelName === null ? null : file.array(labelName));
  },
};

/** The first that fits is taken, unless the user names data sets. */
const layouts: readonly Layout[] = [shd, nwb, sonata, tonic, matlab, plain];

/** @throws FileError for a file in which no trials are found */
export function hdf5Recording(file: Hdf5File, options: ReadingOptions): Recording {
  const layout = layouts.find(({ fits }) => fits(file)) ?? plain;
  const named = [options.names.times, options.names.values].some((name) => name !== null);
  return (named && layout !== matlab ? plain : layout).open(file, options);
}

const isRagged = (file: Hdf5File, name: string) => file.isDataSet(name) && file.kindOf(name) === 'ragged';

function raggedRecording(
  file: Hdf5File,
  timesName: string,
  unitsName: string,
  labelName: string | null,
  timeUnit: TimeUnit | null,
): Recording {
  const [times, units] = [file.ragged(timesName), file.ragged(unitsName)];
  if (times.count !== units.count) {
    throw new FileError(file.path, `has times of ${times.count} trials and units of ${units.count}`);
  }
  const events = (trial: number) =>
    checkedEvents({ times: times.read(trial), units: units.read(trial) }, file.path, trial);
  return {
    path: file.path,
    trials: times.count,
    timeUnit,
    labels: () => (labelName === null ? null : checkedLabels(file.array(labelName), times.count)),
    content: { kind: 'events', events, summary: () => summaryOf(times.count, events) },
  };
}

/** Times of the units of an NWB file, all of them, and the identities that it gives units. @throws FileError */
export function nwbUnits(file: Hdf5File): { readonly ids: Float64Array; readonly times: readonly Float64Array[] } {
  const all = allOf(file.array('units/spike_times'));
  const ends = allOf(file.array('units/spike_times_index'));
  const path = `${file.path}: units/spike_times_index`;
  const times = Array.from(ends, (end, k) => {
    const start = k === 0 ? 0 : ends[k - 1];
    if (start <= end && end <= all.length) return all.subarray(start, end);
    throw new FileError(
      path,
      `unit ${k}: got ${start} to ${end} of ${all.length} times, expected ends in ascending order`,
    );
  });
  if (times.length > 0 && ends[ends.length - 1] !== all.length) {
    throw new FileError(path, `ends at ${ends[ends.length - 1]} of ${all.length} times`);
  }
  const ids = file.isDataSet('units/id') ? allOf(file.array('units/id')) : Float64Array.from(ends, (_, k) => k);
  if (ids.length !== ends.length) throw new FileError(path, `counts ${ends.length} units, units/id ${ids.length}`);
  times.forEach((own, k) => {
    assertFinite(own, `${file.path}: units/spike_times`, k, 1);
  });
  return { ids, times };
}

/** Stretches of an NWB file that are trials, in seconds; null where it has none. @throws FileError */
export function nwbTrials(file: Hdf5File): { readonly start: Float64Array; readonly stop: Float64Array } | null {
  if (!file.isGroup('intervals/trials')) return null;
  const start = allOf(file.array('intervals/trials/start_time'));
  const stop = allOf(file.array('intervals/trials/stop_time'));
  const odd = start.findIndex((from, n) => !(from <= stop[n]));
  if (odd < 0 && start.length === stop.length) return { start, stop };
  throw new FileError(`${file.path}: intervals/trials`, `trial ${odd}: got ${start[odd]} s to ${stop[odd]} s`);
}

/** Units by their place in the table; times from the beginning of a trial on, which spikes at its end do not belong to. */
function nwbRecording(file: Hdf5File, names: Names): Recording {
  const { times } = nwbUnits(file);
  const trials = nwbTrials(file);
  const columns = trials ? file.names('intervals/trials') : [];
  const labelName = nameOf('labels', names, columns, `${file.path}: intervals/trials`);
  const count = trials?.start.length ?? 1;
  const events = (trial: number): Events => {
    const found = times.flatMap((own, unit) => {
      const from = trials ? lowerBound(own, trials.start[trial]) : 0;
      const to = trials ? lowerBound(own, trials.stop[trial]) : own.length;
      return Array.from(own.subarray(from, to), (time) => ({ time: time - (trials?.start[trial] ?? 0), unit }));
    });
    found.sort((a, b) => a.time - b.time);
    return { times: Float64Array.from(found, ({ time }) => time), units: Float64Array.from(found, ({ unit }) => unit) };
  };
  const ids = Float64Array.from(times, (_, k) => k);
  return {
    path: file.path,
    trials: count,
    timeUnit: 's',
    labels: () => (labelName === null ? null : checkedLabels(file.array(`intervals/trials/${labelName}`), count)),
    content: { kind: 'events', events, summary: () => ({ ...summaryOf(count, events), ids }) },
  };
}

/** The first place whose time is not before `time`, of times in ascending order. */
function lowerBound(times: Float64Array, time: number): number {
  let [from, to] = [0, times.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (times[middle] < time) from = middle + 1;
    else to = middle;
  }
  return from;
}
