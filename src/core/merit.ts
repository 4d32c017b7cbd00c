import type { Scores } from './events.ts';
import { type NetworkSpec, ownScores, rewardName } from './network.ts';
import type { TaskInstance } from './plugins.ts';

/** The one score that tables quote and curves show. */
export interface Merit {
  /** The score by its name. */
  readonly measure: string;
  /** For the axis of a curve, with its unit. */
  readonly label: string;
  /** For the head of a column. */
  readonly short: string;
  readonly axis: 'linear' | 'log';
  readonly higherIsBetter: boolean;
  /** Points of a curve at most: means of as many trials each, where single ones are mostly chance; null: every trial. */
  readonly points: number | null;
  /** NaN where there is none. */
  of(scores: Scores): number;
}

const reward: Merit = {
  measure: rewardName,
  label: 'reward per episode',
  short: 'test reward',
  axis: 'linear',
  higherIsBetter: true,
  points: 150,
  of: ({ own }) => own[rewardName] ?? Number.NaN,
};
const nmse: Merit = {
  measure: 'nmse',
  label: 'normalised squared error after one update',
  short: 'test nMSE',
  axis: 'linear',
  higherIsBetter: false,
  points: 150,
  of: ({ own }) => own.nmse ?? Number.NaN,
};
const expectedLoss: Merit = {
  measure: 'expectedLoss',
  label: 'expected cross-entropy (nats)',
  short: 'test loss',
  axis: 'linear',
  higherIsBetter: false,
  points: null,
  of: (scores) => scores.expectedLoss ?? Number.NaN,
};
const lossPerStep: Merit = {
  measure: 'lossPerStep',
  label: 'loss per step',
  short: 'test loss',
  axis: 'log',
  higherIsBetter: false,
  points: null,
  of: (scores) => scores.lossPerStep,
};
/** On an axis that has a place for what an ideal predictor reaches: 0, or next to it. */
const boundedLoss: Merit = { ...lossPerStep, axis: 'linear' };

/** Rewards where there are any, the error of the second of two passes, else the loss against the expected target where the task states one. */
export function meritOf(
  task: TaskInstance,
  spec: Pick<NetworkSpec, 'populations' | 'rewarded' | 'direct' | 'readouts'>,
): Merit {
  if (spec.rewarded) return reward;
  if (ownScores(spec).includes('nmse')) return nmse;
  if (task.statesExpected) return expectedLoss;
  return task.bounds.length > 0 ? boundedLoss : lossPerStep;
}

/** The same of scores that stand alone. */
export function meritIn({ own, expectedLoss: expected }: Scores): Merit {
  if (own[rewardName] !== undefined) return reward;
  if (own.nmse !== undefined) return nmse;
  return expected === null ? lossPerStep : expectedLoss;
}
