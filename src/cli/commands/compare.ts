import { join } from 'node:path';
import { applySettings } from '../../config/parse.ts';
import type { Bound } from '../../core/events.ts';
import { writeAtomic } from '../../record/index.ts';
import type { Job, JobResult } from '../execute.ts';
import { drawCurves, drawRun } from '../figures.ts';
import { type Global, print, table, tell } from '../output.ts';
import { compact } from '../progress.ts';
import { isRunFolder, loadRun } from '../runFolder.ts';
import { readExperiment, runAll } from './run.ts';

export interface CompareFlags extends Global {
  readonly rules: string;
  readonly seeds: number;
  readonly set: readonly string[];
  readonly out?: string;
  readonly backend?: string;
  readonly threads: number;
}

/** Scores of one rule over its seeds. */
interface Row {
  readonly rule: string;
  readonly seeds: number;
  readonly mean: number;
  readonly sd: number;
  readonly best: number;
  readonly worst: number;
  readonly accuracy: number | null;
  readonly rateHz: number;
  readonly perSecond: number;
}

/** `spiketrace compare`: the same data for every rule; runs that are there are gone on with, not done again. */
export async function compare(source: string, flags: CompareFlags): Promise<void> {
  const settings = flags.backend ? [...flags.set, `backend=${JSON.stringify(flags.backend)}`] : flags.set;
  const raw = readExperiment(source, settings) as { name?: unknown };
  const out = flags.out ?? join('runs', `${String(raw.name ?? 'experiment')}-compare`);
  const rules = flags.rules.split(',').map((rule) => rule.trim());
  const jobs = rules.flatMap((rule) =>
    Array.from({ length: flags.seeds }, (_, s): Job => {
      const folder = join(out, rule, `seed-${s + 1}`);
      const experiment = isRunFolder(folder)
        ? null
        : applySettings(raw, [`rule=${JSON.stringify(ruleOf(raw, rule))}`, `seed=${s + 1}`]);
      return { folder, experiment };
    }),
  );
  const results = await runAll(jobs, flags);
  const rows = rules.map((rule) =>
    summarise(
      rule,
      results.filter((result) => result.rule === rule),
    ),
  );
  const experiment = loadRun(jobs[0].folder);
  const { bounds } = experiment.task;
  const curves = join(out, 'learning-curves.png');
  const groups = rules.map((rule) => ({
    label: rule,
    folders: jobs.filter((job) => job.folder.startsWith(join(out, rule, ''))).map((job) => job.folder),
  }));
  writeAtomic(curves, drawCurves(experiment.config.name, groups, experiment));
  const figures = [curves, ...rules.flatMap((rule) => drawRun(join(out, rule, 'seed-1')))];
  const report = { task: experiment.config.name, total: experiment.config.training.total, bounds, rows, figures };
  writeAtomic(join(out, 'comparison.json'), new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  if (flags.json) return print(JSON.stringify(report));
  print(comparisonTable(rows, bounds, experiment.task.statesExpected));
  for (const { folder, warnings } of results) for (const warning of warnings) tell(`${folder}: ${warning}`);
  print(`\ntable:  ${join(out, 'comparison.json')}`);
  for (const path of figures) print(`figure: ${path}`);
}

/** The rule as the experiment configures it, or by its name alone where the experiment configures another. */
function ruleOf(raw: unknown, name: string): unknown {
  const configured = (raw as { rule?: { name?: unknown } }).rule;
  return configured?.name === name ? configured : { name };
}

function summarise(rule: string, results: readonly JobResult[]): Row {
  const scores = results.flatMap(({ evaluation }) => (evaluation ? [evaluation] : []));
  const losses = scores.map((score) => score.expectedLoss ?? score.lossPerStep);
  const mean = average(losses);
  const accuracies = scores.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
  return {
    rule,
    seeds: scores.length,
    mean,
    sd:
      losses.length > 1
        ? Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (losses.length - 1))
        : 0,
    best: Math.min(...losses),
    worst: Math.max(...losses),
    accuracy: accuracies.length > 0 ? average(accuracies) : null,
    rateHz: average(scores.map((score) => score.rateHz)),
    perSecond: average(results.map((result) => result.perSecond)),
  };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function comparisonTable(rows: readonly Row[], bounds: readonly Bound[], expected: boolean): string {
  const measure = expected ? 'expected cross-entropy (nats)' : 'loss per step';
  const head = ['rule', 'seeds', 'mean', 'sd', 'best', 'worst', 'accuracy', 'rate (Hz)', 'per second'];
  const body = rows.map((row) => [
    row.rule,
    String(row.seeds),
    row.mean.toFixed(4),
    row.sd.toFixed(4),
    row.best.toFixed(4),
    row.worst.toFixed(4),
    row.accuracy?.toFixed(3) ?? '-',
    row.rateHz.toFixed(1),
    compact(row.perSecond),
  ]);
  const known = bounds.map(({ label, value }) => [
    `bound: ${label}`,
    '-',
    value.toFixed(6),
    '-',
    '-',
    '-',
    '-',
    '-',
    '-',
  ]);
  return `${measure} on fresh data, learning off\n\n${table(head, [...body, ...known])}`;
}
