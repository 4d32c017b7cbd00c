import { FileError } from '../core/errors.ts';
import type { ByteSource, FileStore } from '../core/files.ts';
import {
  checkedLabels,
  eventRecording,
  type ReadingOptions,
  type Recording,
  summaryOf,
  valueRecording,
} from './content.ts';
import { disk } from './disk.ts';
import { arrayRows, textRows } from './events.ts';
import { type Hdf5File, openHdf5 } from './hdf5.ts';
import { loadHdf5 } from './hdf5Load.ts';
import { hdf5Recording } from './layouts.ts';
import { matlabArray } from './matlab.ts';
import { type Names, nameIn, nameOf, noNames, type TimeUnit, unitOfName } from './names.ts';
import { openNpy } from './npy.ts';
import { type NamedArrays, openNpz } from './npz.ts';
import type { NumberArray } from './numbers.ts';
import { nMnistSensor, readNMnist, sensorUnits } from './sensor.ts';
import { openText } from './text.ts';

/** Formats of files, told apart by their first bytes and, where these say nothing, by their names. */
export type Format = 'npy' | 'npz' | 'hdf5' | 'n-mnist' | 'text';

const startsWith = (bytes: Uint8Array, text: string) =>
  bytes.length >= text.length && [...text].every((letter, at) => bytes[at] === letter.charCodeAt(0));

/** Places at which HDF5 may begin: behind a user block, which MATLAB has. */
const hdf5Starts = [0, 512, 1024, 2048, 4096];

/** @throws FileError for formats that are known and not read, with the way out */
export function formatOf(path: string, files: FileStore = disk): Format {
  const source = files.open(path);
  const first = source.read(0, Math.min(source.size, 4104));
  if (startsWith(first, '\x93NUMPY')) return 'npy';
  if (startsWith(first, 'PK\x03\x04') || startsWith(first, 'PK\x05\x06')) return 'npz';
  if (hdf5Starts.some((at) => startsWith(first.subarray(at), '\x89HDF\r\n\x1a\n'))) return 'hdf5';
  if (startsWith(first, 'MATLAB 5.0')) {
    throw new FileError(path, 'is a MATLAB 5 file, not HDF5, which is not read: save it again with save(..., "-v7.3")');
  }
  if (first[0] === 0x80 && first[1] <= 5) {
    throw new FileError(
      path,
      'is a Python pickle, which is never loaded: save flat events, np.savez(file, times=..., units=..., trial=...)',
    );
  }
  if (/\.bin$/i.test(path)) return 'n-mnist';
  if (/\.(npy|npz|h5|hdf5|nwb|mat)$/i.test(path))
    throw new FileError(path, 'does not begin as its name says: damaged?');
  return 'text';
}

/** Whether a file, or a file of a folder, is HDF5, which has to be loaded. */
function needsHdf5(path: string, files: FileStore): boolean {
  if (!files.isFolder(path)) return formatOf(path, files) === 'hdf5';
  const [first] = files.filesBelow(path);
  return first !== undefined && formatOf(`${path}/${first}`, files) === 'hdf5';
}

/** Loads what the formats of some files need that does not come at once. @throws FileError, UnsupportedError with what to install */
export async function loadFormats(paths: readonly string[], files: FileStore = disk): Promise<void> {
  const hdf5 = paths.find((path) => needsHdf5(path, files));
  if (hdf5 === undefined) return;
  assertOnDisk(hdf5, files);
  await loadHdf5();
}

/** HDF5 is read in place, by a library that opens files on its own. @throws FileError with what to do */
function assertOnDisk(path: string, { onDisk }: FileStore): void {
  if (onDisk) return;
  throw new FileError(
    path,
    'is HDF5 (.h5, .nwb, MATLAB 7.3), which is read from a disk only: save its spikes as .npz with the arrays times, units, trial and labels (docs/data.md), or as lines of text with these columns',
  );
}

