import type { TrialEvent } from '../core/events.ts';
import { higherIsBetter, scoreOf } from './measures.ts';

/** When a run is looked at once, and what it must not be worse than. */
export interface Patience {
  /** Share of the training after which it is looked at. */
  readonly after: number;
  /** Share of the training before, whose mean counts. */
  readonly over: number;
  /** Name of a score. */
  readonly measure: string;
  /** In the unit of the measure. */
  readonly limit: number;
}

/** Why a run ended before its training. */
export interface Hopeless {
  readonly measure: string;
  /** Symbols or trials done. */
  readonly amount: number;
  readonly value: number;
  readonly limit: number;
}

/**
 * The number that a run is judged by: the mean of a measure over trials in (at - over total, at], where `at` is the first trial border at or
 * after `after total`. A function of the metrics alone, so the same for a run that was resumed.
 * @param rows of trials, in order @param total of the training, symbols or trials @returns null before that border, or where nothing was measured
 */
export function judged(
  rows: readonly TrialEvent[],
  total: number,
  { after, over, measure }: Omit<Patience, 'limit'>,
): { readonly amount: number; readonly value: number } | null {
  const border = rows.find(({ amount }) => amount >= after * total);
  if (!border) return null;
  const within = rows.filter(({ amount }) => amount > border.amount - over * total && amount <= border.amount);
  const values = [...within.filter((row) => row !== border), border].flatMap((row) => scoreOf(row, measure) ?? []);
  if (values.length === 0) return null;
  return { amount: border.amount, value: values.reduce((sum, value) => sum + value, 0) / values.length };
}

/** The first rule by which a run has no hope; null where there is none so far. */
export function hopelessBy(rows: readonly TrialEvent[], total: number, rules: readonly Patience[]): Hopeless | null {
  for (const rule of rules) {
    const seen = judged(rows, total, rule);
    if (!seen) continue;
    const worse = higherIsBetter(rule.measure) ? seen.value < rule.limit : seen.value > rule.limit;
    if (worse) return { measure: rule.measure, limit: rule.limit, ...seen };
  }
  return null;
}
