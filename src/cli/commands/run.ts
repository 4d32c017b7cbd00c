import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { preset, presetNames } from '../../config/presets.ts';
import { applySettings, parseSetting } from '../../config/settings.ts';
import { ConfigError, UnsupportedError } from '../../core/errors.ts';
import { meritIn } from '../../core/merit.ts';
import { inMebibytes } from '../../core/units.ts';
import { loadTaskFiles } from '../../experiment/files.ts';
import { withArrays, withPaths } from '../arrayFiles.ts';
import { catalogue } from '../catalogue.ts';
import type { Job, JobResult, RecordingSettings } from '../execute.ts';
import { loadParts, prepare, recordingBytes } from '../execute.ts';
import { canDraw, drawRun } from '../figures/run.ts';
import { readJson } from '../json.ts';
import { openLive } from '../live/live.ts';
import { failure, fixed, type Global, interruptible, print, table, tell } from '../output.ts';
import { withoutPlugins } from '../plugins.ts';
import { type Outcome, runJobs } from '../pool.ts';
import { openProgress } from '../progress.ts';
import { indicesOf, rangeOf } from '../ranges.ts';
import { availableMemory, findRuns } from '../runFolder.ts';

export interface TrainFlags extends Global {
  readonly set?: readonly string[];
  readonly seed?: number;
  readonly seeds?: number;
  readonly out?: string;
  readonly until?: number;
  readonly backend?: string;
  readonly threads: number;
  readonly weights?: string;
  readonly figures: boolean;
  readonly live?: boolean;
  readonly record?: string;
  readonly recordNeurons?: string;
  readonly recordTrials?: string;
  readonly recordEvery?: number;
  readonly recordStream?: number;
  readonly recordMaxMb: number;
  readonly recordCsv?: boolean;
}

/** The raw experiment of a preset's name or of a file, with the settings of the command line. */
export async function readExperiment(source: string, settings: readonly string[]): Promise<unknown> {
  const given = presetNames.includes(source as never) ? preset(source) : fromFile(source);
  const experiment = applySettings(given, settings, catalogue);
  await loadTaskFiles(experiment, catalogue);
  return experiment;
}

function fromFile(source: string): unknown {
  if (!existsSync(source)) throw new ConfigError('PRESET', source, `a file, or one of ${presetNames.join(', ')}`);
  return experimentIn(readJson(source), source);
}

/** `--set path=value` as values by path. */
export function settingsOf(settings: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(settings.map(parseSetting).map(({ path, value }) => [path.join('.'), value]));
}

/** An experiment as it stands in a file, with what the file names in it. @param source the file, which paths are relative to */
export function experimentIn(raw: unknown, source: string): unknown {
  return withPaths(withArrays(withoutPlugins(raw, source), source), source, catalogue);
}

/** `spiketrace train` */
export async function train(source: string, flags: TrainFlags): Promise<void> {
  const settings = [...(flags.set ?? [])];
  if (flags.backend) settings.push(`backend=${JSON.stringify(flags.backend)}`);
  const seeds = seedsOf(flags);
  const raw = (await readExperiment(source, settings)) as { name?: unknown; rule?: { name?: unknown } };
  const out = flags.out ?? join('runs', String(raw.name ?? 'experiment'));
  const recording = recordingOf(flags);
  const jobs = seeds.map(
    (seed): Job => ({
      folder: flags.seeds === undefined ? out : join(out, String(raw.rule?.name), `seed-${seed}`),
      experiment: seed === null ? raw : applySettings(raw, [`seed=${seed}`]),
      until: flags.until,
      weights: flags.weights,
      recording,
    }),
  );
  await runAndReport(jobs, out, flags);
}

/** `spiketrace resume` */
export async function resume(
  folder: string,
  flags: Global & { threads: number; until?: number; figures: boolean; live?: boolean },
): Promise<void> {
  const jobs = findRuns(folder).map((path): Job => ({ folder: path, experiment: null, until: flags.until }));
  await runAndReport(jobs, folder, flags);
}

function seedsOf({ seed, seeds }: TrainFlags): (number | null)[] {
  if (seeds === undefined) return [seed ?? null];
  const first = seed ?? 1;
  return Array.from({ length: seeds }, (_, s) => first + s);
}

/** @param folder that all jobs are at or below */
async function runAndReport(
  jobs: readonly Job[],
  folder: string,
  flags: Global & { threads: number; figures: boolean; live?: boolean },
): Promise<void> {
  const live = flags.live ? await openLive(folder) : null;
  if (live) tell(`live: ${live.url}`);
  const results = await runAll(jobs, flags).finally(() => live?.close());
  if (live) tell(`the page is closed; it comes back with: spiketrace watch ${folder}`);
  const begun = results.filter(({ amount }) => amount > 0);
  const figures = flags.figures && canDraw(tell) ? begun.flatMap(({ folder }) => drawRun(folder)) : [];
  if (flags.json) {
    for (const result of results) print(JSON.stringify(result));
    return;
  }
  print(resultTable(results));
  for (const { folder, warnings } of results) for (const warning of warnings) tell(`${folder}: ${warning}`);
  for (const { folder, complete } of results)
    if (!complete) print(`stopped before its end; go on with: spiketrace resume ${folder}`);
  for (const path of figures) print(`figure: ${path}`);
}