/** An HDF5 file, once `loadHdf5` has been awaited. @throws FileError, UnsupportedError */
export function hdf5File(path: string, files: FileStore = disk): Hdf5File {
  assertOnDisk(path, files);
  return openHdf5(path, files.hashOf(path));
}

/**
 * Opens a recording: a file of any format, whose parts have usual names or those given, or a folder of files of one trial each, in the order of their names; their labels are in
 * them, or are the names of the folders that they lie in. @param files where their bytes come from @throws FileError, UnsupportedError where HDF5 is not loaded
 */
export function openRecording(
  path: string,
  { names = {}, sensor = null }: { readonly names?: Partial<Names>; readonly sensor?: ReadingOptions['sensor'] } = {},
  labelFile: string | null = null,
  files: FileStore = disk,
): Recording {
  const options = { names: { ...noNames, ...names }, sensor };
  const labels = labelFile === null ? null : labelsIn(labelFile, options.names, files);
  if (!files.isFolder(path)) return fileRecording(path, options, labels, files);
  const recording = folderRecording(path, options, files);
  return labels ? { ...recording, labels: () => checkedLabels(labels, recording.trials) } : recording;
}

function fileRecording(path: string, options: ReadingOptions, given: NumberArray | null, files: FileStore): Recording {
  const { names } = options;
  const format = formatOf(path, files);
  switch (format) {
    case 'npy':
      return valueRecording(openNpy(files.open(path)), given);
    case 'npz':
      return arraysRecording(openNpz(files.open(path)), names, given);
    case 'hdf5': {
      const recording = hdf5Recording(hdf5File(path, files), options);
      return given ? { ...recording, labels: () => checkedLabels(given, recording.trials) } : recording;
    }
    case 'n-mnist': {
      const sensor = options.sensor ?? nMnistSensor;
      const events = () => sensorUnits(readNMnist(files.open(path)), sensor, path);
      const content = { kind: 'events', events, summary: () => summaryOf(1, events) } as const;
      return { path, trials: 1, timeUnit: 'us', labels: () => given && checkedLabels(given, 1), content };
    }
    case 'text':
      return textRecording(files.open(path), names, given);
    default:
      return format satisfies never;
  }
}

/** An array of numbers by its name; a .npy file has but one. @throws FileError */
export function openArray(path: string, name: string | null, files: FileStore = disk): NumberArray {
  const format = formatOf(path, files);
  if (format === 'npy') return openNpy(files.open(path));
  if (format !== 'npz' && format !== 'hdf5') throw new FileError(path, 'expected arrays: .npy, .npz or HDF5');
  if (name === null) throw new FileError(path, 'holds several arrays: say which one');
  if (format === 'npz') return openNpz(files.open(path)).open(name);
  const file = hdf5File(path, files);
  return file.isDataSet(name) && file.hasAttribute(name, 'MATLAB_class') ? matlabArray(file, name) : file.array(name);
}

/** Events of arrays of one length, or an array of values, by their names. */
function arraysRecording(arrays: NamedArrays, names: Names, given: NumberArray | null): Recording {
  const { path, names: there } = arrays;
  const open = (name: string | null) => (name === null ? null : arrays.open(name));
  const labels = given ?? open(nameOf('labels', names, there, path));
  const times = nameOf('times', names, there, path);
  if (names.values !== null || times === null) {
    return valueRecording(arrays.open(nameIn('values', names, there, path)), labels);
  }
  const units = arrays.open(nameIn('units', names, there, path));
  const rows = arrayRows(path, arrays.open(times), units, open(nameOf('trial', names, there, path)));
  return eventRecording(rows, unitOfName(times), labels);
}

/**
 * Events in lines of text. Two columns without names are unit and time, as NEST 2 and Brian2 write them. What NEST 3 writes states
 * milliseconds in the name of its column, and BMTK writes milliseconds.
 */
