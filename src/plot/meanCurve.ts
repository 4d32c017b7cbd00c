import { spread } from '../core/statistics.ts';
import type { Run } from './types.ts';

/** Mean over runs: y[n] is the mean at x[n]. */
export interface MeanCurve {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The same with the standard deviation over runs, with n - 1; 0 for one run. */
export interface SpreadCurve extends MeanCurve {
  readonly sd: readonly number[];
}

/**
 * y(x) = mean over runs of y_run(x), at the x where every run has a finite value. A run that stopped early or diverged
 * ends the mean: going on with the rest would show the survivors as if they were all.
 */
export function meanCurve(runs: readonly Run[]): MeanCurve {
  const { x, y } = spreadCurve(runs);
  return { x, y };
}

/** @returns mean and standard deviation at the same x as `meanCurve` */
export function spreadCurve(runs: readonly Run[]): SpreadCurve {
  const values = new Map<number, number[]>();
  for (const run of runs) addRun(values, run);
  const common = [...values].filter(([, own]) => own.length === runs.length).sort(([a], [b]) => a - b);
  const spreads = common.map(([, own]) => spread(own));
  return { x: common.map(([x]) => x), y: spreads.map(({ mean }) => mean), sd: spreads.map(({ sd }) => sd) };
}

function addRun(values: Map<number, number[]>, run: Run): void {
  for (let n = 0; n < run.x.length; n++) {
    if (!Number.isFinite(run.y[n])) continue;
    const own = values.get(run.x[n]) ?? [];
    own.push(run.y[n]);
    values.set(run.x[n], own);
  }
}