/** Bytes of a thread of the pool beside the run that it does: its heap and the program. */
export const threadBytes = 64 * 2 ** 20;

/**
 * What runs side by side, with the threads that do them, fits into the memory that there is.
 * @param bytes of every run @throws UnsupportedError
 */
export function assertSideBySide(bytes: readonly number[], threads: number, available: number): void {
  const lanes = Math.min(threads, bytes.length);
  if (lanes <= 1) return;
  const largest = [...bytes].sort((a, b) => b - a).slice(0, lanes);
  const runs = largest.reduce((sum, own) => sum + own, 0);
  if (runs + lanes * threadBytes <= available) return;
  throw new UnsupportedError(
    `${lanes} runs at a time need ${inMebibytes(runs)} and ${inMebibytes(lanes * threadBytes)} for their threads, ${inMebibytes(available)} are ` +
      'available: fewer --threads',
  );
}

/** @returns symbols or trials to be done, and bytes; says once what a run takes */
function check(job: Job, say: boolean): { readonly total: number; readonly bytes: number } {
  const { config, memory, close } = prepare(job);
  close();
  const mib = memory.bytes / 2 ** 20;
  if (say && process.stderr.isTTY) {
    tell(
      `backend ${config.backend}, ${mib.toFixed(mib < 10 ? 1 : 0)} MiB a run, ${memory.perSynapse.toFixed(0)} bytes per synapse`,
    );
  }
  return {
    total: Math.min(job.until ?? Number.POSITIVE_INFINITY, config.training.total),
    bytes: memory.total + recordingBytes(job),
  };
}

/**
 * Runs jobs with a progress line; a job that fails does not stop the others. @param begin done when nothing is refused, before the first run
 * @throws what can be refused before the first file is written
 */
export async function attemptAll(
  jobs: readonly Job[],
  flags: Global & { readonly threads: number },
  begin?: () => Promise<void>,
): Promise<readonly Outcome[]> {
  await loadParts(jobs, tell);
  const wanted = jobs.map((job) => check(job, flags.json !== true && job === jobs[0]));
  assertSideBySide(
    wanted.map(({ bytes }) => bytes),
    flags.threads,
    availableMemory(),
  );
  await begin?.();
  const line = openProgress(
    wanted.reduce((sum, { total }) => sum + total, 0),
    flags.json ?? false,
  );
  const { stop, release } = interruptible();
  try {
    // One run alone has the threads to itself, for the trials of its batches.
    const all = jobs.length === 1 ? jobs.map((job) => ({ ...job, threads: flags.threads })) : jobs;
    const bytes = wanted.map((job) => job.bytes);
    return await runJobs(all, { threads: flags.threads, bytes, stop, progress: line.update });
  } finally {
    line.stop();
    release();
  }
}

/** @throws the first error, after all other jobs have ended */
export async function runAll(
  jobs: readonly Job[],
  flags: Global & { readonly threads: number },
  begin?: () => Promise<void>,
): Promise<JobResult[]> {
  const outcomes = await attemptAll(jobs, flags, begin);
  const errors = outcomes.flatMap((outcome, index) => ('error' in outcome ? [{ error: outcome.error, index }] : []));
  for (const { error, index } of errors.slice(1)) tell(`${jobs[index].folder}: ${error.message}`);
  if (errors.length > 0) throw failure(errors[0].error, jobs[errors[0].index].folder);
  return outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
}

export function resultTable(results: readonly JobResult[]): string {
  const rows = results.map(({ rule, seed, amount, evaluation: scores, perSecond, folder }) => [
    rule,
    String(seed),
    String(amount),
    scores ? fixed(meritIn(scores).of(scores), 4) : '-',
    scores?.accuracy?.toFixed(3) ?? '-',
    scores?.rateHz.toFixed(1) ?? '-',
    Math.round(perSecond).toString(),
    folder,
  ]);
  const heads = new Set(results.flatMap(({ evaluation }) => (evaluation ? [meritIn(evaluation).short] : [])));
  const head = heads.size > 0 ? [...heads].join(' or ') : 'test loss';
  return table(['rule', 'seed', 'amount', head, 'accuracy', 'rate (Hz)', 'per second', 'folder'], rows);
}

function recordingOf(flags: TrainFlags): RecordingSettings | undefined {
  if (flags.record === undefined) {
    const { recordNeurons, recordTrials, recordEvery, recordStream, recordCsv } = flags;
    if ([recordNeurons, recordTrials, recordEvery, recordStream, recordCsv].every((flag) => flag === undefined)) return;
    throw new ConfigError('--record', undefined, 'the fields to record, where another --record-... is given');
  }
  const [fromTrial, toTrial] = rangeOf(flags.recordTrials ?? '0:1', '--record-trials');
  return {
    fields: flags.record.split(',').map((name) => name.trim()),
    neurons: flags.recordNeurons ? indicesOf(flags.recordNeurons, '--record-neurons') : undefined,
    stream: flags.recordStream,
    fromTrial,
    trials: toTrial - fromTrial,
    everySteps: flags.recordEvery,
    maxMegabytes: flags.recordMaxMb,
    csv: flags.recordCsv ?? false,
  };
}
