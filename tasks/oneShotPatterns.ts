import { z } from 'zod';
import type { TaskModel } from '../src/core/plugins.ts';
import { listed } from '../src/core/schema.ts';
import { oneShot, oneShotParams } from './oneShot.ts';

const params = z.strictObject({
  kind: z.literal('one-shot-patterns'),
  steps: listed.default(80).describe('length of a trial, steps'),
  everySteps: listed.default(4).describe('steps from one clock spike of the active group to the next'),
  harmonics: listed.default(2).describe('frequencies of the target: 1 to so many periods a trial'),
  ...oneShotParams,
  codeRange: oneShotParams.codeRange.default(1.8),
  codeWidth: oneShotParams.codeWidth.default(0.35),
  codeCells: oneShotParams.codeCells.default(16),
  codeRate: oneShotParams.codeRate.default(0.4),
});

/**
 * A pattern that has to be learned from one trial: every trial has another one,
 *
 *     y*(t) = 1/2 sum_h (a_h sin 2 pi h t / T + b_h cos 2 pi h t / T),      a, b ~ N(0, 1),
 *
 * which the input group `code` shows as spikes, for who is to make learning signals of it. The group `clock` is the same in all trials.
 *
 * A small relative of the arm of Bellec, Scherr et al. 2019 (arXiv 1901.09049), see `one-shot-arm`.
 */
export const oneShotPatterns: TaskModel<z.infer<typeof params>> = {
  kind: 'one-shot-patterns',
  source: 'after Bellec, Scherr et al. 2019, arXiv 1901.09049, made small',
  params,
  derive(p) {
    return oneShot(p, 1, 1, (target, code, rng) => {
      const amplitudes = Array.from({ length: 2 * p.harmonics }, () => rng.normal());
      for (let t = 0; t < p.steps; t++) {
        let sum = 0;
        for (let h = 0; h < p.harmonics; h++) {
          const phase = (2 * Math.PI * (h + 1) * t) / p.steps;
          sum += amplitudes[2 * h] * Math.sin(phase) + amplitudes[2 * h + 1] * Math.cos(phase);
        }
        target[t] = sum / 2;
      }
      code.set(target);
    });
  },
};
