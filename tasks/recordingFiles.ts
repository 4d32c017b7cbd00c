import { ConfigError, FileError } from '../src/core/errors.ts';
import type { FileStore } from '../src/core/files.ts';
import { countOf, loadFormats, type NumberArray, openArray, openRecording, type Recording } from '../src/data/index.ts';
import type { RecordingParams } from './recordingParams.ts';

/** The files of one set of trials. */
export interface FileSet {
  readonly file: string;
  readonly labelFile: string | null;
  readonly targetFile: string | null;
}

/** Parameters that are paths. */
export const recordingPaths = [
  'file',
  'labelFile',
  'targetFile',
  'split.file',
  'split.labelFile',
  'split.targetFile',
] as const;

/** Loads HDF5 where a file needs it. @throws FileError, UnsupportedError with what to install */
export async function loadRecordings(p: RecordingParams, store: FileStore): Promise<void> {
  const sets = p.split.kind === 'file' ? [p, p.split] : [p];
  const paths = sets.flatMap(({ file, targetFile }) => (targetFile === null ? [file] : [file, targetFile]));
  await loadFormats(paths, store);
}

/** @throws FileError, UnsupportedError */
export type OpenSet = (set: FileSet, p: RecordingParams) => Recording;

const mostKept = 4;

/** Opens recordings of a store and keeps the latest: an index of events takes a pass over the file, and parts of an experiment ask again. */
export function recordingsOf(store: FileStore): OpenSet {
  const latest = new Map<string, Recording>();
  return ({ file, labelFile }, { names, sensor }) => {
    const hashes = [file, labelFile].map((path) => (path === null ? null : store.hashOf(path)));
    const key = JSON.stringify([file, labelFile, hashes, names, sensor]);
    const recording = latest.get(key) ?? openRecording(file, { names, sensor }, labelFile, store);
    latest.delete(key);
    latest.set(key, recording);
    for (const oldest of latest.keys()) if (latest.size > mostKept) latest.delete(oldest);
    return recording;
  };
}

/** A target signal. */
export interface Signal {
  readonly outputs: number;
  /** Of one trial. [row][output] @throws FileError */
  rows(trial: number): Float64Array;
}

/** @param rows of a trial @throws FileError for a signal of other trials or another length */
export function signalOf(
  { file, targetFile }: FileSet,
  name: string | null,
  trials: number,
  rows: number,
  store: FileStore,
): Signal {
  const array: NumberArray = openArray(targetFile ?? file, name, store);
  const { shape, path } = array;
  const whole = shape.length === 2 ? [1, ...shape] : shape;
  if (whole.length !== 3 || whole[0] !== trials || whole[1] !== rows || countOf(whole) === 0) {
    throw new FileError(path, `has the shape [${shape}], expected [${trials}][${rows}][outputs] (target.name)`);
  }
  const width = rows * whole[2];
  return {
    outputs: whole[2],
    rows(trial) {
      const values = array.read(trial * width, width);
      const odd = values.findIndex((value) => !Number.isFinite(value));
      if (odd < 0) return values;
      throw new FileError(path, `trial ${trial}, row ${Math.floor(odd / whole[2])}: got ${values[odd]}`);
    },
  };
}

/** Steps of a unit of time, in ms. @throws ConfigError where neither the file nor the user says which it is */
export function msOf(recording: Recording, p: RecordingParams, dtMs: number): number {
  const unit = p.timeUnit ?? recording.timeUnit;
  switch (unit) {
    case 's':
      return 1000;
    case 'ms':
      return 1;
    case 'us':
      return 0.001;
    case 'steps':
      return dtMs;
    case null:
      throw new ConfigError(
        'task.timeUnit',
        null,
        `one of "s", "ms", "us", "steps": ${recording.path} does not say it`,
      );
    default:
      return unit satisfies never;
  }
}

/** Labels of all trials. @throws FileError */
export function labelsOf(recording: Recording): Float64Array {
  const labels = recording.labels();
  if (labels) return labels;
  throw new FileError(recording.path, 'holds no labels: name them (task.names.labels), or their file (task.labelFile)');
}
