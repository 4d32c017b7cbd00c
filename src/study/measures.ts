import type { Scores } from '../core/events.ts';
import { rewardName } from '../core/network.ts';

/** Measures of which more is better; of all others less is. */
const increasing: readonly string[] = ['accuracy', rewardName];

export const higherIsBetter = (measure: string): boolean => increasing.includes(measure);

/** A score by its name, of those that every run has or of a run's own; null where there is none. */
export function scoreOf({ own, ...common }: Scores, measure: string): number | null {
  const value = (common as Readonly<Record<string, unknown>>)[measure] ?? own[measure];
  return typeof value === 'number' && !Number.isNaN(value) ? value : null;
}
