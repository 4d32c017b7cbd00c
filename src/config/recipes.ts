import type { PresetName } from './presets.ts';

/** What a recipe is judged by, on fresh data with learning off. Of an accuracy and a reward more is better, of the others less. */
export type RecipeScore = 'accuracy' | 'reward' | 'expected loss' | 'loss per step' | 'nMSE';

/** What a preset reaches with its own rule, as `npm run recipes` measures it. */
export interface Recipe {
  readonly score: RecipeScore;
  /** Mean over the seeds of `docs/results/recipes.jsonl`. */
  readonly mean: number;
  /** What every seed keeps to. */
  readonly limit: number;
  /** Of one training and its test, on one core. */
  readonly seconds: number;
}

/** The side of the limit on which a score is kept. */
export const bound = (score: RecipeScore): 'at least' | 'at most' =>
  score === 'accuracy' || score === 'reward' ? 'at least' : 'at most';

/** Whether a run of a preset is as good as its recipe says. NaN is not. */
export function keeps({ score, limit }: Recipe, value: number): boolean {
  return bound(score) === 'at least' ? value >= limit : value <= limit;
}

const recipe =
  (score: RecipeScore) =>
  (mean: number, limit: number, seconds: number): Recipe => ({ score, mean, limit, seconds });
const accuracy = recipe('accuracy');
const reward = recipe('reward');
const expectedLoss = recipe('expected loss');
const lossPerStep = recipe('loss per step');
const nmse = recipe('nMSE');

/** Of every preset. */
export const recipes: Readonly<Record<PresetName, Recipe>> = {
  'four-six-back': expectedLoss(0.5705, 0.585, 5),
  'four-six-back-8bit': expectedLoss(0.4778, 0.49, 14),
  'four-six-back-1ms': expectedLoss(0.4922, 0.505, 100),
  'four-six-back-poisson': expectedLoss(0.467, 0.475, 9),
  'four-six-back-poisson-1ms': expectedLoss(0.5101, 0.519, 300),
  'ten-fifteen-back': expectedLoss(0.49, 0.519, 600),
  'four-six-back-rates': expectedLoss(0.4886, 0.5, 2),
  'pattern-generation': lossPerStep(0.00992, 0.018, 3),
  'periodic-output': lossPerStep(0.000553, 0.0015, 4),
  'cued-segments': lossPerStep(0.0535, 0.1, 17),
  'cue-reward': reward(0.655, 0.5, 29),
  'delayed-choice': reward(0.948, 0.8, 12),
  'memory-saccade': reward(1.366, 1.25, 24),
  'store-recall': accuracy(0.982, 0.96, 7),
  'temporal-xor': accuracy(0.925, 0.8, 32),
  'match-to-sample': accuracy(0.993, 0.95, 20),
  'interval-matching': lossPerStep(0.0138, 0.0188, 33),
  'copy-repeat': accuracy(0.902, 0.86, 31),
  digits: accuracy(0.933, 0.92, 40),
  evidence: accuracy(0.968, 0.93, 90),
  contrastive: lossPerStep(0.0398, 0.06, 3),
  subtasks: lossPerStep(0.00215, 0.004, 2),
  'cart-pole': reward(200, 195, 39),
  'one-shot-patterns': nmse(0.284, 0.4, 8),
};
