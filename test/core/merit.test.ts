import { expect, it } from 'vitest';
import { catalogue } from '../../src/cli/catalogue.ts';
import { meritOf } from '../../src/core/merit.ts';
import { createExperiment, preset } from '../../src/index.ts';

it.each([
  ['four-six-back', 'expected cross-entropy (nats)', 'linear'],
  ['temporal-xor', 'loss per step', 'linear'],
  ['interval-matching', 'loss per step', 'linear'],
  ['pattern-generation', 'loss per step', 'log'],
  ['cue-reward', 'reward per episode', 'linear'],
])('the curve of %s shows its %s on a %s axis, which has a place for every bound', (name, label, axis) => {
  const { task, run } = createExperiment({ ...preset(name), backend: 'reference' }, catalogue);
  expect(meritOf(task, run.network.spec)).toMatchObject({ label, axis });
  expect(axis === 'log' && task.bounds.some(({ value }) => value <= 0)).toBe(false);
});