function textRecording(source: ByteSource, asked: Names, labels: NumberArray | null): Recording {
  const { path } = source;
  const table = openText(source);
  const there =
    table.names ?? (table.width === 2 ? ['unit', 'time'] : Array.from({ length: table.width }, (_, c) => `${c}`));
  const times = nameIn('times', asked, there, path);
  const units = nameIn('units', asked, there, path);
  const trial = nameOf('trial', asked, there, path);
  const place = (name: string) => there.indexOf(name);
  const rows = textRows(table, place(times), place(units), trial === null ? null : place(trial));
  return eventRecording(rows, unitOfText(times, there), labels);
}

function unitOfText(times: string, there: readonly string[]): TimeUnit | null {
  const isBmtk = ['timestamps', 'population', 'node_ids'].every((name) => there.includes(name));
  return isBmtk ? 'ms' : unitOfName(times);
}

/** One label a trial: a list in a .npy file, or lines of trial and label. @throws FileError */
export function labelsIn(path: string, asked: Names, files: FileStore = disk): NumberArray {
  const format = formatOf(path, files);
  if (format === 'npy') return openNpy(files.open(path));
  if (format !== 'text') throw new FileError(path, 'expected labels in a .npy file, or in lines of trial and label');
  const table = openText(files.open(path));
  const there = table.names ?? (table.width === 2 ? ['trial', 'label'] : ['label']);
  const label = there.indexOf(nameIn('labels', { ...asked, labels: null }, there, path));
  const trialName = nameOf('trial', { ...asked, trial: null }, there, path);
  const columns = trialName === null ? [label] : [label, there.indexOf(trialName)];
  const labels: number[] = [];
  for (const { line, values } of table.rows(columns, table.start, table.end)) {
    const trial = values[1] ?? labels.length;
    if (!Number.isInteger(trial) || trial < 0 || trial > 1e8 || labels[trial] !== undefined) {
      throw new FileError(path, `line ${line}: got trial ${trial}, expected each one once, from 0`);
    }
    labels[trial] = values[0];
  }
  const missing = Array.from(labels).indexOf(undefined as never);
  if (missing >= 0) throw new FileError(path, `has no label of trial ${missing}`);
  const all = Float64Array.from(labels);
  return { path, shape: [all.length], read: (from, count) => all.slice(from, from + count) };
}

/** Files of one trial each, of which the one at work is open. */
function folderRecording(path: string, options: ReadingOptions, files: FileStore): Recording {
  const within = files.filesBelow(path);
  if (within.length === 0) throw new FileError(path, 'holds no files');
  const opened = (trial: number) => {
    const recording = fileRecording(`${path}/${within[trial]}`, options, null, files);
    if (recording.trials === 1) return recording;
    throw new FileError(recording.path, `holds ${recording.trials} trials, expected one in each file of a folder`);
  };
  const first = opened(0);
  const labels = () => {
    const found = within.map((file, trial) => opened(trial).labels()?.[0] ?? folderLabel(file));
    return found.includes(null) ? null : Float64Array.from(found as number[]);
  };
  const common = { path, trials: within.length, timeUnit: first.timeUnit, labels };
  if (first.content.kind === 'events') {
    const events = (trial: number) => {
      const { content } = opened(trial);
      if (content.kind === 'events') return content.events(0);
      throw new FileError(`${path}/${within[trial]}`, `holds values, ${within[0]} events`);
    };
    return { ...common, content: { kind: 'events', events, summary: () => summaryOf(within.length, events) } };
  }
  const { width, shape } = first.content;
  const valuesOf = (trial: number) => {
    const { content } = opened(trial);
    if (content.kind === 'values' && content.width === width) return content;
    throw new FileError(`${path}/${within[trial]}`, `does not hold values of ${width} units, as ${within[0]} does`);
  };
  return {
    ...common,
    content: {
      kind: 'values',
      shape,
      width,
      steps: (trial) => valuesOf(trial).steps(0),
      values: (trial) => valuesOf(trial).values(0),
    },
  };
}

/** The innermost folder of a file whose name is a whole number. */
function folderLabel(file: string): number | null {
  const name = file.split('/').slice(0, -1).at(-1);
  return name !== undefined && /^\d{1,9}$/.test(name) ? Number(name) : null;
}
