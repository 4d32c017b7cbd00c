import { applyValues } from '../config/settings.ts';
import { ConfigError } from '../core/errors.ts';
import type { Catalogue } from '../core/plugins.ts';
import { type Axis, axesOf, type Level, type Settings } from './levels.ts';
import { canonical, nameOfCell } from './names.ts';
import { type Filter, mostRuns, type StopRule, type Study, seedsOf } from './schema.ts';

/** One combination of levels; its runs differ by their seed alone. */
export interface Cell {
  /** Name of its folder. */
  readonly name: string;
  /** Its level of every factor, by the factor's name. */
  readonly levels: Readonly<Record<string, Pick<Level, 'label' | 'value'>>>;
  /** What it sets, beside what all cells do. */
  readonly set: Settings;
  /** Names of the cells that must be known before it can be told hopeless: one for each rule with a control. */
  readonly controls: readonly (string | null)[];
}

export interface PlannedRun {
  readonly cell: Cell;
  readonly seed: number;
  /** Folder within that of the study, with `/`. */
  readonly name: string;
}

export interface Plan {
  readonly factors: readonly string[];
  readonly cells: readonly Cell[];
  readonly seeds: readonly number[];
  /** Seeds inside, cells outside. */
  readonly runs: readonly PlannedRun[];
}

/** The folder of a run within that of its study. */
export const runName = (cell: string, seed: number): string => `${cell}/seed-${seed}`;

/** All cells and runs of a study, a pure function of its file. @throws ConfigError */
export function planStudy(study: Study): Plan {
  const factors = Object.keys(study.factors);
  const axes = axesOf(study);
  const seeds = seedsOf(study);
  const count = axes.reduce((product, { points }) => product * points.length, seeds.length);
  if (count > mostRuns) throw new ConfigError('study.factors', count, `at most ${mostRuns} runs before filters`);
  checkFilters(study, axes);
  const all = combined(axes, factors);
  const kept = all.filter(
    ({ levels }) =>
      (study.only.length === 0 || study.only.some((filter) => fits(filter, levels))) &&
      !study.exclude.some((filter) => fits(filter, levels)),
  );
  if (kept.length === 0) throw new ConfigError('study.exclude', study.exclude, 'filters that leave a cell');
  assertUnique(kept);
  const cells = withControls(kept, study.stop, factors);
  const runs = cells.flatMap((cell) => seeds.map((seed) => ({ cell, seed, name: runName(cell.name, seed) })));
  return { factors, cells, seeds, runs };
}

/** The last axis runs fastest. */
function combined(axes: readonly Axis[], factors: readonly string[]): Omit<Cell, 'controls'>[] {
  const combinations = axes.reduce<readonly (readonly Axis['points'][number][])[]>(
    (before, { points }) => before.flatMap((chosen) => points.map((point) => [...chosen, point])),
    [[]],
  );
  const names = axes.flatMap(({ of }) => of);
  return combinations.map((points) => {
    const chosen = points.flatMap(({ levels }) => levels);
    const byName = new Map(chosen.map((level, at) => [names[at], level]));
    return {
      name: nameOfCell(points.map(({ name }) => name)),
      levels: Object.fromEntries(
        factors.map((factor) => {
          const { label, value } = byName.get(factor) as Level;
          return [factor, { label, value }];
        }),
      ),
      set: Object.assign({}, ...factors.map((factor) => byName.get(factor)?.set)) as Settings,
    };
  });
}

function assertUnique(cells: readonly Omit<Cell, 'controls'>[]): void {
  const seen = new Set<string>();
  for (const { name } of cells) {
    const key = name.toLowerCase();
    if (seen.has(key)) throw new ConfigError('study.factors', name, 'labels that give every cell a name of its own');
    seen.add(key);
  }
}

const isRange = (value: unknown): value is { readonly min?: number; readonly max?: number } =>
  typeof value === 'object' && value !== null && Object.keys(value).every((key) => key === 'min' || key === 'max');

/** A part of a filter that reads like a range is one. @throws ConfigError with the path */
function assertNumbers(condition: unknown, path: string): void {
  if (Array.isArray(condition)) for (const one of condition) assertNumbers(one, path);
  else if (isRange(condition)) {
    for (const [end, value] of Object.entries(condition)) {
      if (typeof value !== 'number') throw new ConfigError(`${path}.${end}`, value, 'a number');
    }
  }
}

