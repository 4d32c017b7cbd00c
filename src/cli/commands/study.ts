import { ConfigError } from '../../core/errors.ts';
import { meritIn } from '../../core/merit.ts';
import { inMebibytes } from '../../core/units.ts';
import { type Cell, cellsToBuild, type PlannedRun } from '../../study/plan.ts';
import { countStates, type State, states } from '../../study/table.ts';
import { fixed, type Global, interruptible, print, table, tell } from '../output.ts';
import type { Outcome } from '../pool.ts';
import { availableMemory } from '../runFolder.ts';
import { type Needs, needsOf, runPlanned } from '../study/engine.ts';
import {
  folderOf,
  formerCells,
  lookAt,
  type OpenStudy,
  openStudy,
  type PlannedStudy,
  readStudy,
  saveStudy,
} from '../study/folder.ts';
import { shellQuoted } from '../study/shell.ts';
import { settingsOf } from './run.ts';

export interface StudyFileFlags extends Global {
  readonly set?: readonly string[];
}

export interface StudyRunFlags extends StudyFileFlags {
  readonly out: string;
  readonly threads: number;
  readonly memory?: number;
  readonly retryFailed?: boolean;
}

/** Networks that are built to be planned. */
const mostBuilt = 100;

/** `spiketrace study plan`: what a study would do, and what a run of each cell takes. */
export async function plan(file: string, flags: StudyFileFlags): Promise<void> {
  const made = readStudy(file, settingsOf(flags.set ?? []));
  const { cells, runs, seeds, factors } = made.plan;
  const built = cellsToBuild(made.plan, mostBuilt);
  const needs = new Map<string, Needs>();
  for (const cell of built) needs.set(cell.name, await needsFor(made, cell));
  const bytes = (cell: Cell) => needs.get(cell.name)?.bytes ?? null;
  if (flags.json) {
    for (const cell of cells)
      print(JSON.stringify({ cell: cell.name, levels: labelsOf(cell), set: cell.set, seeds, bytes: bytes(cell) }));
    return;
  }
  const shown = built.map((cell) => [
    cell.name,
    ...factors.map((name) => cell.levels[name].label),
    inMebibytes(bytes(cell) ?? 0),
  ]);
  print(table(['cell', ...factors, 'memory'], shown));
  if (built.length < cells.length)
    print(`... and ${cells.length - built.length} more cells of the same levels (all: --json)`);
  const largest = Math.max(...[...needs.values()].map((need) => need.bytes));
  print(
    `\n${cells.length} cells x ${seeds.length} seeds = ${runs.length} runs; the largest takes ${inMebibytes(largest)}`,
  );
}

/** @throws what refuses the cell, with its name */
async function needsFor(made: PlannedStudy, cell: Cell): Promise<Needs> {
  try {
    return await needsOf(made, cell, availableMemory());
  } catch (error) {
    if (error instanceof Error) error.message = `${cell.name}: ${error.message}`;
    throw error;
  }
}

const labelsOf = (cell: Cell) =>
  Object.fromEntries(Object.entries(cell.levels).map(([factor, { label }]) => [factor, label]));

/** `spiketrace study run`: all runs on this machine, those that are done left as they are. */
export async function run(file: string, flags: StudyRunFlags): Promise<void> {
  const made = readStudy(file, settingsOf(flags.set ?? []));
  const opened = await saveStudy(made, flags.out);
  for (const name of formerCells(opened)) tell(`${flags.out}/${name}: of a former file, no longer in the study`);
  await finish(opened, opened.plan.runs, flags);
}

/** `spiketrace study cell`: one run or several, by name or number: what one task of a cluster does. */
export async function cell(
  folder: string,
  names: readonly string[],
  flags: Omit<StudyRunFlags, 'out' | 'set'>,
): Promise<void> {
  const opened = openStudy(folder);
  await finish(
    opened,
    names.flatMap((name) => chosen(opened, name)),
    flags,
  );
}

