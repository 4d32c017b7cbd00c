import { DivergenceError } from '../core/errors.ts';
import type { Scores } from '../core/events.ts';
import type { Real, Role } from '../core/layout.ts';
import { isScored, type Network, type ReadoutSpec, rewardName } from '../core/network.ts';
import { type Rows, rowAt } from '../core/rows.ts';
import { spikesPerStepToRate } from '../core/units.ts';
import { lossAt } from './losses.ts';
import { namedRows } from './names.ts';
import type { Ratios } from './outer.ts';
import type { Run } from './run.ts';

/** Sums over trials from which scores are made. */
export interface Tally {
  trials: number;
  loss: number;
  scored: number;
  lossPerStep: number;
  expectedLoss: number;
  correct: number;
  /** Weight of the decisions that `correct` is a share of. */
  decided: number;
  activity: number;
  neuronSteps: number;
  /** Of all episodes. */
  reward: number;
  /** Of trials of two passes. */
  readonly ratios: Ratios;
}

export function emptyTally(): Tally {
  return {
    trials: 0,
    loss: 0,
    scored: 0,
    lossPerStep: 0,
    expectedLoss: 0,
    correct: 0,
    decided: 0,
    activity: 0,
    neuronSteps: 0,
    reward: 0,
    ratios: {},
  };
}

/** Adds the trial that `run` has just done. */
export function addTrial(tally: Tally, run: Run, steps: number): void {
  const { spec, trial, activity } = run.network;
  tally.trials += 1;
  for (let b = 0; b < spec.sizes.stream; b++) {
    for (let t = 0; t < steps; t++) {
      const weight = trial.weight.data[rowAt(trial.weight, b, t)];
      if (weight === 0) continue;
      const weighted = weight * lossAt(run.network, trial.target, b, t);
      tally.loss += run.lossScale[b] * weighted;
      tally.lossPerStep += weighted;
      tally.expectedLoss += weight * lossAt(run.network, trial.expected, b, t);
      tally.scored += weight;
    }
    for (const readout of spec.readouts) if (readout.loss.classification) addDecisions(tally, run, readout, b, steps);
    const { reward } = trial;
    if (reward.width > 0) tally.reward += sum(reward.data, rowAt(reward, b, 0), steps);
    for (const { z } of activity) {
      tally.activity += sum(z.data, rowAt(z, b, 0), steps * z.size);
      tally.neuronSteps += steps * z.size;
    }
  }
  run.outer?.addScores(tally.ratios, steps);
}

/** Decisions of a readout in a stream: of the scored steps of a block, by their summed outputs, against the target of the last one. */
function addDecisions(tally: Tally, { network }: Run, readout: ReadoutSpec, b: number, steps: number): void {
  const { spec, trial } = network;
  const { column, size } = readout;
  const summed = new Float64Array(size);
  for (let first = 0; first < steps; first += spec.decisionSteps) {
    const end = Math.min(steps, first + spec.decisionSteps);
    let weight = 0;
    let wanted = 0;
    summed.fill(0);
    for (let t = first; t < end; t++) {
      const own = trial.weight.data[rowAt(trial.weight, b, t)];
      if (own === 0 || !isScored(readout, t)) continue;
      wanted = rowAt(trial.y, b, t) + column;
      for (let k = 0; k < size; k++) summed[k] += trial.y.data[wanted + k];
      weight += own;
    }
    if (weight === 0) continue;
    tally.correct += weight * agrees(summed, trial.target.data, wanted, size);
    tally.decided += weight;
  }
}

export function scoresOf(tally: Tally, { spec }: Network, statesExpected: boolean): Scores {
  const activity = tally.activity / tally.neuronSteps;
  const share = spec.update.reduction === 'mean' ? spec.sizes.stream : 1;
  const scored = tally.scored > 0 ? tally.scored : Number.NaN;
  const classifies = spec.readouts.some(({ loss }) => loss.classification);
  return {
    loss: tally.loss / (share * tally.trials),
    lossPerStep: tally.lossPerStep / scored,
    expectedLoss: statesExpected ? tally.expectedLoss / scored : null,
    accuracy: classifies ? tally.correct / (tally.decided > 0 ? tally.decided : Number.NaN) : null,
    rateHz: spikesPerStepToRate(activity, spec.dtMs),
    activity,
    own: {
      ...(spec.rewarded ? { [rewardName]: tally.reward / (tally.trials * spec.sizes.stream) } : {}),
      ...Object.fromEntries(Object.entries(tally.ratios).map(([name, { sum, of }]) => [name, sum / of])),
    },
  };
}