function fitsOne(condition: unknown, value: unknown): boolean {
  if (Array.isArray(condition)) return condition.some((one) => fitsOne(one, value));
  if (!isRange(condition)) return canonical(condition) === canonical(value);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = condition;
  return typeof value === 'number' && value >= min && value <= max;
}

function fits(filter: Filter, levels: Cell['levels']): boolean {
  return Object.entries(filter).every(([factor, condition]) => fitsOne(condition, levels[factor].value));
}

/** A filter that no level can fit is a slip. */
function checkFilters(study: Study, axes: readonly Axis[]): void {
  const known = new Map<string, unknown[]>();
  for (const { of, points } of axes) {
    of.forEach((factor, at) => {
      known.set(
        factor,
        points.map(({ levels }) => levels[at].value),
      );
    });
  }
  const check = (filter: Readonly<Record<string, unknown>>, path: string) => {
    for (const [factor, condition] of Object.entries(filter)) {
      const values = known.get(factor);
      if (!values)
        throw new ConfigError(`${path}.${factor}`, factor, `one of the factors ${[...known.keys()].join(', ')}`);
      for (const one of Array.isArray(condition) ? condition : [condition]) {
        assertNumbers(one, `${path}.${factor}`);
        if (values.some((value) => fitsOne(one, value))) continue;
        throw new ConfigError(`${path}.${factor}`, one, 'a level of this factor (its label, where it has one)');
      }
    }
  };
  study.only.forEach((filter, n) => {
    check(filter, `study.only.${n}`);
  });
  study.exclude.forEach((filter, n) => {
    check(filter, `study.exclude.${n}`);
  });
  study.stop.forEach(({ worseThan }, n) => {
    if (typeof worseThan === 'object') check(worseThan.cell, `study.stop.${n}.worseThan.cell`);
  });
}

/** Finds the control of every cell: the levels of the rule, and the cell's own where it names none. A control has none itself. */
function withControls(
  cells: readonly Omit<Cell, 'controls'>[],
  rules: readonly StopRule[],
  factors: readonly string[],
): Cell[] {
  if (rules.every(({ worseThan }) => typeof worseThan !== 'object')) {
    return cells.map((cell) => ({ ...cell, controls: rules.map(() => null) }));
  }
  const keyOf = (values: readonly unknown[]) => canonical(values);
  const byLevels = new Map(cells.map(({ name, levels }) => [keyOf(factors.map((f) => levels[f].value)), name]));
  return cells.map((cell) => ({
    ...cell,
    controls: rules.map(({ worseThan }, n) => {
      if (typeof worseThan !== 'object' || fits(worseThan.cell as Filter, cell.levels)) return null;
      const values = factors.map((f) => (f in worseThan.cell ? worseThan.cell[f] : cell.levels[f].value));
      const control = byLevels.get(keyOf(values));
      if (control === undefined) {
        throw new ConfigError(
          `study.stop.${n}.worseThan.cell`,
          worseThan.cell,
          `a cell beside ${cell.name} that the filters leave`,
        );
      }
      return control;
    }),
  }));
}

/** The experiment of one run: the base, what all cells set, what this one does, its seed. @param base an experiment as a file has it */
export function experimentOf(base: unknown, study: Study, { cell, seed }: PlannedRun, catalogue: Catalogue): unknown {
  return applyValues(base, { ...study.set, ...cell.set, seed }, catalogue);
}

/** All cells, or, of more than `most`, so many that every level of every factor is one. */
export function cellsToBuild(plan: Pick<Plan, 'cells' | 'factors'>, most: number): readonly Cell[] {
  return plan.cells.length <= most ? plan.cells : coveringCells(plan);
}

/**
 * Cells of which every level of every factor is one: enough to find what an experiment refuses, and to see what memory depends on,
 * where there are too many to build them all.
 */
export function coveringCells({ cells, factors }: Pick<Plan, 'cells' | 'factors'>): Cell[] {
  if (factors.length === 0) return [...cells];
  const seen = new Set<string>();
  const freshIn = ({ levels }: Cell) =>
    factors.map((factor) => `${factor}=${canonical(levels[factor].value)}`).filter((key) => !seen.has(key));
  const taken = (least: number) =>
    cells.filter((cell) => {
      const fresh = freshIn(cell);
      if (fresh.length < least) return false;
      for (const key of fresh) seen.add(key);
      return true;
    });
  // Those that are new in all respects first, so that there are few.
  const covering = new Set([...taken(factors.length), ...taken(1)]);
  return cells.filter((cell) => covering.has(cell));
}
