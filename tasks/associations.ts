import { z } from 'zod';
import { once } from '../src/core/once.ts';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import { countTo, listed, magnitude } from '../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('associations'),
  steps: listed.default(50).describe('for which a pattern and its target are held'),
  patterns: countTo(100_000).default(8),
  inputs: countTo(100_000).default(10),
  outputs: countTo(10_000).default(3),
  amplitude: magnitude.default(1).describe('of inputs, which are + or -'),
  target: magnitude.default(0.6).describe('of outputs, which are + or -'),
});

/**
 * Patterns to be learned by heart: random signs at the input, held for a trial, and random signs that the outputs are to settle at.
 * Trials go through the patterns in their order.
 */
export const associations: TaskModel<z.infer<typeof params>> = {
  kind: 'associations',
  source: 'classic; as in Baldi, Pineda 1991, Neural Comput 3:526',
  params,
  derive(p, { rng }): TaskInstance {
    const { steps, patterns, inputs, outputs } = p;
    const made = once(() => {
      const signs = (label: string, n: number) => {
        const own = rng.split(label);
        return Float64Array.from({ length: patterns * n }, () => 2 * own.bernoulli(0.5) - 1);
      };
      return { x: signs('inputs', inputs), target: signs('targets', outputs) };
    });
    return {
      nIn: inputs,
      nOut: outputs,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      testIsNew: false,
      bytes: 8 * patterns * (inputs + outputs),
      bounds: [],
      inputPopulations: [{ label: 'pattern', size: inputs }],
      fill(out, _rng, start) {
        const { x, target } = made();
        const which = start % patterns;
        for (let t = 0; t < steps; t++) {
          for (let i = 0; i < inputs; i++) out.x[t * out.xStride + i] = p.amplitude * x[which * inputs + i];
          for (let k = 0; k < outputs; k++) out.target[t * outputs + k] = p.target * target[which * outputs + k];
          out.weight[t] = 1;
        }
        out.expected.set(out.target);
      },
    };
  },
};
