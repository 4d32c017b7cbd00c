import type { Run } from './types.ts';

/** Mean over runs: y[n] is the mean at x[n]. */
export interface MeanCurve {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/**
 * y(x) = mean over runs of y_run(x), at the x where every run has a finite value. A run that stopped early or diverged
 * ends the mean: going on with the rest would show the survivors as if they were all.
 */
export function meanCurve(runs: readonly Run[]): MeanCurve {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const run of runs) addRun(sums, run);
  const common = [...sums].filter(([, entry]) => entry.count === runs.length).sort(([a], [b]) => a - b);
  return { x: common.map(([x]) => x), y: common.map(([, entry]) => entry.sum / entry.count) };
}

function addRun(sums: Map<number, { sum: number; count: number }>, run: Run): void {
  for (let n = 0; n < run.x.length; n++) {
    const x = run.x[n];
    const y = run.y[n];
    if (!Number.isFinite(y)) continue;
    const entry = sums.get(x) ?? { sum: 0, count: 0 };
    entry.sum += y;
    entry.count += 1;
    sums.set(x, entry);
  }
}
