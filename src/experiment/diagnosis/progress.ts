import { DivergenceError } from '../../core/errors.ts';
import type { Loss, TaskInstance } from '../../core/plugins.ts';
import { scoreOf } from '../../engine/scores.ts';
import type { Experiment } from '../experiment.ts';
import type { Samples } from './samples.ts';

/** How far a training has come. */
export interface Progress {
  /** `learns`: it is well on the way from what needs no input to the best. `falls`: not yet, and the loss still falls. */
  readonly verdict: 'learns' | 'falls' | 'does not learn' | 'not trained yet';
  /** What the scores are: of rewards more is better. */
  readonly score: 'loss' | 'reward';
  /** On fresh data: of the network as it was drawn, and now. */
  readonly start: number;
  readonly now: number;
  /** Of the best output that is always the same; null where there are no targets to make it from. */
  readonly constant: number | null;
  /** What nobody can do better than, as far as the task knows it, else 0; null for rewards. */
  readonly best: number | null;
  /** (constant - now) / (constant - best); of rewards (now - start) / max(|now|, |start|). */
  readonly gain: number;
}

/** Gain from which on a network has learned: a frozen one with a readout that learns stays below. */
export const learnedGain = 0.15;
/** Evaluations on data of their own. */
const draws = 4;

/** @param history scores of the training so far, in order; the loss or the reward of its trials */
export function progressOf(
  experiment: Experiment,
  fresh: Experiment,
  samples: Samples,
  history: readonly number[],
): Progress {
  const [before, after] = [fresh, experiment].map((one) => evaluated(one));
  const score = experiment.run.network.spec.rewarded ? 'reward' : 'loss';
  const [start, now] = [mean(before), mean(after)];
  const constant = score === 'reward' ? null : constantLoss(experiment, samples);
  const best = score === 'reward' ? null : (idealOf(experiment.task) ?? 0);
  const gain = gainOf({ score, start, now, constant, best });
  const done = experiment.run.clock.updates > 0;
  const apart = score === 'loss' || now - start > 3 * Math.hypot(errorOf(before), errorOf(after));
  const verdict = !done
    ? 'not trained yet'
    : gain >= learnedGain && apart
      ? 'learns'
      : isFalling(history, score)
        ? 'falls'
        : 'does not learn';
  return { verdict, score, start, now, constant, best, gain };
}

/** The loss that nobody can do better than; null: the task does not know it. */
export function idealOf({ bounds }: TaskInstance): number | null {
  return bounds.find(({ ideal }) => ideal)?.value ?? null;
}

function gainOf({ score, start, now, constant, best }: Omit<Progress, 'verdict' | 'gain'>): number {
  if (score === 'reward') return (now - start) / Math.max(Math.abs(now), Math.abs(start), 1e-12);
  const from = constant ?? start;
  const room = from - (best ?? 0);
  return room > 0 ? (from - now) / room : 0;
}

function evaluated(experiment: Experiment): number[] {
  const { total } = experiment.config.evaluation;
  const each = Math.max(1, Math.ceil((total ?? draws) / draws));
  const count = experiment.task.testIsNew ? draws : 1;
  try {
    return Array.from({ length: count }, (_, n) =>
      scoreOf(experiment.evaluate({ total: each, label: `diagnosis ${n}` })),
    );
  } catch (error) {
    // Weights that make numbers without end: worse than anything.
    if (!(error instanceof DivergenceError)) throw error;
    return [experiment.run.network.spec.rewarded ? -Number.MAX_VALUE : Number.MAX_VALUE];
  }
}

/** Loss per scored step of the best outputs that are always the same; null where a readout has no target. */
export function constantLoss({ run, task }: Experiment, samples: Samples): number | null {
  const { readouts } = run.network.spec;
  if (task.environment || readouts.some(({ loss }) => loss.targetless || loss.acts)) return null;
  const rows = rowsOf(samples);
  if (rows.length === 0) return null;
  return readouts.reduce((sum, { loss, column, size, weight }) => {
    const own = rows.map((row) => row.subarray(column, column + size));
    return sum + weight * bestConstant(loss, own, size);
  }, 0);
}

/** Expected targets of scored steps. */
function rowsOf({ sequences, nOut }: Samples): Float64Array[] {
  const most = 2000;
  const all = sequences.flatMap(({ scored, expected }) =>
    scored.map((t) => expected.subarray(t * nOut, (t + 1) * nOut)),
  );
  const stride = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, n) => all[Math.floor(n * stride)]);
}

/** min over y of the mean of loss(y, target), by steps along its own gradient, shorter where one was too long. */
function bestConstant(loss: Loss, targets: readonly Float64Array[], size: number): number {
  const at = (y: Float64Array) =>
    targets.reduce((sum, target) => sum + loss.value(y, target, 0, size), 0) / targets.length;
  let y = new Float64Array(size);
  let value = at(y);
  let rate = 1;
  const error = new Float64Array(size);
  for (let n = 0; n < 200 && rate > 1e-6; n++) {
    const slope = new Float64Array(size);
    for (const target of targets) {
      loss.error(error, y, target, 0, size);
      for (let k = 0; k < size; k++) slope[k] += error[k] / targets.length;
    }
    const next = y.map((own, k) => own - rate * slope[k]);
    const then = at(next);
    if (then <= value) {
      if (value - then < 1e-7 * Math.abs(value)) return then;
      [y, value] = [next, then];
      rate *= 1.5;
    } else rate /= 2;
  }
  return value;
}

/** Whether the last third of a history is better than the third before it, by more than its scatter. */
function isFalling(history: readonly number[], score: Progress['score']): boolean {
  const values = history.filter(Number.isFinite);
  const third = Math.floor(values.length / 3);
  if (third < 4) return false;
  const [middle, last] = [values.slice(third, 2 * third), values.slice(-third)];
  const better = (mean(middle) - mean(last)) * (score === 'loss' ? 1 : -1);
  return better > 3 * Math.hypot(errorOf(middle), errorOf(last));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard error of the mean. */
function errorOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / values.length);
}
