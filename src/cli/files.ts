/**
 * Entry for programs in Node that write and read what the command line does: run folders, weights, recordings, arrays. Rules and tasks are
 * those of the catalogue, and those that a run folder keeps a copy of.
 */
import type { NpyArray } from '../record/index.ts';
import { decodeNpy, encodeNpy, readBytes, writeAtomic } from '../record/index.ts';
import { executeJob, type Job, type JobResult, type JobWatcher } from './execute.ts';
import { findRuns, isRunFolder, loadRun } from './runFolder.ts';
import { readWeights, type WeightFile, weightFiles, writeWeights } from './weights.ts';

export { type ArrayToWrite, encodeNpz } from '../data/index.ts';
export {
  decodeNpy,
  encodeNpy,
  type MetricsRow,
  type NpyArray,
  NpyWriter,
  type NpyWriterOptions,
  type RecordedField,
  type Recording,
  type RecordingOptions,
  readMetrics,
  readNpyRows,
  startRecording,
  toCsv,
} from '../record/index.ts';
export {
  findRuns,
  isRunFolder,
  type Job,
  type JobResult,
  type JobWatcher,
  loadRun,
  readWeights,
  type WeightFile,
  weightFiles,
  writeWeights,
};

/** What a training writes besides its metrics, checkpoints and weights, and how far it goes. */
export type TrainOptions = Omit<Job, 'folder' | 'experiment'> & JobWatcher;

/**
 * Trains an experiment into a folder, as `spiketrace train --out FOLDER`: configuration, metrics, checkpoints, weights, summary.
 * @throws ConfigError, UnsupportedError before anything is written; StorageError where something cannot be written any more
 */
export function trainInto(folder: string, experiment: unknown, options: TrainOptions = {}): Promise<JobResult> {
  return executeJob({ ...options, folder, experiment }, options);
}

/** Goes on with the run of a folder, as `spiketrace resume`. */
export function resumeIn(folder: string, options: TrainOptions = {}): Promise<JobResult> {
  return trainInto(folder, null, options);
}

/** The numbers of a .npy file in C order, of any order and type of numbers in the file. @throws FileError */
export function readNpy(path: string): { readonly shape: readonly number[]; readonly data: NpyArray } {
  return decodeNpy(readBytes(path), path);
}

/** Writes an array in C order, complete or not at all. @throws ConfigError where shape and length disagree, FileError */
export function writeNpy(path: string, data: NpyArray, shape: readonly number[]): void {
  writeAtomic(path, encodeNpy(data, [...shape]));
}
