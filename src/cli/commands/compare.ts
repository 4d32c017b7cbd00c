import { basename, join } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import type { Bound } from '../../core/events.ts';
import { type Merit, meritOf } from '../../core/merit.ts';
import { meanOf, spread } from '../../core/statistics.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { writeAtomic } from '../../record/index.ts';
import { experimentOf, runName } from '../../study/plan.ts';
import { parseStudy } from '../../study/schema.ts';
import { catalogue } from '../catalogue.ts';
import type { Job, JobResult } from '../execute.ts';
import { drawCurves, drawLosses } from '../figures/curves.ts';
import { canDraw, drawRun } from '../figures/run.ts';
import { fixed, type Global, print, table, tell } from '../output.ts';
import { compact } from '../progress.ts';
import { loadRun } from '../runFolder.ts';
import { type PlannedStudy, planned, writeStudy } from '../study/folder.ts';
import { readExperiment, runAll, settingsOf } from './run.ts';

export interface CompareFlags extends Global {
  readonly rules: string;
  readonly seeds: number;
  readonly set?: readonly string[];
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
  const settings = [...(flags.set ?? [])];
  if (flags.backend) settings.push(`backend=${JSON.stringify(flags.backend)}`);
  const raw = (await readExperiment(source, settings)) as { name?: unknown };
  const out = flags.out ?? join('runs', `${String(raw.name ?? 'experiment')}-compare`);
  const variants = splitOutside(flags.rules, ',').map((text) => readVariant(text.trim()));
  const made = studyOf(raw, variants, flags);
  const columns = variants.map(({ label }, at): Column => {
    const { name } = made.plan.cells[at];
    const runs = made.plan.seeds.map((seed) => join(out, runName(name, seed)));
    return { label, folder: join(out, name), runs };
  });
  const jobs = made.plan.runs.map((run): Job => {
    const experiment = experimentOf(raw, made.study, run, catalogue);
    return { folder: join(out, run.name), experiment, goOn: true };
  });
  const results = await runAll(jobs, flags, () => writeStudy(made, out));
  const experiment = loadRun(jobs[0].folder);
  const merit = meritOf(experiment.task, experiment.run.network.spec);
  const rows = columns.map(({ label, runs }) =>
    summarise(
      label,
      results.filter(({ folder }) => runs.includes(folder)),
      merit,
    ),
  );
  const { bounds } = experiment.task;
  const figures = canDraw(tell) ? drawAll(out, columns, experiment) : [];
  const report = { task: experiment.config.name, total: experiment.config.training.total, bounds, rows, figures };
  writeAtomic(join(out, 'comparison.json'), new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  if (flags.json) return print(JSON.stringify(report));
  print(comparisonTable(rows, bounds, merit));
  for (const { folder, warnings } of results) for (const warning of warnings) tell(`${folder}: ${warning}`);
  print(`\ntable:  ${join(out, 'comparison.json')}`);
  for (const path of figures) print(`figure: ${path}`);
  const left = results.filter(({ complete }) => !complete).length;
  if (left > 0)
    print(`\n${left} of ${results.length} runs stopped before their end; the same command goes on with them`);
}

/** A study with one factor, whose levels are the variants. @throws ConfigError for a variant twice */
function studyOf(raw: object, variants: readonly Variant[], { rules, seeds }: CompareFlags): PlannedStudy {
  const levels = variants.map(({ label, name, settings }) => ({
    label: label.replace(/[:/\\]/g, '-'),
    set: { rule: ruleOf(raw, name), ...settingsOf(settings) },
  }));
  if (new Set(levels.map(({ label }) => label)).size < levels.length) {
    throw new ConfigError('--rules', rules, 'each rule once; name variants with as=');
  }
  return planned(parseStudy({ base: raw, factors: { rule: levels }, seeds }));
}

interface Column {
  readonly label: string;
  readonly folder: string;
  readonly runs: readonly string[];
}

/** @returns paths of the figures of all rules together, of each rule that learns losses of its own, and of a first run of each */
function drawAll(out: string, columns: readonly Column[], experiment: Experiment): string[] {
  const save = (name: string, png: Uint8Array | null): string[] => {
    if (png) writeAtomic(join(out, name), png);
    return png ? [join(out, name)] : [];
  };
  const { name } = experiment.config;
  const groups = columns.map(({ label, runs }) => ({ label, folders: runs }));
  return [
    ...save('learning-curves.png', drawCurves(name, groups, experiment)),
    ...columns.flatMap(({ label, folder, runs }) => {
      const first = loadRun(runs[0]);
      return save(`losses-${basename(folder)}.png`, drawLosses(`${name}, ${label}`, runs, first));
    }),
    ...columns.flatMap(({ runs }) => drawRun(runs[0])),
  ];
}

/** One column of the comparison, one row of an audit. */
export interface Variant {
  readonly label: string;
  /** Of the rule. */
  readonly name: string;
  readonly settings: readonly string[];
}

/** Reads `name:setting=value:...:as=label`. A setting without a dot is one of the rule's own. */
export function readVariant(text: string): Variant {
  const [name, ...settings] = splitOutside(text, ':');
  const odd = settings.find((setting) => !setting.includes('='));
  if (odd !== undefined) throw new ConfigError('--rules', odd, 'name:setting=value, for example sg-r-d:delays=3');
  const label = settings.find((setting) => setting.startsWith('as='))?.slice(3);
  if (label !== undefined && !isFolderName(label)) {
    throw new ConfigError('--rules', `as=${label}`, 'a name for a folder: no slash, no backslash, and not "." or ".."');
  }
  return {
    label: label ?? text,
    name,
    settings: settings
      .filter((setting) => !setting.startsWith('as='))
      .map((setting) => (/^[^=]*\./.test(setting) ? setting : `rule.${setting}`)),
  };
}

/** A label becomes the name of a folder, which has to lie where --out says. */
function isFolderName(label: string): boolean {
  return label.trim() !== '' && !/[/\\\0]/.test(label) && label !== '.' && label !== '..';
}

/** Parts of a list between separators; those within brackets, braces or quotes belong to a value. */
export function splitOutside(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  let quoted = false;
  for (let c = 0; c < text.length; c++) {
    const char = text[c];
    if (char === '"' && text[c - 1] !== '\\') quoted = !quoted;
    if (!quoted && (char === '[' || char === '{')) depth += 1;
    if (!quoted && (char === ']' || char === '}')) depth -= 1;
    if (char === separator && depth <= 0 && !quoted) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** The rule as the experiment configures it, or by its name alone where the experiment configures another. */
export function ruleOf(raw: unknown, name: string): unknown {
  const configured = (raw as { rule?: { name?: unknown } }).rule;
  return configured?.name === name ? configured : { name };
}

function summarise(rule: string, results: readonly JobResult[], merit: Merit): Row {
  const scores = results.flatMap(({ evaluation }) => (evaluation ? [evaluation] : []));
  const values = scores.map((score) => merit.of(score));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const accuracies = scores.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
  return {
    rule,
    seeds: scores.length,
    ...spread(values),
    best: merit.higherIsBetter ? most : least,
    worst: merit.higherIsBetter ? least : most,
    accuracy: accuracies.length > 0 ? meanOf(accuracies) : null,
    rateHz: meanOf(scores.map((score) => score.rateHz)),
    perSecond: meanOf(results.map((result) => result.perSecond)),
  };
}

function comparisonTable(rows: readonly Row[], bounds: readonly Bound[], merit: Merit): string {
  const head = ['rule', 'seeds', 'mean', 'sd', 'best', 'worst', 'accuracy', 'rate (Hz)', 'per second'];
  const body = rows.map((row) => [
    row.rule,
    String(row.seeds),
    // A rule without a finished run has no scores yet.
    ...[row.mean, row.sd, row.best, row.worst].map((score) => (row.seeds > 0 ? fixed(score, 4) : '-')),
    row.accuracy?.toFixed(3) ?? '-',
    row.seeds > 0 ? row.rateHz.toFixed(1) : '-',
    row.seeds > 0 ? compact(row.perSecond) : '-',
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
  return `${merit.label} on fresh data, learning off\n\n${table(head, [...body, ...known])}`;
}
