import { join } from 'node:path';
import type { Bound } from '../../core/events.ts';
import { type Merit, meritOf } from '../../core/merit.ts';
import { ownLossesOf } from '../../core/network.ts';
import type { OwnLoss } from '../../core/plugins.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type FigureOptions, type Run, renderLearningCurve, renderLearningCurves } from '../../plot/index.ts';
import { METRICS_CSV, readBytes, readMetrics } from '../../record/index.ts';
import { files } from '../runFolder.ts';

/**
 * The learning curves of several runs: every seed thin or a band over them, the mean of each group bold, the bounds dashed. Runs without a trial
 * are left out. @returns null where none has one
 */
export function drawCurves(
  title: string,
  groups: readonly { readonly label: string; readonly folders: readonly string[] }[],
  experiment: Experiment,
  { spread = 'runs', ...options }: FigureOptions & { readonly spread?: 'runs' | 'band' } = {},
): Uint8Array | null {
  const { task } = experiment;
  const bounds: readonly Bound[] = task.bounds;
  const merit = meritOf(task, experiment.run.network.spec);
  const drawn = groups
    .map(({ label, folders }) => ({ label, runs: begun(folders.map((folder) => curve(folder, merit))) }))
    .filter(({ runs }) => runs.length > 0);
  if (drawn.length === 0) return null;
  const xLabel = task.mode.kind === 'stream' ? 'symbols' : 'trials';
  return renderLearningCurve(
    { title, xLabel, yLabel: merit.label, yAxis: merit.axis, bounds, groups: drawn, spread },
    options,
  );
}

/** Losses of all that a rule learns, over seeds: the task, and what its signals learn for themselves; null where that is nothing. */
export function drawLosses(
  title: string,
  folders: readonly string[],
  experiment: Experiment,
  options: FigureOptions = {},
): Uint8Array | null {
  const { task } = experiment;
  const own = ownLossesOf(experiment.run.network.spec);
  if (own.length === 0) return null;
  const merit = meritOf(task, experiment.run.network.spec);
  const runs = begun(folders.map((folder) => curve(folder, merit)));
  if (runs.length === 0) return null;
  const panel = ({ name, label, unit }: OwnLoss) => ({
    xLabel: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    yLabel: unit,
    bounds: [],
    groups: [{ label, runs: begun(folders.map((folder) => ownCurve(folder, name))) }],
  });
  const whole = {
    xLabel: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    yLabel: merit.label,
    yAxis: merit.axis,
    bounds: task.bounds,
    groups: [{ label: 'W: the task', runs }],
  };
  return renderLearningCurves({ title, panels: [whole, ...own.map(panel)] }, options);
}

function ownCurve(folder: string, name: string): Run {
  const rows = readMetrics(join(folder, METRICS_CSV)).filter((row) => row.type === 'trial');
  return { x: rows.map((row) => row.amount), y: rows.map((row) => row.own[name] || Number.NaN), label: seedOf(folder) };
}

function curve(folder: string, merit: Merit): Run {
  const rows = readMetrics(join(folder, METRICS_CSV)).filter((row) => row.type === 'trial');
  // A logarithm has no place for 0.
  const shown = (value: number) =>
    Number.isFinite(value) && (value !== 0 || merit.axis === 'linear') ? value : Number.NaN;
  const each = merit.points === null ? 1 : Math.ceil(rows.length / merit.points);
  const groups = Array.from({ length: Math.ceil(rows.length / each) }, (_, g) => rows.slice(g * each, (g + 1) * each));
  return {
    x: groups.map((group) => group[group.length - 1].amount),
    y: groups.map((group) => shown(group.reduce((sum, row) => sum + merit.of(row), 0) / group.length)),
    label: seedOf(folder),
  };
}

function seedOf(folder: string): string {
  const { seed } = JSON.parse(new TextDecoder().decode(readBytes(join(folder, files.config)))) as { seed: number };
  return `seed ${seed}`;
}

function begun(runs: readonly Run[]): Run[] {
  return runs.filter(({ x }) => x.length > 0);
}
