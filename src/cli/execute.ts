import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadTensorFlow } from '../backends/tfjs/load.ts';
import { FileError, LockedError, StorageError, UnsupportedError } from '../core/errors.ts';
import type { Curve, EvaluationEvent, RunEvent } from '../core/events.ts';
import { type Finding, inDigits } from '../core/findings.ts';
import { narrowestBits } from '../core/format.ts';
import { ownScores } from '../core/network.ts';
import { checkpointPieces } from '../engine/checkpoint.ts';
import { createRecorder, type Recorder, type RecordingPlan } from '../engine/recorder.ts';
import { createExperiment, type Experiment } from '../experiment/experiment.ts';
import { loadTaskFiles } from '../experiment/files.ts';
import {
  createEventStream,
  ensureWritableFolder,
  METRICS_CSV,
  openMetrics,
  type Progress,
  progress$,
  type Recording,
  readBytes,
  readMetrics,
  recordingMemory,
  startRecording,
  toCsv,
  writeAtomic,
  writeCheckpoint,
} from '../record/index.ts';
import { type Hopeless, hopelessBy, type Patience } from '../study/stop.ts';
import { catalogue } from './catalogue.ts';
import { type Lock, lockFolder } from './lock.ts';
import { keepPlugins } from './plugins.ts';
import { assertRecordingFits } from './recordingLimit.ts';
import { assertNoRun, availableMemory, files, isRunFolder, loadRun, savedConfig } from './runFolder.ts';
import { assertSameExperiment } from './sameRun.ts';
import { readWeights, writeWeights } from './weights.ts';

/** One run to be done: a new experiment into a folder, or the rest of the one that lies there. */
export interface Job {
  readonly folder: string;
  /** A raw experiment; null resumes the run in the folder. */
  readonly experiment: unknown | null;
  /** What to do with a run that lies there already: refuse it (the default), or go on with it where it is of the same experiment. */
  readonly goOn?: boolean | undefined;
  /** By which it ends before its training. */
  readonly patience?: readonly Patience[] | undefined;
  readonly until?: number | undefined;
  /** Threads for the trials of a batch; the numbers do not depend on it. */
  readonly threads?: number | undefined;
  /** Folder of .npy files to start from instead of drawn weights. */
  readonly weights?: string | undefined;
  readonly recording?: RecordingSettings | undefined;
}

export interface RecordingSettings extends RecordingPlan {
  readonly maxMegabytes: number;
  /** Also write every field as CSV at the end. */
  readonly csv: boolean;
}

export interface JobResult {
  readonly folder: string;
  readonly rule: string;
  readonly seed: number;
  readonly amount: number;
  readonly complete: boolean;
  /** Why it was ended before its training for good; null where it was not. */
  readonly hopeless: Hopeless | null;
  /** Scores on fresh data; null for a run that was stopped before its end. */
  readonly evaluation: EvaluationEvent | null;
  readonly warnings: readonly string[];
  /** What stood in the way of learning at the end, as far as it can be seen in passing; `spiketrace diagnose` looks closer. */
  readonly findings: readonly Finding[];
  /** Mean loss (reward) of the first and of the last tenth of the trials of this call; null where there are too few. */
  readonly curve: Curve | null;
  /** Seconds of training of this call, and symbols or trials per second. */
  readonly seconds: number;
  readonly perSecond: number;
}

export interface JobWatcher {
  readonly progress?: (progress: Progress) => void;
  /** True stops the run at the next trial border, with a checkpoint. */
  readonly stopped?: () => boolean;
}

/** What an experiment names and what does not come at once is loaded before it is built: TensorFlow.js, formats of files. Says what was found. */
export async function loadParts(
  jobs: readonly Pick<Job, 'folder' | 'experiment'>[],
  say: (line: string) => void,
): Promise<void> {
  const experiments = jobs.map(({ folder, experiment }) => experiment ?? savedConfig(folder));
  for (const experiment of experiments) await loadTaskFiles(experiment, catalogue);
  if (!experiments.some((experiment) => (experiment as { backend?: unknown } | null)?.backend === 'tfjs')) return;
  const { engine, report } = await loadTensorFlow();
  say(`tfjs: using ${engine} (${report.join('; ')})`);
}

/** Warnings of one run that are kept. */
const mostWarnings = 5;

/** A job that goes on, where there is something to go on with. @throws ConfigError where that is a run of another experiment */
function settled(job: Job): Job {
  if (!job.goOn || job.experiment === null || !isRunFolder(job.folder)) return job;
  assertSameExperiment(job.folder, job.experiment);
  return { ...job, experiment: null };
}

/** Checks everything that can be checked without writing. @throws ConfigError, UnsupportedError, FileError */
export function prepare(asked: Job): Experiment {
  const job = settled(asked);
  const experiment = withinMemory(() =>
    job.experiment === null
      ? loadRun(job.folder, { threads: job.threads })
      : createExperiment(job.experiment, catalogue, {
          threads: job.threads,
          maxBytes: availableMemory() - recordingBytes(job),
        }),
  );
  if (job.weights) readWeights(job.weights, experiment.run.network);
  if (job.recording) assertFits(experiment, createRecorder(experiment.run, job.recording), job.recording);
  // What is gone on with may begin elsewhere at any instant; under the lock it is looked at again.
  if (job.experiment !== null && !job.goOn) assertNoRun(job.folder);
  return experiment;
}

