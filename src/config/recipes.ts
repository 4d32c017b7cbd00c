import type { PresetName } from './presets.ts';

/** What a preset reaches with its own rule, as `npm run recipes` measures it. */
export interface Recipe {
  /** `accuracy`, or the score that tables quote of the task: a loss, an error, a reward. */
  readonly score: 'accuracy' | 'merit';
  /** More is better. */
  readonly higher: boolean;
  /** Mean over the seeds of `docs/results/recipes.md`. */
  readonly mean: number;
  /** What every seed keeps to. */
  readonly limit: number;
  /** Of one training and its test, on one core. */
  readonly seconds: number;
}

/** Whether a run of a preset is as good as its recipe says. */
export function keeps({ higher, limit }: Recipe, score: number): boolean {
  return higher ? score >= limit : score <= limit;
}

const accuracy = (mean: number, limit: number, seconds: number): Recipe => ({
  score: 'accuracy',
  higher: true,
  mean,
  limit,
  seconds,
});
const reward = (mean: number, limit: number, seconds: number): Recipe => ({
  score: 'merit',
  higher: true,
  mean,
  limit,
  seconds,
});
const loss = (mean: number, limit: number, seconds: number): Recipe => ({
  score: 'merit',
  higher: false,
  mean,
  limit,
  seconds,
});

/** Of every preset. */
export const recipes: Readonly<Record<PresetName, Recipe>> = {
  'four-six-back': loss(0, 0, 0),
};
