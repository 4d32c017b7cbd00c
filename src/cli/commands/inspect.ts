import { join } from 'node:path';
import { z } from 'zod';
import { type ChipProfile, profileSchema } from '../../../hardware/index.ts';
import { preset, presetNames } from '../../config/presets.ts';
import { bound, type Recipe, recipes } from '../../config/recipes.ts';
import { experimentJsonSchema } from '../../config/schema.ts';
import { ConfigError } from '../../core/errors.ts';
import type { FigureFormat } from '../../plot/index.ts';
import { writeAtomic } from '../../record/index.ts';
import { studyJsonSchema } from '../../study/schema.ts';
import { catalogue } from '../catalogue.ts';
import { knownChips } from '../chips.ts';
import { loadParts } from '../execute.ts';
import { drawCurves } from '../figures/curves.ts';
import { type Drawing, drawRun } from '../figures/run.ts';
import { fixed, type Global, print, table, tell } from '../output.ts';
import { indicesOf, spanOf } from '../ranges.ts';
import { findRuns, loadRun } from '../runFolder.ts';
import { loadForVerify, type Verdict, verifyFile } from '../verify/index.ts';

/** `profile`: of a chip, what a file of one's own looks like. */
type Registry = () => readonly { readonly name: string; readonly about: string; readonly profile?: ChipProfile }[];

/** Every list of the catalogue, and what is no plug-in. */
const registries: Readonly<Record<keyof typeof catalogue | 'chips' | 'presets', Registry>> = {
  rules: () => catalogue.rules.map(({ name, summary, source }) => ({ name, about: `${summary} (${source})` })),
  neurons: () => catalogue.neurons.map(({ kind, source }) => ({ name: kind, about: source })),
  readouts: () => catalogue.readouts.map(({ kind, source }) => ({ name: kind, about: source })),
  traces: () => catalogue.traces.map(({ kind, source }) => ({ name: kind, about: source })),
  signals: () => catalogue.signals.map(({ kind, source }) => ({ name: kind, about: source })),
  modulators: () => catalogue.modulators.map(({ kind, source }) => ({ name: kind, about: source })),
  direct: () => catalogue.direct.map(({ kind, source }) => ({ name: kind, about: source })),
  passes: () => catalogue.passes.map(({ kind, source }) => ({ name: kind, about: source })),
  rewirings: () => catalogue.rewirings.map(({ kind, source }) => ({ name: kind, about: source })),
  scalings: () => catalogue.scalings.map(({ kind, source }) => ({ name: kind, about: source })),
  optimizers: () => catalogue.optimizers.map(({ kind, source }) => ({ name: kind, about: source })),
  tasks: () => catalogue.tasks.map(({ kind, source }) => ({ name: kind, about: source })),
  losses: () => catalogue.losses.map(({ kind, source }) => ({ name: kind, about: source })),
  chips: () =>
    knownChips().map((profile) => ({ name: profile.id, about: `${profile.name}, ${profile.substrate}`, profile })),
  presets: () =>
    presetNames.map((name) => ({
      name,
      about: `task ${kindOf(preset(name).task)}, rule ${nameOf(preset(name).rule)}; ${promise(recipes[name])}`,
    })),
};

const kindOf = (value: unknown) => String((value as { kind: unknown }).kind);
const nameOf = (value: unknown) => String((value as { name: unknown }).name);

function promise({ score, mean, limit, seconds }: Recipe): string {
  return `${score} ${mean} (every seed ${bound(score)} ${limit}), ${seconds} s`;
}

/** `spiketrace list` */
export function list(what: string | undefined, flags: Global): void {
  const names = what === undefined ? Object.keys(registries) : [what];
  for (const name of names) {
    const registry = (registries as Readonly<Record<string, Registry | undefined>>)[name];
    if (!registry) throw new ConfigError('list', name, `one of ${Object.keys(registries).join(', ')}`);
    const entries = registry();
    if (flags.json) for (const entry of entries) print(JSON.stringify({ registry: name, ...entry }));
    else {
      const rows = entries.map((entry) => [entry.name, entry.about]);
      if (name !== names[0]) print('');
      print(rows.length === 0 ? `${name}: none` : table([name, 'about'], rows));
    }
  }
}

/** What a file of one's own may be. */
const schemas: Readonly<Record<string, () => unknown>> = {
  experiment: () => experimentJsonSchema(catalogue),
  chip: () => z.toJSONSchema(profileSchema, { io: 'input', unrepresentable: 'any' }),
  study: studyJsonSchema,
};

/** `spiketrace schema` */
export function schema(what: string, flags: Global & { readonly out?: string }): void {
  if (!Object.hasOwn(schemas, what)) throw new ConfigError('schema', what, `one of ${Object.keys(schemas).join(', ')}`);
  const text = JSON.stringify(schemas[what](), null, flags.json ? 0 : 2);
  if (flags.out) writeAtomic(flags.out, new TextEncoder().encode(`${text}\n`));
  else print(text);
}

const saved = (folder: string) => ({ folder, experiment: null });

export interface PlotFlags extends Global {
  readonly format: string;
  readonly window?: string;
  readonly neurons?: string;
  readonly panels?: string;
  readonly out?: string;
}

