import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { bound, keeps, recipes } from '../../src/config/recipes.ts';
import { createExperiment, preset, presetNames } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

describe('recipes', () => {
  it('promise something of every preset, on the right side of its mean', () => {
    expect(Object.keys(recipes).sort()).toEqual([...presetNames].sort());
    for (const [name, { score, mean, limit, seconds }] of Object.entries(recipes)) {
      const sign = bound(score) === 'at least' ? 1 : -1;
      expect(sign * (mean - limit), name).toBeGreaterThan(0);
      expect(seconds, name).toBeGreaterThan(0);
    }
  });

  it('are kept on their side of the limit only', () => {
    const recipe = { mean: 0.9, limit: 0.8, seconds: 1 };
    expect([0.81, 0.8, 0.79, Number.NaN].map((value) => keeps({ score: 'accuracy', ...recipe }, value))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([0.81, 0.8, 0.79, Number.NaN].map((value) => keeps({ score: 'nMSE', ...recipe }, value))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each(['pattern-generation', 'store-recall'] as const)('are kept by %s, another seed', (name) => {
    const experiment = createExperiment({ ...preset(name), seed: 11 }, { ...models, tasks });
    experiment.train();
    const { accuracy, lossPerStep } = experiment.evaluate();
    experiment.close();
    const { score } = recipes[name];
    expect(keeps(recipes[name], score === 'accuracy' ? (accuracy ?? Number.NaN) : lossPerStep)).toBe(true);
  });
});
