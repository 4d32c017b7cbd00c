import { meanOf } from '../core/statistics.ts';
import type { Plan } from './plan.ts';
import { holm, type PairedTest, pairedTest, type Summary, summarise } from './statistics.ts';

/** What became of a run. Waiting: nobody works on it now, whether it was begun or not. */
export const states = ['done', 'hopeless', 'running', 'stale', 'failed', 'waiting'] as const;
export type State = (typeof states)[number];

/** One run of a study, as far as it is known. */
export interface StudyRow {
  readonly run: string;
  readonly cell: string;
  readonly seed: number;
  readonly state: State;
  /** Symbols or trials done, where the run said so. */
  readonly amount: number | null;
  /** By measure; null where there is none. */
  readonly measures: Readonly<Record<string, number | null>>;
  /** Of training, in the call that ended it. */
  readonly seconds: number | null;
  /** Why it failed, or has no hope. */
  readonly message: string;
}

/** A cell for a table of comma-separated values. */
export function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A column of a table: texts, or numbers, whole or not, of which some are not known. [row] */
export type Column =
  | { readonly name: string; readonly kind: 'text'; readonly values: readonly string[] }
  | { readonly name: string; readonly kind: 'number' | 'whole'; readonly values: readonly (number | null)[] };

/** One tidy table: a row for each run, a column for each factor and measure. A factor all of whose levels are numbers is one. */
export function tidyTable(
  { factors, cells }: Plan,
  rows: readonly StudyRow[],
  measures: readonly string[],
): readonly Column[] {
  const byName = new Map(cells.map((cell) => [cell.name, cell]));
  const text = (name: string, of: (row: StudyRow) => string): Column => ({ name, kind: 'text', values: rows.map(of) });
  const numbers =
    (kind: 'number' | 'whole') =>
    (name: string, of: (row: StudyRow) => number | null | undefined): Column => {
      return { name, kind, values: rows.map((row) => of(row) ?? null) };
    };
  const [number, whole] = [numbers('number'), numbers('whole')];
  const levels = factors.map((factor): Column => {
    const level = (cell: string) => byName.get(cell)?.levels[factor];
    const value = ({ cell }: StudyRow) => level(cell)?.value as number | undefined;
    const all = cells.map(({ name }) => level(name)?.value);
    if (all.every(Number.isSafeInteger)) return whole(factor, value);
    if (all.every((one) => typeof one === 'number')) return number(factor, value);
    return text(factor, ({ cell }) => level(cell)?.label ?? '');
  });
  return [
    text('run', ({ run }) => run),
    text('cell', ({ cell }) => cell),
    ...levels,
    whole('seed', ({ seed }) => seed),
    text('state', ({ state }) => state),
    whole('amount', ({ amount }) => amount),
    ...measures.map((name) => number(name, ({ measures: scores }) => scores[name])),
    number('seconds', ({ seconds }) => seconds),
    text('message', ({ message }) => message),
  ];
}

/** Lines of a table of comma-separated values: names, then a line a row. */
export function* csvRows(columns: readonly Column[]): Generator<string> {
  const line = (values: readonly unknown[]) => values.map(csvCell).join(',');
  yield line(columns.map(({ name }) => name));
  for (let row = 0; row < (columns[0]?.values.length ?? 0); row++) yield line(columns.map(({ values }) => values[row]));
}

/** One cell over its seeds. */
export interface CellSummary {
  readonly cell: string;
  /** By measure; null where no run is done. */
  readonly measures: Readonly<Record<string, Summary | null>>;
  readonly done: number;
  readonly of: number;
}

/** Runs that are done, and only those, count. */
export function summaries(
  { cells, seeds }: Plan,
  rows: readonly StudyRow[],
  measures: readonly string[],
): CellSummary[] {
  const byCell = groupBy(rows);
  return cells.map(({ name }) => {
    const done = (byCell.get(name) ?? []).filter(({ state }) => state === 'done');
    const of = (measure: string) => {
      const values = done.flatMap((row) => row.measures[measure] ?? []);
      return values.length > 0 ? summarise(values) : null;
    };
    return {
      cell: name,
      measures: Object.fromEntries(measures.map((measure) => [measure, of(measure)])),
      done: done.length,
      of: seeds.length,
    };
  });
}

function groupBy(rows: readonly StudyRow[]): Map<string, StudyRow[]> {
  const groups = new Map<string, StudyRow[]>();
  for (const row of rows) {
    const group = groups.get(row.cell);
    if (group) group.push(row);
    else groups.set(row.cell, [row]);
  }
  return groups;
}

/** Two levels of a factor on the same seeds. */
export interface Comparison extends PairedTest {
  readonly factor: string;
  readonly measure: string;
  readonly a: string;
  readonly b: string;
  /** p for as many comparisons as there are of this factor (Holm). */
  readonly pHolm: number;
}

/** Beyond this many levels each is held against the first one only. */
const fewLevels = 6;

/**
 * Every factor's levels in pairs: b - a of runs that differ in nothing else, averaged within a seed over the other factors, since seeds are what is
 * drawn. Pairs of which one run is missing do not count.
 */
export function comparisons(plan: Plan, rows: readonly StudyRow[], measure: string): Comparison[] {
  const done = new Map(
    rows.flatMap((row) => {
      const value = row.state === 'done' ? row.measures[measure] : null;
      return value === null || value === undefined ? [] : [[`${row.cell}\n${row.seed}`, value] as const];
    }),
  );
  return plan.factors.flatMap((factor) => {
    const labels = [...new Set(plan.cells.map(({ levels }) => levels[factor].label))];
    const pairs = labels.flatMap((a, at) =>
      labels.length > fewLevels && at > 0 ? [] : labels.slice(at + 1).map((b) => ({ a, b })),
    );
    const contexts = contextsOf(plan, factor);
    const tests = pairs.map(({ a, b }) => {
      const differences = plan.seeds.flatMap((seed) => {
        const own = contexts.flatMap((byLabel) => {
          const [x, y] = [a, b].map((label) => done.get(`${byLabel.get(label)}\n${seed}`));
          return x === undefined || y === undefined ? [] : [y - x];
        });
        return own.length > 0 ? [meanOf(own)] : [];
      });
      return { factor, measure, a, b, ...pairedTest(differences) };
    });
    const corrected = holm(tests.map(({ p }) => p));
    return tests.map((test, at) => ({ ...test, pHolm: corrected[at] })).filter(({ n }) => n > 0);
  });
}

/** Cells that differ in one factor alone, by their label of it. */
function contextsOf({ cells, factors }: Plan, factor: string): Map<string, string>[] {
  const others = factors.filter((name) => name !== factor);
  const contexts = new Map<string, Map<string, string>>();
  for (const { name, levels } of cells) {
    const key = JSON.stringify(others.map((other) => levels[other].label));
    const context = contexts.get(key) ?? new Map<string, string>();
    context.set(levels[factor].label, name);
    contexts.set(key, context);
  }
  return [...contexts.values()];
}

/** How many runs are in each state. */
export function countStates(all: readonly State[]): Record<State, number> {
  const counts = Object.fromEntries(states.map((state) => [state, 0])) as Record<State, number>;
  for (const state of all) counts[state]++;
  return counts;
}
