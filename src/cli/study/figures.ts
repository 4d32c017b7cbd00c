import { join } from 'node:path';
import { meanOf } from '../../core/statistics.ts';
import { renderHeatMap, renderLearningCurve } from '../../plot/index.ts';
import { higherIsBetter } from '../../study/measures.ts';
import { runName } from '../../study/plan.ts';
import type { StudyRow } from '../../study/table.ts';
import { drawCurves } from '../figures/curves.ts';
import { isRunFolder, loadRun } from '../runFolder.ts';
import { type OpenStudy, titleOf } from './folder.ts';
import type { Collected } from './rows.ts';

/** A picture of a study. */
export interface Figure {
  /** Of the file. */
  readonly name: string;
  readonly about: string;
  readonly png: Uint8Array;
}

/** Curves in one picture, levels along one axis, and cells along an axis of a heat map: more cannot be read. */
const most = { curves: 8, levels: 16, cells: 40 } as const;

/** Learning curves with bands over the seeds, a slope chart for each factor, a heat map for each pair of the first three. */
export function drawStudy(opened: OpenStudy, { rows, measures }: Collected): Figure[] {
  const done = rows.filter(({ state }) => state === 'done');
  const [measure] = measures;
  if (measure === undefined || done.length === 0) return [];
  const { factors } = opened.plan;
  const known = new Table(opened, done, measure);
  const pairs = factors.slice(0, 3).flatMap((a, at) => factors.slice(at + 1, 3).map((b) => [a, b] as const));
  return [
    ...curvesOf(opened, known),
    ...factors.flatMap((factor) => slopesOf(known, factor)),
    ...pairs.flatMap(([a, b]) => heatMapOf(known, a, b)),
  ];
}

/** Values of one measure, by cell and seed. */
class Table {
  readonly opened: OpenStudy;
  readonly measure: string;
  readonly #rows: readonly StudyRow[];
  readonly #levels: Map<string, Readonly<Record<string, { readonly label: string }>>>;

  constructor(opened: OpenStudy, rows: readonly StudyRow[], measure: string) {
    this.opened = opened;
    this.measure = measure;
    this.#rows = rows;
    this.#levels = new Map(opened.plan.cells.map(({ name, levels }) => [name, levels]));
  }

  labels(factor: string): string[] {
    return [...new Set(this.opened.plan.cells.map(({ levels }) => levels[factor].label))];
  }

  /** Mean over all runs with these labels; NaN for none. */
  mean(labels: Readonly<Record<string, string>>, seed?: number): number {
    const values = this.#rows.flatMap((row) => {
      const levels = this.#levels.get(row.cell);
      const fits = Object.entries(labels).every(([factor, label]) => levels?.[factor].label === label);
      return fits && (seed === undefined || row.seed === seed) ? (row.measures[this.measure] ?? []) : [];
    });
    return values.length > 0 ? meanOf(values) : Number.NaN;
  }

  /** Cells that have a mean, the best first. */
  ranked(): string[] {
    const sign = higherIsBetter(this.measure) ? -1 : 1;
    const byCell = new Map<string, number[]>();
    for (const { cell, measures } of this.#rows) {
      const value = measures[this.measure];
      if (value !== null && value !== undefined) byCell.set(cell, [...(byCell.get(cell) ?? []), value]);
    }
    return [...byCell].sort(([, a], [, b]) => sign * (meanOf(a) - meanOf(b))).map(([name]) => name);
  }
}

function curvesOf(opened: OpenStudy, known: Table): Figure[] {
  const { seeds, cells, factors } = opened.plan;
  const best = new Set(known.ranked().slice(0, most.curves));
  const groups = cells
    .filter(({ name }) => best.has(name))
    .map(({ name, levels }) => ({
      label: labelOf(factors.map((factor) => levels[factor].label)) ?? name,
      folders: seeds.map((seed) => join(opened.folder, runName(name, seed))).filter(isRunFolder),
    }));
  const first = groups.find(({ folders }) => folders.length > 0);
  if (!first) return [];
  const which = best.size < cells.length ? `, the ${best.size} best of ${cells.length} cells` : '';
  const about = `learning curves${which}: means and standard deviations over seeds`;
  const png = drawCurves(`${titleOf(opened)}${which}`, groups, loadRun(first.folders[0]), { spread: 'band' });
  return png ? [{ name: 'curves.png', about, png }] : [];
}

/** Every seed a line over the levels, averaged over the other factors. */
function slopesOf(known: Table, factor: string): Figure[] {
  const labels = known.labels(factor);
  if (labels.length < 2 || labels.length > most.levels) return [];
  const runs = known.opened.plan.seeds
    .map((seed) => ({ x: labels.map((_, n) => n), y: labels.map((label) => known.mean({ [factor]: label }, seed)) }))
    .filter(({ y }) => y.some(Number.isFinite));
  if (runs.length === 0) return [];
  const png = renderLearningCurve({
    title: `${titleOf(known.opened)}: ${factor}`,
    xLabel: factor,
    yLabel: known.measure,
    bounds: [],
    conditions: labels,
    groups: [{ label: 'the same seed at every level', runs }],
  });
  return [
    { name: `slopes-${fileName(factor)}.png`, about: `${known.measure} by ${factor}, a line for each seed`, png },
  ];
}

function heatMapOf(known: Table, down: string, across: string): Figure[] {
  const [rows, columns] = [known.labels(down), known.labels(across)];
  if (rows.length < 2 || columns.length < 2 || rows.length > most.cells || columns.length > most.cells) return [];
  const values = rows.flatMap((row) => columns.map((column) => known.mean({ [down]: row, [across]: column })));
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const png = renderHeatMap({
    title: `${titleOf(known.opened)}: mean ${known.measure}`,
    panels: [{ label: '', values }],
    across: 1,
    rows,
    columns,
    rowTitle: down,
    columnTitle: across,
    cellWidth: Math.max(62, ...columns.map((label) => 9 * label.length)),
    middle: (low + high) / 2,
    // One colour for all where all are equal.
    limit: high > low ? (high - low) / 2 : 1,
    digits: Math.max(0, 3 - Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high), 1e-9)))),
  });
  const name = `map-${fileName(down)}-${fileName(across)}.png`;
  return [{ name, about: `mean ${known.measure} by ${down} and ${across}`, png }];
}

/** Levels in a legend; null where they are none, or too long for one. */
function labelOf(labels: readonly string[]): string | null {
  const label = labels.join(', ');
  return label === '' || label.length > 60 ? null : label;
}

const fileName = (factor: string): string => factor.replace(/[^\w.-]/g, '-');