/** The one score that says how good a network is: the reward where there is one, else the loss, against the expected target where it is stated. */
export function scoreOf({ own, expectedLoss, lossPerStep }: Scores): number {
  return own[rewardName] ?? expectedLoss ?? lossPerStep;
}

/**
 * Stops a run whose numbers are no longer finite. psi and y are looked at step by step, so that the message can name
 * the first bad one; the membrane too, since a NaN never crosses a threshold.
 * @throws DivergenceError with field, index and step since the beginning of the run
 */
export function checkFinite(run: Run, steps: number): void {
  const { network, clock } = run;
  const { rows, fields } = watchedOf(network);
  const nStream = network.spec.sizes.stream;
  if (!rows.every(([, each]) => areFinite(each, nStream, steps))) {
    // Now step by step: the first one counts.
    for (let t = 0; t < steps; t++) {
      for (let b = 0; b < nStream; b++) {
        for (const [name, each] of rows) {
          assertFinite(each.data, name, rowAt(each, b, t), each.size, clock.step - steps + t);
        }
      }
    }
  }
  for (const [name, values] of fields) assertFinite(values, name, 0, values.length, clock.step - 1);
}

interface Watched {
  readonly rows: readonly (readonly [name: string, rows: Rows])[];
  readonly fields: readonly (readonly [name: string, values: Real])[];
}

const kept: readonly Role[] = ['weights', 'neuron', 'signal', 'direct', 'passes'];
const watchedBy = new WeakMap<Network, Watched>();

/** What is looked at after every trial, found once. */
function watchedOf(network: Network): Watched {
  const known = watchedBy.get(network);
  if (known) return known;
  const { table } = network.state;
  const watched: Watched = {
    rows: [...namedRows(network)].filter(([name]) => /\.(psi|y)$/.test(name)),
    fields: table.filter(({ role }) => kept.includes(role)).map(({ name }) => [name, network.state.field(name)]),
  };
  watchedBy.set(network, watched);
  return watched;
}

function areFinite(rows: Rows, nStream: number, steps: number): boolean {
  const { data, size } = rows;
  for (let b = 0; b < nStream; b++) {
    for (let t = 0; t < steps; t++) if (!allFinite(data, rowAt(rows, b, t), size)) return false;
  }
  return true;
}

/** Whether x[from ... from + n) are numbers. Four sums, since one waits for each of its additions. */
function allFinite(x: Real, from: number, n: number): boolean {
  const end = from + n;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let s = from;
  for (; s + 4 <= end; s += 4) {
    a += x[s] - x[s];
    b += x[s + 1] - x[s + 1];
    c += x[s + 2] - x[s + 2];
    d += x[s + 3] - x[s + 3];
  }
  for (; s < end; s++) a += x[s] - x[s];
  return a + b + c + d === 0;
}

function assertFinite(x: Real, field: string, from: number, n: number, step: number): void {
  if (allFinite(x, from, n)) return;
  for (let s = from; s < from + n; s++) {
    if (!Number.isFinite(x[s])) throw new DivergenceError(field, s - from, step, x[s]);
  }
}

/** 1 where the decision is the target's: the largest output, or for a single output the sign of its logit. y: [out]; target: row at `row` */
function agrees(y: Real, target: Real, row: number, nOut: number): number {
  if (nOut === 1) return y[0] > 0 === target[row] > 0.5 ? 1 : 0;
  let best = 0;
  let wanted = 0;
  for (let k = 1; k < nOut; k++) {
    if (y[k] > y[best]) best = k;
    if (target[row + k] > target[row + wanted]) wanted = k;
  }
  return best === wanted ? 1 : 0;
}

function sum(x: Real, from: number, n: number): number {
  let total = 0;
  for (let s = from; s < from + n; s++) total += x[s];
  return total;
}
