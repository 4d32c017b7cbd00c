import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finding, inDigits, type Measure, quantities } from '../../core/findings.ts';
import { scoreOf } from '../../engine/scores.ts';
import { type Diagnosis, diagnose as diagnoseExperiment } from '../../experiment/diagnosis/diagnose.ts';
import { learnedGain, type Progress } from '../../experiment/diagnosis/progress.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { METRICS_CSV, readMetrics, writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { loadParts } from '../execute.ts';
import { drawDiagnosis } from '../figures/diagnosis.ts';
import { canDraw } from '../figures/run.ts';
import { type Global, print, tell } from '../output.ts';
import { files, findRuns, loadRun } from '../runFolder.ts';

/** `spiketrace diagnose`: what keeps a run from learning, from its last checkpoint. The run may still be going on. */
export async function diagnose(folder: string, flags: Global & { readonly figures: boolean }): Promise<void> {
  const runs = findRuns(folder);
  await loadParts(
    runs.map((run) => ({ folder: run, experiment: null })),
    tell,
  );
  const draws = flags.figures && canDraw(tell);
  for (const run of runs) {
    const experiment = loadRun(run);
    const diagnosis = diagnoseExperiment(experiment, catalogue, { history: historyOf(run, experiment.feed.amount()) });
    experiment.close();
    const figure = draws ? save(run, drawDiagnosis(titleOf(experiment), diagnosis)) : null;
    if (flags.json) print(JSON.stringify({ folder: run, ...headOf(experiment), ...diagnosis, figure }));
    else print(`${run === runs[0] ? '' : '\n'}${text(run, experiment, diagnosis)}`);
    if (figure && !flags.json) print(`figure: ${figure}`);
  }
}

/** Losses or rewards of the trials up to the checkpoint; none where the table is gone. */
function historyOf(folder: string, amount: number): number[] {
  const path = join(folder, METRICS_CSV);
  if (!existsSync(path)) return [];
  return readMetrics(path)
    .filter((row) => row.type === 'trial' && row.amount <= amount)
    .map(scoreOf);
}

function save(folder: string, png: Uint8Array): string {
  const path = join(folder, files.figures, 'diagnosis.png');
  mkdirSync(dirname(path), { recursive: true });
  writeAtomic(path, png);
  return path;
}

function headOf({ config, task }: Experiment) {
  return {
    name: config.name,
    rule: String(config.rule.name),
    seed: config.seed,
    unit: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    total: config.training.total,
  };
}

function titleOf(experiment: Experiment): string {
  const { name, rule, seed } = headOf(experiment);
  return `${name}, ${rule}, seed ${seed}: what stands in the way`;
}

function text(folder: string, experiment: Experiment, { amount, progress, findings, measures }: Diagnosis): string {
  const { name, rule, seed, unit, total } = headOf(experiment);
  return [
    `${folder}: ${name}, ${rule}, seed ${seed}, ${amount} of ${total} ${unit}: ${verdictOf(progress)}`,
    scoresOf(progress),
    ...findings.map(findingText),
    ...(findings.length === 0 ? [nothing(progress)] : []),
    ...notMeasured(measures),
  ].join('\n');
}

function verdictOf({ verdict }: Progress): string {
  return verdict === 'falls' ? 'has not learned yet, and its loss still falls' : verdict;
}

function scoresOf({ score, start, now, constant, best, gain }: Progress): string {
  const known = [
    `${inDigits(start)} as it was drawn`,
    ...(constant === null ? [] : [`${inDigits(constant)} with an output that is always the same`]),
    ...(best === null ? [] : [`${inDigits(best)} at best`]),
  ];
  return `${score} ${inDigits(now)} on fresh data (${known.join(', ')}): gain ${inDigits(gain)}, where ${learnedGain} counts as learning`;
}

function findingText({ severity, fromStart, text: said, advice }: Finding, n: number): string {
  const since = fromStart === null ? '' : fromStart ? ', from the start' : ', came in the course of the training';
  return `${n + 1}. ${said} (${severity}${since})\n   ${advice}`;
}

function nothing({ verdict }: Progress): string {
  return verdict === 'learns'
    ? 'nothing stands in its way'
    : 'nothing that is looked for stands in its way: a longer training, or a rule whose credit reaches as far as the task asks (spiketrace audit)';
}

/** One line for every reason. */
function notMeasured(measures: readonly Measure[]): string[] {
  const reasons = new Map<string, Set<string>>();
  for (const { quantity, value, why } of measures) {
    if (value !== null || why === undefined) continue;
    reasons.set(why, (reasons.get(why) ?? new Set()).add(quantities[quantity]));
  }
  return [...reasons].map(([why, names]) => `not measured: ${[...names].join('; ')} (${why})`);
}
