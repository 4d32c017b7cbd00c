import { ConfigError } from '../src/core/errors.ts';
import type { Bound } from '../src/core/events.ts';
import type { FileStore } from '../src/core/files.ts';
import type { Split, TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { disk, type Recording } from '../src/data/index.ts';
import { type Examples, examples, heldOut } from './epochs.ts';
import {
  type FileSet,
  labelsOf,
  loadRecordings,
  msOf,
  type OpenSet,
  recordingPaths,
  recordingsOf,
  signalOf,
} from './recordingFiles.ts';
import { type Channels, channelsOf, type Filled, fillEvents, fillValues, movedBy } from './recordingInput.ts';
import { type RecordingParams, recordingParams } from './recordingParams.ts';

/** What writes the target of a trial, once its input is there. */
interface Target {
  readonly outputs: number;
  readonly bounds: readonly Bound[];
  /** Whether the steps that are scored are one decision. */
  readonly decides: boolean;
  /** @param lasts steps of the trial that the recording has */
  fill(out: TrialTarget, trial: number, split: Split, lasts: number): void;
}

/** All that a trial is made from. */
interface Source {
  readonly p: RecordingParams;
  readonly store: FileStore;
  readonly dtMs: number;
  readonly steps: number;
  readonly channels: Channels;
  readonly nIn: number;
  readonly sets: Readonly<Record<Split, FileSet>>;
  readonly recordings: Readonly<Record<Split, Recording>>;
  readonly test: () => Examples;
}

/**
 * Recordings as trials: spikes of (unit, time) or arrays of values from npy, npz, text, HDF5 (SHD, NWB, SONATA, MATLAB 7.3, tonic) and
 * N-MNIST, whose target is a label, a signal over time, or the input itself some steps ahead.
 *
 *     x_i(t) = number of spikes of the units of input i with floor(time / dt) = t, or 1 where there is any (`perStep`)
 *     label     y*_k(t) = [k = label] from `fromMs` on, one decision by the outputs summed          next   y*(t) = x(t + steps)
 *
 * In training every epoch is a shuffle of its trials by the run's seed; test trial n is the n-th of the others, begun anew behind the last. A trial
 * is read from the disk when it is shown. Steps behind the end of a shorter array are not scored.
 */
export const recording: TaskModel<RecordingParams> = recordingFrom(disk);

/** The same task on files of another place. */
function recordingFrom(store: FileStore): TaskModel<RecordingParams> {
  const openSet = recordingsOf(store);
  return {
    kind: 'recording',
    source: 'recordings of the user: npy, npz, text, HDF5, N-MNIST',
    params: recordingParams,
    files: { paths: recordingPaths, store, from: recordingFrom, load: (p) => loadRecordings(p, store) },
    derive(p, { dtMs, rng }): TaskInstance {
      const source = sourceOf(p, dtMs, store, openSet);
      const { steps, channels, nIn, recordings, test } = source;
      const target = targetOf(source);
      const trialOf = examples(test, rng);
      const labels = p.coding.kind === 'delta' ? ['more', 'less'] : ['units'];
      return {
        nIn,
        nOut: target.outputs,
        mode: { kind: 'trial', steps, decisionSteps: target.decides ? steps : 1 },
        statesExpected: false,
        testIsNew: p.split.kind !== 'none',
        bytes: 8 * (recordings.train.trials + recordings.test.trials),
        bounds: target.bounds,
        inputPopulations: labels.map((label) => ({ label, size: channels.count })),
        fill(out, streamRng, start, split) {
          const trial = trialOf(start, split);
          const lasts = fillInput(out, source, trial, split, streamRng.split(split).split(start));
          target.fill(out, trial, split, lasts);
        },
      };
    },
  };
}

function sourceOf(p: RecordingParams, dtMs: number, store: FileStore, openSet: OpenSet): Source {
  const sets = { train: p, test: p.split.kind === 'file' ? p.split : p };
  const recordings = { train: openSet(sets.train, p), test: openSet(sets.test, p) };
  checkKinds(p, recordings);
  const channels = channelsOf(Object.values(recordings), p);
  for (const recording of Object.values(recordings)) {
    const { content, path } = recording;
    if (content.kind === 'events') {
      // Asked here, so that a missing unit is an error of the setting and not of the first trial.
      msOf(recording, p, dtMs);
      continue;
    }
    if (content.width !== channels.units) {
      throw new ConfigError('task.units', channels.units, `${content.width}, the units of ${path}`);
    }
  }
  const steps = stepsOf(recordings.train, p, dtMs);
  const nIn = channels.count * (p.coding.kind === 'delta' ? 2 : 1);
  return { p, store, dtMs, steps, channels, nIn, sets, recordings, test: splitOf(p, recordings) };
}

function checkKinds(p: RecordingParams, { train, test }: Source['recordings']): void {
  if (train.content.kind !== test.content.kind) {
    throw new ConfigError('task.split.file', test.path, `${train.content.kind}, as ${train.path} holds`);
  }
  if (train.content.kind === 'events' && p.coding.kind !== 'spikes') {
    throw new ConfigError('task.coding.kind', p.coding.kind, '"spikes" for a file of events');
  }
  if (train.content.kind === 'values' && p.jitterMs > 0) {
    throw new ConfigError('task.jitterMs', p.jitterMs, '0 for an array of values: events alone have times (ms)');
  }
  if (p.coding.kind === 'latency' || p.coding.kind === 'poisson') {
    const { low, high } = p.coding;
    if (!(low < high)) throw new ConfigError('task.coding.high', high, `a number > task.coding.low = ${low}`);
  }
}

function stepsOf(recording: Recording, p: RecordingParams, dtMs: number): number {
  const { content, path } = recording;
  if (p.durationMs !== null) {
    const steps = Math.ceil(p.durationMs / dtMs - 1e-6);
    if (steps < 1 || steps > 1e8) throw new ConfigError('task.durationMs', p.durationMs, 'from 1 to 1e8 steps (ms)');
    return steps;
  }
  if (content.kind === 'values') return content.steps(0) * p.rowSteps;
  throw new ConfigError('task.durationMs', null, `the length of a trial: the events of ${path} do not say it (ms)`);
}

/** Numbers of the trials of the two splits. */
function splitOf({ split }: RecordingParams, { train, test }: Source['recordings']): () => Examples {
  const all = (n: number) => Uint32Array.from({ length: n }, (_, trial) => trial);
  switch (split.kind) {
    case 'none':
      return () => ({ train: all(train.trials), test: all(train.trials) });
    case 'file':
      return () => ({ train: all(train.trials), test: all(test.trials) });
    case 'share': {
      const held = Math.max(1, Math.round(split.heldOut * train.trials));
      if (held >= train.trials) {
        throw new ConfigError(
          'task.split.heldOut',
          split.heldOut,
          `trials left to train with, of ${train.trials}; split "none" shares them`,
        );
      }
      return heldOut(train.trials, held, split.seed);
    }
    case 'trials': {
      const kept = new Set(split.test);
      const outside = split.test.findIndex((trial) => trial >= train.trials);
      if (outside >= 0)
        throw new ConfigError(`task.split.test.${outside}`, split.test[outside], `a trial below ${train.trials}`);
      const rest = all(train.trials).filter((trial) => !kept.has(trial));
      if (rest.length === 0) throw new ConfigError('task.split.test', split.test, 'trials left to train with');
      return () => ({ train: rest, test: Uint32Array.from(kept) });
    }
    default:
      return split satisfies never;
  }
}

/** Writes the input of a trial. @returns steps that the recording has */
function fillInput(out: TrialTarget, source: Source, trial: number, split: Split, rng: Rng): number {
  const { p, dtMs, channels, nIn, recordings, steps } = source;
  const recording = recordings[split];
  const { content } = recording;
  for (let t = 0; t < steps; t++) out.x.fill(0, t * out.xStride, t * out.xStride + nIn);
  const filled: Filled = { x: out.x, stride: out.xStride, steps };
  const moved = movedBy(p, dtMs, split === 'train' ? rng.split('moved') : null);
  const settings = { p, dtMs, channels, moved, rng };
  if (content.kind === 'events') {
    fillEvents(filled, content.events(trial), recording, trial, settings);
    return steps;
  }
  const lasts = content.steps(trial) * p.rowSteps;
  if (lasts > steps && p.longer === 'refuse') {
    throw new ConfigError(
      'task.durationMs',
      p.durationMs,
      `the ${lasts * dtMs} ms of trial ${trial}, or task.longer = "cut" (ms)`,
    );
  }
  fillValues(filled, content.values(trial), recording, trial, settings);
  return Math.min(lasts, steps);
}

function targetOf(source: Source): Target {
  const { target } = source.p;
  switch (target.kind) {
    case 'label':
      return labelTarget(source, target);
    case 'signal':
      return signalTarget(source, target.name);
    case 'next':
      return nextTarget(source, target.steps);
    default:
      return target satisfies never;
  }
}

function labelTarget(source: Source, target: { readonly classes: number | null; readonly fromMs: number }): Target {
  const { recordings, dtMs, steps } = source;
  const labels = { train: labelsOf(recordings.train), test: labelsOf(recordings.test) };
  const largest = [labels.train, labels.test].reduce((most, own) => own.reduce((a, b) => Math.max(a, b), most), 0);
  const outputs = target.classes ?? largest + 1;
  if (largest >= outputs)
    throw new ConfigError('task.target.classes', outputs, `more than the largest label, ${largest}`);
  const from = Math.floor(target.fromMs / dtMs + 1e-6);
  if (from >= steps)
    throw new ConfigError('task.target.fromMs', target.fromMs, `less than the ${steps * dtMs} ms of a trial (ms)`);
  return {
    outputs,
    decides: true,
    bounds: [{ label: 'how frequent labels are', value: entropyOf(labels.test, source.test().test) }],
    fill(out, trial, split, lasts) {
      out.target.fill(0, 0, steps * outputs);
      for (let t = 0; t < steps; t++) {
        out.target[t * outputs + labels[split][trial]] = 1;
        // A trial that ends before its answer is scored in its last step.
        out.weight[t] = t >= Math.min(from, lasts - 1) && t < lasts ? 1 : 0;
      }
    },
  };
}

/** Entropy of the labels of some trials, nats. */
function entropyOf(labels: Float64Array, trials: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (const trial of Array.from(trials)) counts.set(labels[trial], (counts.get(labels[trial]) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / trials.length) * Math.log(n / trials.length), 0);
}

function signalTarget({ sets, recordings, steps, p, store }: Source, name: string | null): Target {
  const rows = Math.ceil(steps / p.rowSteps);
  const signals = {
    train: signalOf(sets.train, name, recordings.train.trials, rows, store),
    test: signalOf(sets.test, name, recordings.test.trials, rows, store),
  };
  const { outputs } = signals.train;
  if (signals.test.outputs !== outputs) {
    throw new ConfigError('task.split.targetFile', signals.test.outputs, `${outputs} outputs, as in training`);
  }
  return {
    outputs,
    decides: false,
    bounds: [],
    fill(out, trial, split, lasts) {
      const values = signals[split].rows(trial);
      for (let t = 0; t < steps; t++) {
        const row = Math.floor(t / p.rowSteps) * outputs;
        for (let k = 0; k < outputs; k++) out.target[t * outputs + k] = values[row + k];
        out.weight[t] = t < lasts ? 1 : 0;
      }
    },
  };
}

function nextTarget({ nIn, steps }: Source, ahead: number): Target {
  if (ahead >= steps)
    throw new ConfigError('task.target.steps', ahead, `fewer than the ${steps} steps of a trial (steps)`);
  return {
    outputs: nIn,
    decides: false,
    bounds: [],
    fill(out, _, __, lasts) {
      for (let t = 0; t < steps; t++) {
        const isKnown = t + ahead < lasts;
        const from = (t + ahead) * out.xStride;
        for (let i = 0; i < nIn; i++) out.target[t * nIn + i] = isKnown ? out.x[from + i] : 0;
        out.weight[t] = isKnown ? 1 : 0;
      }
    },
  };
}
