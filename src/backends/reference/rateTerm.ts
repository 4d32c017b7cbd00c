import type { Real } from '../../core/layout.ts';
import type { Loops } from '../../core/loops.ts';
import { type Network, type Stages, tellsNeurons } from '../../core/network.ts';
import { rowAt } from '../../core/rows.ts';

/** Firing-rate regularisation (Bellec et al. 2020, methods): R_j = c (f_j - f*), added to the unfiltered eligibility. */
export function bindRateTerm(network: Network): Pick<Stages, 'rateRunning' | 'rateOfTrial'> {
  const heard = network.spec.rateTerm.strength > 0 && tellsNeurons(network.spec);
  const parts = heard ? network.spec.populations.map((_, p) => bindPopulation(network, p)) : [];
  return {
    rateRunning(t0, t1) {
      for (const part of parts) part.rateRunning(t0, t1);
    },
    rateOfTrial(steps) {
      for (const part of parts) part.rateOfTrial(steps);
    },
  };
}

function bindPopulation(
  { spec, state, activity: all, loops }: Network,
  p: number,
): Pick<Stages, 'rateRunning' | 'rateOfTrial'> {
  const nStream = spec.sizes.stream;
  const { name, size: n } = spec.populations[p];
  const { z, rateTerm } = all[p];
  const { strength, target, mean, runningRate, everySteps } = spec.rateTerm;
  const running = state.field(`population.${name}.mean`);
  const add = loops?.runningTerm ?? runningTerm;
  const activity = new Float64Array(n);
  return {
    rateRunning(t0, t1) {
      if (mean !== 'running') return;
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) {
          const row = rowAt(rateTerm, b, t);
          const acting = (t + 1) % everySteps === 0 ? strength : 0;
          add(rateTerm.data, running, z.data, row, b * n, rowAt(z, b, t), acting, target, runningRate, n);
        }
      }
    },
    rateOfTrial(steps) {
      if (mean === 'running') return;
      const share = spec.update.reduction === 'sum' ? nStream : 1;
      const perStep = strength / (steps * share);
      const write = (b: number, count: number) =>
        spread(rateTerm.data, activity, rowAt(rateTerm, b, 0), steps, count, target, perStep, n);
      activity.fill(0);
      for (let b = 0; b < nStream; b++) {
        if (mean === 'trial') activity.fill(0);
        for (let t = 0; t < steps; t++) addRow(activity, z.data, rowAt(z, b, t), n);
        if (mean === 'trial') write(b, steps);
      }
      if (mean === 'batch') for (let b = 0; b < nStream; b++) write(b, steps * nStream);
    },
  };
}

/** fBar <- fBar + r (z[t] - fBar);  R[t] = c (fBar - f*).   R: row at `row`; fBar: at `at`; z: row at `from`; all [self] */
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

/** R[t] = perStep (activity / count - f*) for every step of a trial.   R: rows from `row`; activity: [self] */
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