/** Memory that the run cannot have, since its recording takes it. */
export function recordingBytes({ recording }: Job): number {
  return recording ? recordingMemory(recording.fields.length) : 0;
}

function withinMemory<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UnsupportedError(
      `the network does not fit into memory (${error.message}): fewer neurons, synapses, streams, or steps of a trial`,
    );
  }
}

/**
 * Does one run: trains, and writes config, metrics, checkpoints, recording and weights into its folder. Yields to the
 * event loop between trials. A run that fails keeps its last checkpoint and all rows up to it.
 */
export async function executeJob(asked: Job, watcher: JobWatcher = {}): Promise<JobResult> {
  await loadParts([asked], () => {});
  // What can be refused is refused before a folder is made; what a run folder holds is read once nobody else writes it.
  const made = settled(asked).experiment === null ? null : prepare(asked);
  ensureWritableFolder(asked.folder);
  const lock = lockFolder(asked.folder);
  try {
    const job = settled(asked);
    const isNew = job.experiment !== null;
    const experiment = (isNew ? made : null) ?? prepare(job);
    if (isNew) assertNoRun(job.folder);
    const earlier = isNew ? null : finishedResult(job.folder, experiment.feed.amount());
    return earlier ?? (await runInto(job, experiment, lock, watcher));
  } finally {
    lock.release();
  }
}

/** A run in a folder that is its own. @throws StorageError where something cannot be written any more */
async function runInto(job: Job, experiment: Experiment, lock: Lock, watcher: JobWatcher): Promise<JobResult> {
  try {
    return await write(job, experiment, lock, watcher);
  } catch (error) {
    if (!(error instanceof FileError) || error instanceof LockedError) throw error;
    throw new StorageError(
      existsSync(join(job.folder, files.checkpoint))
        ? `${error.message}; go on from the last checkpoint with: spiketrace resume ${job.folder}`
        : error.message,
    );
  }
}

