import { z } from 'zod';
import type { TaskInstance, TaskModel } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { count, listed } from '../../core/schema.ts';

const params = z.strictObject({
  kind: z.literal('check'),
  steps: listed.default(30).describe('of a trial'),
  inputs: count.default(4),
  outputs: count.default(3),
  target: z.enum(['real', 'one-hot']).default('real'),
  order: z.array(z.number().int().min(0)).default([]).describe('what trial n shows; n where the list ends'),
  changedFrom: z.number().int().min(0).nullable().default(null).describe('step from which on everything is another'),
});

/**
 * What parts are checked with: graded random pulses and random targets of weights 0, 1/2 and 1, the same for every stream and seed, so
 * that one stream of six trials sees what six streams see at once. Not for experiments.
 */
export const checkTask: TaskModel<z.infer<typeof params>> = {
  kind: 'check',
  source: 'of the checks',
  params,
  derive(p): TaskInstance {
    return {
      nIn: p.inputs,
      nOut: p.outputs,
      mode: { kind: 'trial', steps: p.steps },
      statesExpected: false,
      testIsNew: false,
      bounds: [],
      inputPopulations: [{ label: 'input', size: p.inputs }],
      fill(out, _rng, start) {
        const trial = createRng(11).split(p.order[start] ?? start);
        for (let t = 0; t < out.steps; t++) {
          const changed = p.changedFrom !== null && t >= p.changedFrom;
          const step = trial.split(t).split(changed ? 'changed' : 'kept');
          for (let i = 0; i < p.inputs; i++) out.x[t * out.xStride + i] = step.bernoulli(0.4) * (0.5 + step.uniform());
          const label = step.integer(p.outputs);
          for (let k = 0; k < p.outputs; k++) {
            out.target[t * p.outputs + k] = p.target === 'real' ? step.normal() : Number(k === label);
          }
          out.weight[t] = step.integer(3) / 2;
        }
      },
    };
  },
};