/** `spiketrace plot` */
export async function plot(folder: string, flags: PlotFlags): Promise<void> {
  const runs = findRuns(folder);
  const drawing = drawingOf(flags);
  if (runs.length > 1 && flags.out !== undefined) {
    throw new ConfigError('--out', folder, 'one run folder: figures would be written twice');
  }
  await loadParts(runs.map(saved), tell);
  const { format } = drawing;
  const paths = runs.flatMap((run) => drawRun(run, drawing));
  if (runs.length > 1) {
    const loaded = runs.map((run) => ({ run, rule: String(loadRun(run).config.rule.name) }));
    const rules = [...new Set(loaded.map(({ rule }) => rule))];
    const groups = rules.map((rule) => ({
      label: rule,
      folders: loaded.filter((item) => item.rule === rule).map((item) => item.run),
    }));
    const path = join(folder, `learning-curves.${format}`);
    const experiment = loadRun(runs[0]);
    const curves = drawCurves(experiment.config.name, groups, experiment, { format });
    if (curves) writeAtomic(path, curves);
    if (curves) paths.push(path);
  }
  for (const path of paths) print(flags.json ? JSON.stringify({ figure: path }) : `figure: ${path}`);
}

function drawingOf({ format, window, neurons, panels, out }: PlotFlags): Drawing & { readonly format: FigureFormat } {
  if (format !== 'png' && format !== 'svg' && format !== 'html') {
    throw new ConfigError('--format', format, 'png, svg or html');
  }
  return {
    format,
    ...(window === undefined ? {} : { window: spanOf(window, '--window') }),
    ...(neurons === undefined ? {} : { neurons: indicesOf(neurons, '--neurons') }),
    ...(panels === undefined ? {} : { panels: panels.split(',').map((name) => name.trim()) }),
    ...(out === undefined ? {} : { out }),
  };
}

/** `spiketrace eval`: fresh data, learning off. */
export async function evaluate(
  folder: string,
  flags: Global & { readonly symbols?: number; readonly label?: string },
): Promise<void> {
  const runs = findRuns(folder);
  await loadParts(runs.map(saved), tell);
  const rows = runs.map((run) => {
    const experiment = loadRun(run);
    const scores = experiment.evaluate({
      ...(flags.symbols === undefined ? {} : { total: flags.symbols }),
      ...(flags.label === undefined ? {} : { label: flags.label }),
    });
    if (flags.symbols !== undefined && scores.amount !== flags.symbols) {
      const { streams } = experiment.config.evaluation;
      tell(`${run}: ${scores.amount} scored in place of ${flags.symbols}, as many in each of ${streams} streams`);
    }
    if (!experiment.task.testIsNew) tell(`${run}: the task has one trial, so this is what the network was trained on`);
    if (Number.isNaN(scores.lossPerStep)) {
      const total = flags.symbols ?? experiment.config.evaluation.total;
      throw new ConfigError('evaluation.total', total, 'enough that a step is scored; see --symbols');
    }
    return { folder: run, rule: String(experiment.config.rule.name), seed: experiment.config.seed, ...scores };
  });
  if (flags.json) {
    for (const row of rows) print(JSON.stringify(row));
    return;
  }
  // Scores that not every run has.
  const own = [...new Set(rows.flatMap((row) => Object.keys(row.own)))];
  const body = rows.map((row) => [
    row.rule,
    String(row.seed),
    row.expectedLoss === null ? '-' : fixed(row.expectedLoss, 6),
    fixed(row.lossPerStep, 6),
    row.accuracy?.toFixed(4) ?? '-',
    row.rateHz.toFixed(2),
    ...own.map((name) => fixed(row.own[name] ?? Number.NaN, 4)),
    String(row.amount),
    row.folder,
  ]);
  print(
    table(
      ['rule', 'seed', 'expected loss', 'loss per step', 'accuracy', 'rate (Hz)', ...own, 'amount', 'folder'],
      body,
    ),
  );
}

/** `spiketrace verify`: every file, also after one that cannot be used. @returns whether every file passed */
export async function verify(
  paths: readonly string[],
  flags: Global & { readonly backend?: string },
): Promise<boolean> {
  const backend = flags.backend ?? 'reference';
  if (backend !== 'reference' && backend !== 'wasm') {
    throw new ConfigError('--backend', backend, 'one of "reference", "wasm"');
  }
  let pass = true;
  let unusable: unknown = null;
  for (const path of paths) {
    try {
      await loadForVerify(path);
      pass = report(verifyFile(path, backend), flags) && pass;
    } catch (error) {
      if (unusable) tell(String(unusable instanceof Error ? unusable.message : unusable));
      unusable = error;
    }
  }
  if (unusable) throw unusable;
  return pass;
}

function report(verdict: Verdict, flags: Global): boolean {
  if (flags.json) print(JSON.stringify(verdict));
  else {
    const rows = verdict.quantities.map(({ name, checked, worst, tolerance, where }) => [
      name,
      !checked ? 'not checked' : Number(worst) <= Number(tolerance) ? 'pass' : 'FAIL',
      worst?.toExponential(1) ?? '-',
      tolerance === 0 ? 'equal' : (tolerance?.toExponential(0) ?? '-'),
      where,
    ]);
    print(`${verdict.file}: ${verdict.pass ? 'pass' : 'FAIL'}\n`);
    print(`${table(['quantity', 'verdict', 'worst error', 'tolerance', 'where'], rows)}\n`);
  }
  return verdict.pass;
}
