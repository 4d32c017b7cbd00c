import { DivergenceError } from '../core/errors.ts';
import type { Scores } from '../core/events.ts';
import type { Real } from '../core/layout.ts';
import type { Network } from '../core/network.ts';
import { spikesPerStepToRate } from '../core/units.ts';
import type { Run } from './run.ts';

/** Sums over trials from which scores are made. */
export interface Tally {
  trials: number;
  loss: number;
  scored: number;
  lossPerStep: number;
  expectedLoss: number;
  correct: number;
  activity: number;
  neuronSteps: number;
}

export function emptyTally(): Tally {
  return { trials: 0, loss: 0, scored: 0, lossPerStep: 0, expectedLoss: 0, correct: 0, activity: 0, neuronSteps: 0 };
}

/** Adds the trial that `run` has just done. */
export function addTrial(tally: Tally, run: Run, steps: number): void {
  const { spec, trial } = run.network;
  const { stream: nStream, step: stride, out: nOut, rec: n, history } = spec.sizes;
  const { loss } = spec;
  tally.trials += 1;
  for (let b = 0; b < nStream; b++) {
    for (let t = 0; t < steps; t++) {
      const step = b * stride + t;
      const weight = trial.weight[step];
      if (weight === 0) continue;
      const value = weight * loss.value(trial.y, trial.target, step * nOut, nOut);
      tally.loss += run.lossScale[b] * value;
      tally.lossPerStep += value;
      tally.expectedLoss += weight * loss.value(trial.y, trial.expected, step * nOut, nOut);
      if (loss.classification) tally.correct += weight * agrees(trial.y, trial.target, step * nOut, nOut);
      tally.scored += weight;
    }
    const first = (b * (history + stride) + history) * n;
    tally.activity += sum(trial.z, first, steps * n);
    tally.neuronSteps += steps * n;
  }
}

export function scoresOf(tally: Tally, network: Network, statesExpected: boolean): Scores {
  const { spec } = network;
  const activity = tally.activity / tally.neuronSteps;
  const share = spec.update.reduction === 'mean' ? spec.sizes.stream : 1;
  const scored = tally.scored > 0 ? tally.scored : Number.NaN;
  return {
    loss: tally.loss / (share * tally.trials),
    lossPerStep: tally.lossPerStep / scored,
    expectedLoss: statesExpected ? tally.expectedLoss / scored : null,
    accuracy: spec.loss.classification ? tally.correct / scored : null,
    rateHz: spikesPerStepToRate(activity, spec.dtMs),
    activity,
  };
}

/**
 * Stops a run whose numbers are no longer finite. psi and y are looked at step by step, so that the message can name
 * the first bad one; the membrane too, since a NaN never crosses a threshold.
 * @throws DivergenceError with field, index and step since the beginning of the run
 */
export function checkFinite(run: Run, steps: number): void {
  const { network, clock } = run;
  const { spec, state, trial } = network;
  const { stream: nStream, step: stride, rec, out } = spec.sizes;
  const first = clock.step - steps;
  for (let t = 0; t < steps; t++) {
    for (let b = 0; b < nStream; b++) {
      assertFinite(trial.psi, 'psi', (b * stride + t) * rec, rec, first + t);
      assertFinite(trial.y, 'y', (b * stride + t) * out, out, first + t);
    }
  }
  for (const group of ['weights', 'neuron', 'signal', 'direct']) {
    const views = state.views(group);
    for (const name in views) assertFinite(views[name], `${group}.${name}`, 0, views[name].length, clock.step - 1);
  }
}

function assertFinite(x: Real, field: string, from: number, n: number, step: number): void {
  let total = 0;
  for (let s = from; s < from + n; s++) total += x[s] - x[s];
  if (total === 0) return;
  for (let s = from; s < from + n; s++) {
    if (!Number.isFinite(x[s])) throw new DivergenceError(field, s - from, step, x[s]);
  }
}

/** 1 where the decision is the target's: the largest output, or for a single output the sign of its logit. */
function agrees(y: Real, target: Real, row: number, nOut: number): number {
  if (nOut === 1) return y[row] > 0 === target[row] > 0.5 ? 1 : 0;
  let best = 0;
  let wanted = 0;
  for (let k = 1; k < nOut; k++) {
    if (y[row + k] > y[row + best]) best = k;
    if (target[row + k] > target[row + wanted]) wanted = k;
  }
  return best === wanted ? 1 : 0;
}

function sum(x: Real, from: number, n: number): number {
  let total = 0;
  for (let s = from; s < from + n; s++) total += x[s];
  return total;
}
