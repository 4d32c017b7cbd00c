import { expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { createExperiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

/** Expected cross-entropy on fresh data after 160,000 symbols, learning off; its standard error is about 0.001. */
function score(rule: object, seed: number): number {
  const config = preset('four-six-back') as Record<string, object>;
  const training = { ...config.training, total: 160_000 };
  const experiment = createExperiment({ ...config, seed, rule, training }, { ...models, tasks });
  experiment.train();
  return experiment.evaluate().expectedLoss ?? Number.NaN;
}

it('SG-r/D passes the lag-4 bound on (4,6)-back with random feedback, and without J it does not', () => {
  const bound = 0.5191666997;
  const rule = { name: 'sg-r-d', delays: 4 };
  const scores = [1, 2, 3].map((seed) => score(rule, seed));
  expect(scores.reduce((sum, value) => sum + value, 0) / 3).toBeLessThan(bound);
  expect(Math.min(...scores)).toBeGreaterThan(0.4544);
  expect(score({ ...rule, rateJ: 0 }, 1)).toBeGreaterThan(0.56);
});