/** A run by its name or its number in the plan, or all of a cell. @throws ConfigError */
function chosen({ plan: { runs, cells } }: OpenStudy, name: string): readonly PlannedRun[] {
  const found = /^\d+$/.test(name)
    ? runs.slice(Number(name), Number(name) + 1)
    : runs.filter((one) => one.name === name || one.cell.name === name);
  if (found.length > 0) return found;
  const expected = `a run such as ${runs[0].name}, a cell such as ${cells[0].name}, or a number from 0 to ${runs.length - 1}`;
  throw new ConfigError('NAME', name, expected);
}

/** Ends with 1 where a run failed, with the code of the signal where one stopped it. */
async function finish(
  opened: OpenStudy,
  runs: readonly PlannedRun[],
  flags: Pick<StudyRunFlags, 'threads' | 'memory' | 'retryFailed' | 'json'>,
): Promise<void> {
  const { stop, release } = interruptible();
  const memory = flags.memory === undefined ? availableMemory() : flags.memory * 2 ** 20;
  const threads = Math.max(1, Math.floor(flags.threads / opened.study.resources.threads));
  const began = performance.now();
  const ended = (one: PlannedRun, outcome: Outcome | null, state: State) => {
    if (flags.json) print(JSON.stringify({ run: one.name, state, ...said(outcome) }));
    else if (outcome) print(`${one.name}: ${state}${inWords(outcome)}`);
  };
  try {
    const found = await runPlanned(opened, runs, { threads, memory, stop, retry: flags.retryFailed ?? false, ended });
    const counts = countStates([...found.values()]);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (!flags.json) print(`${inCounts(counts)}, ${seconds} s`);
    // A signal that came when all was done has stopped nothing.
    if (counts.waiting === 0) process.exitCode = counts.failed > 0 ? 1 : 0;
  } finally {
    release();
  }
}

function said(outcome: Outcome | null): object {
  if (!outcome) return {};
  return 'error' in outcome ? { error: outcome.error.message } : { result: outcome.result };
}

function inWords(outcome: Outcome): string {
  if ('error' in outcome) return `, ${outcome.error.message}`;
  const { evaluation, seconds, amount } = outcome.result;
  const score = evaluation
    ? `${meritIn(evaluation).short} ${fixed(meritIn(evaluation).of(evaluation), 4)}`
    : `at ${amount}`;
  return `, ${score}, ${seconds.toFixed(1)} s`;
}

const inCounts = (counts: Readonly<Record<State, number>>) =>
  states
    .filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${state}`)
    .join(', ');

/** `spiketrace study commands`: one command a line, for GNU parallel, Snakemake and whatever else starts programs. */
export async function commands(file: string, flags: StudyFileFlags & { readonly out: string }): Promise<void> {
  const opened = await saveStudy(readStudy(file, settingsOf(flags.set ?? [])), flags.out);
  const program = [process.execPath, process.argv[1]];
  for (const { name } of opened.plan.runs) {
    print(shellQuoted([...program, 'study', 'cell', flags.out, name]));
  }
}

/** `spiketrace study status`: how many runs are in which state, and those that failed. */
export function status(folder: string, flags: Global): void {
  const opened = openStudy(folder);
  const found = opened.plan.runs.map((one) => ({ run: one.name, ...lookAt(folderOf(opened, one)) }));
  const counts = countStates(found.map(({ state }) => state));
  const failed = found.flatMap(({ run: name, failure }) => (failure ? [{ run: name, message: failure.message }] : []));
  const stale = found.filter(({ state }) => state === 'stale').map(({ run: name }) => name);
  if (flags.json) {
    print(JSON.stringify({ folder, runs: found.length, ...counts, failures: failed, stale }));
    return;
  }
  print(
    table(['state', 'runs'], [...states.map((state) => [state, String(counts[state])]), ['all', String(found.length)]]),
  );
  for (const name of stale) print(`stale: ${name}: whoever had it is gone; the next run of the study takes it over`);
  for (const { run: name, message } of failed) print(`failed: ${name}: ${message}`);
}