async function write(job: Job, experiment: Experiment, lock: Lock, watcher: JobWatcher): Promise<JobResult> {
  const recorder = job.recording ? createRecorder(experiment.run, job.recording) : undefined;
  const path = (name: string) => join(job.folder, name);
  if (job.experiment !== null) writeText(path(files.config), `${JSON.stringify(experiment.config, null, 2)}\n`);
  keepPlugins(job.folder, job.experiment !== null);
  const start = experiment.feed.amount();
  const began = performance.now();
  const metrics = openMetrics(job.folder, {
    ...(job.experiment === null ? { resumeAmount: start } : {}),
    own: ownScores(experiment.run.network.spec),
  });
  const warnings: string[] = [];
  const recording =
    recorder && job.recording ? record(path(files.recording), experiment, recorder, job.recording, warnings) : null;
  const stream = createEventStream();
  const hope = watchHope(job, start, experiment.config.training.total);
  let evaluation: EvaluationEvent | null = null;
  const ended = { complete: false, findings: [] as readonly Finding[], curve: null as Curve | null };
  if (watcher.progress) progress$(stream.events$, () => performance.now()).subscribe(watcher.progress);
  // What must not fail unseen is done here: an error in a subscription would reach nobody.
  const listener = (event: RunEvent) => {
    metrics.listener(event);
    recording?.listener(event);
    if (event.type === 'evaluation') evaluation = event;
    if (event.type === 'end') Object.assign(ended, event);
    // A network that goes in and out of a condition would fill the screen.
    if (event.type === 'warning' && warnings.length < mostWarnings) warnings.push(event.message);
    hope.listener(event);
    if (event.type === 'checkpoint') {
      if (lock.isLost()) throw new LockedError(job.folder, 'was taken over by another process while this one slept');
      metrics.flush();
      recording?.flush();
      writeCheckpoint(path(files.checkpoint), event.pieces);
    }
    stream.listener(event);
  };
  let failed = true;
  try {
    if (job.experiment !== null)
      writeCheckpoint(path(files.checkpoint), checkpointPieces(experiment.run, experiment.config));
    const stopped = () => hope.lost() !== null || (watcher.stopped?.() ?? false);
    await drive(experiment, { until: hope.lost() ? start : job.until, listener, recorder }, stopped);
    failed = false;
  } finally {
    closeAll([() => metrics.close(), () => recording?.close(), () => experiment.close()], failed);
  }
  const seconds = (performance.now() - began) / 1000;
  const statistics = experiment.run.stages.statistics?.();
  if (statistics) {
    const rows = statistics.map((field) => ({ ...field, narrowestBits: narrowestBits(field) }));
    writeText(path(files.fixedPoint), `${JSON.stringify(rows, null, 2)}\n`);
  }
  writeWeights(path(files.weights), experiment.run.network);
  if (job.recording?.csv && recorder) exportCsv(path(files.recording), recorder);
  const amount = experiment.feed.amount();
  const { complete, findings, curve } = ended;
  if (complete && curve?.flat) warnings.push(flatness(curve, job.folder));
  const result: JobResult = {
    folder: job.folder,
    rule: String(experiment.config.rule.name),
    seed: experiment.config.seed,
    amount,
    complete,
    hopeless: hope.lost(),
    evaluation: evaluation ?? (complete ? evaluationOf(experiment, amount) : null),
    warnings,
    findings,
    curve,
    seconds,
    perSecond: (amount - start) / seconds,
  };
  writeText(path(files.summary), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

/** Looks at the trials of a run, those before a resumption at `start` included, until it is told hopeless. */
function watchHope(
  { folder, experiment, patience = [] }: Job,
  start: number,
  total: number,
): { readonly listener: (event: RunEvent) => void; readonly lost: () => Hopeless | null } {
  if (patience.length === 0) return { listener() {}, lost: () => null };
  const before = experiment === null ? readMetrics(join(folder, METRICS_CSV)) : [];
  const rows = before.flatMap((row) => (row.type === 'trial' && row.amount <= start ? [row] : []));
  // What a rule has looked at once it does not look at again.
  const open = new Set(patience);
  let lost: Hopeless | null = null;
  const look = (amount: number) => {
    for (const rule of open) {
      if (lost || amount < rule.after * total) continue;
      open.delete(rule);
      lost = hopelessBy(rows, total, [rule]);
    }
  };
  look(rows.at(-1)?.amount ?? -1);
  return {
    listener(event) {
      if (event.type !== 'trial' || open.size === 0) return;
      rows.push(event);
      look(event.amount);
    },
    lost: () => lost,
  };
}

function flatness({ first, last }: Curve, folder: string): string {
  return (
    `no better in the last tenth of the training (${inDigits(last)}) than in the first (${inDigits(first)}); ` +
    `what stands in the way: spiketrace diagnose ${folder}`
  );
}

/** Closes everything, whatever fails; a failure here must not hide the one that came first. */
function closeAll(closes: readonly (() => void)[], failed: boolean): void {
  const errors: unknown[] = [];
  for (const close of closes) {
    try {
      close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (!failed && errors.length > 0) throw errors[0];
}

/** What a run that is complete said of itself; null where there is more to do, or where a kill came before it was said. */
function finishedResult(folder: string, amount: number): JobResult | null {
  const path = join(folder, files.summary);
  if (!existsSync(path)) return null;
  try {
    const result: JobResult = JSON.parse(new TextDecoder().decode(readBytes(path)));
    if (!(result.complete || result.hopeless) || result.amount !== amount) return null;
    // A former version had no scores of a run's own, no findings, and hope for all.
    const evaluation = result.evaluation && { ...result.evaluation, own: result.evaluation.own ?? {} };
    const { findings = [], curve = null, hopeless = null } = result;
    return { ...result, evaluation, findings, curve, hopeless, folder };
  } catch {
    return null;
  }
}

/** The scores of a run that was complete before: they are computed again, from the same data. */
function evaluationOf(experiment: Experiment, amount: number): EvaluationEvent {
  const { amount: symbols, ...scores } = experiment.evaluate();
  return { type: 'evaluation', amount, symbols, ...scores };
}

/** Runs trial after trial; every tenth of a second the event loop gets a turn, so that signals and progress come through. */
async function drive(
  experiment: Experiment,
  options: Parameters<Experiment['trainTrials']>[0],
  stopped: () => boolean,
): Promise<void> {
  let rested = performance.now();
  const training = experiment.trainTrials({ ...options, stopped });
  for (const _ of training) {
    if (performance.now() - rested < 100) continue;
    await new Promise((resolve) => setImmediate(resolve));
    rested = performance.now();
  }
}

function writeText(path: string, text: string): void {
  writeAtomic(path, new TextEncoder().encode(text));
}

function assertFits(experiment: Experiment, recorder: Recorder, settings: RecordingSettings): void {
  const { sizes } = experiment.run.network.spec;
  const trials = Math.min(
    settings.trials ?? Number.POSITIVE_INFINITY,
    Math.ceil(experiment.run.totalSteps / sizes.step),
  );
  const rows = trials * Math.ceil(sizes.step / (settings.everySteps ?? 1));
  assertRecordingFits(recorder.fields, rows, { maxMb: settings.maxMegabytes, flag: '--record-max-mb' });
}

function record(
  folder: string,
  experiment: Experiment,
  recorder: Recorder,
  settings: RecordingSettings,
  warnings: string[],
): Recording {
  mkdirSync(folder, { recursive: true });
  return startRecording(folder, {
    fields: recorder.fields,
    dtMs: experiment.run.network.spec.dtMs,
    maxBytes: settings.maxMegabytes * 2 ** 20,
    onStop: (message) => warnings.push(message),
  });
}

function exportCsv(folder: string, recorder: Recorder): void {
  for (const { name } of recorder.fields) toCsv(folder, name, join(folder, `${name}.csv`));
}
