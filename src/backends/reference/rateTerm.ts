import type { Real } from '../../core/layout.ts';
import type { Loops } from '../../core/loops.ts';
import type { Network, Stages } from '../../core/network.ts';

/** Firing-rate regularisation (Bellec et al. 2020, methods): R_j = c (f_j - f*), added to the unfiltered eligibility. */
export function bindRateTerm({ spec, state, trial, loops }: Network): Pick<Stages, 'rateRunning' | 'rateOfTrial'> {
  const { stream: nStream, step: stride, rec: n, history } = spec.sizes;
  const { strength, target, mean, runningRate, everySteps } = spec.rateTerm;
  const fBar = state.field('run.fBar');
  const add = loops?.runningTerm ?? runningTerm;
  const activity = new Float64Array(n);
  const firstRow = (b: number) => (b * (history + stride) + history) * n;
  return {
    rateRunning(t0, t1) {
      if (mean !== 'running' || strength === 0) return;
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) {
          const row = (b * stride + t) * n;
          const acting = (t + 1) % everySteps === 0 ? strength : 0;
          add(trial.rateTerm, fBar, trial.z, row, b * n, firstRow(b) + t * n, acting, target, runningRate, n);
        }
      }
    },
    rateOfTrial(steps) {
      if (mean === 'running' || strength === 0) return;
      const share = spec.update.reduction === 'sum' ? nStream : 1;
      const perStep = strength / (steps * share);
      activity.fill(0);
      for (let b = 0; b < nStream; b++) {
        if (mean === 'trial') activity.fill(0);
        for (let t = 0; t < steps; t++) addRow(activity, trial.z, firstRow(b) + t * n, n);
        if (mean === 'trial') spread(trial.rateTerm, activity, b * stride * n, steps, steps, target, perStep, n);
      }
      if (mean !== 'batch') return;
      for (let b = 0; b < nStream; b++) {
        spread(trial.rateTerm, activity, b * stride * n, steps, steps * nStream, target, perStep, n);
      }
    },
  };
}

/** fBar <- fBar + r (z[t] - fBar);  R[t] = c (fBar - f*).   R: row at `row`; fBar: at `at`; z: row at `from`; all [rec] */
const runningTerm: Loops['runningTerm'] = (rateTerm, fBar, z, row, at, from, strength, target, rate, n) => {
  for (let j = 0; j < n; j++) {
    const mean = fBar[at + j] + rate * (z[from + j] - fBar[at + j]);
    fBar[at + j] = mean;
    rateTerm[row + j] = strength * (mean - target);
  }
};

function addRow(sum: Real, x: Real, row: number, n: number): void {
  for (let j = 0; j < n; j++) sum[j] += x[row + j];
}

/** R[t] = perStep (activity / count - f*) for every step of a trial.   R: rows from `row`; activity: [rec] */
function spread(
  rateTerm: Real,
  activity: Real,
  row: number,
  steps: number,
  count: number,
  target: number,
  perStep: number,
  n: number,
): void {
  for (let t = 0; t < steps; t++) {
    for (let j = 0; j < n; j++) rateTerm[row + t * n + j] = perStep * (activity[j] / count - target);
  }
}
