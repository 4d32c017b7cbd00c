import { z } from 'zod';
import { once } from '../src/core/once.ts';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import { listed, positive, signed } from '../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('periodic-output'),
  steps: listed.default(100).describe('length of a trial, steps'),
  period: positive.default(100).describe('T, steps'),
  amplitudes: z
    .array(signed)
    .min(1)
    .max(64)
    .default([1, 0.5, 0.25])
    .describe('of the frequencies 1, 2, 4, 8, ... per period'),
  cue: signed.default(1).describe('input at step 0, which sets the state; 0 from then on'),
});
type Params = z.infer<typeof params>;

/**
 * Periodic output without input: the readout has to follow a sum of sines by the network's own dynamics.
 *
 *     y*(t) = sum_c A_c sin(2 pi 2^c t / T),      A = 1, 1/2, 1/4
 *
 * Every trial is the same. A network without input that starts at 0 stays there, so one input gives the initial state:
 * `cue` at step 0, which is not scored. With a leak of 0.9 and input weights of 3 it is r(0) = 0.0995; the paper's code
 * starts at 0.1. Murray 2019 (eLife 8:e43299), figure 2.
 */
export const periodicOutput: TaskModel<Params> = {
  kind: 'periodic-output',
  source: 'Murray 2019, eLife 8:e43299',
  params,
  derive(p): TaskInstance {
    const made = once(() => sumOfSines(p));
    return {
      nIn: 1,
      nOut: 1,
      mode: { kind: 'trial', steps: p.steps },
      statesExpected: false,
      testIsNew: false,
      bytes: 8 * p.steps,
      bounds: [],
      inputPopulations: [{ label: 'cue', size: 1 }],
      fill(out) {
        const pattern = made();
        for (let t = 0; t < p.steps; t++) {
          out.x[t * out.xStride] = t === 0 ? p.cue : 0;
          out.target[t] = pattern[t];
          out.weight[t] = t === 0 ? 0 : 1;
        }
        out.expected.set(out.target);
      },
    };
  },
};

function sumOfSines({ steps, period, amplitudes }: Params): Float64Array {
  return Float64Array.from({ length: steps }, (_, t) =>
    amplitudes.reduce((sum, amplitude, c) => sum + amplitude * Math.sin((2 * Math.PI * 2 ** c * t) / period), 0),
  );
}
