import { ConfigError } from '../core/errors.ts';
import type { Scores } from '../core/events.ts';
import { rewardName } from '../core/network.ts';
import type { Study } from './schema.ts';

/** Measures of which more is better; of all others less is. */
const increasing: readonly string[] = ['accuracy', rewardName];

/** Scores that every run has; some of them null for some tasks. */
const common = {
  loss: 0,
  lossPerStep: 0,
  expectedLoss: 0,
  accuracy: 0,
  rateHz: 0,
  activity: 0,
} satisfies Record<Exclude<keyof Scores, 'own'>, 0>;

/** What the task is scored by, whatever that is. */
export const meritName = 'merit';

/**
 * Names that a study may ask for. @param own scores of the run's own, by name
 * @throws ConfigError for another one
 */
export function assertMeasures(
  { measures = [], stop }: Pick<Study, 'measures' | 'stop'>,
  own: readonly string[],
): void {
  const known = [meritName, ...Object.keys(common), ...own];
  const check = (name: string, path: string) => {
    if (!known.includes(name)) throw new ConfigError(path, name, `one of ${known.join(', ')}`);
  };
  measures.forEach((name, n) => {
    check(name, `study.measures.${n}`);
  });
  stop.forEach(({ measure }, n) => {
    check(measure, `study.stop.${n}.measure`);
  });
}

export const higherIsBetter = (measure: string): boolean => increasing.includes(measure);

/** A score by its name, of those that every run has or of a run's own; null where there is none. */
export function scoreOf({ own, ...rest }: Scores, measure: string): number | null {
  const value = (rest as Readonly<Record<string, unknown>>)[measure] ?? own[measure];
  return typeof value === 'number' && !Number.isNaN(value) ? value : null;
}
