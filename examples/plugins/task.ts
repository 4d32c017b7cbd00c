import { countTo, type TaskInstance, type TaskModel } from 'spiketrace';
import { z } from 'zod';

/** What an experiment may set: every number has a range, a default and a line on what it is. */
const params = z.strictObject({
  kind: z.literal('delayed-copy'),
  delaySteps: countTo(1000).default(3).describe('steps from a bit to its copy'),
});

/**
 * Says again, `delaySteps` later, which of two inputs was on. An endless stream: step n of it follows from the generator and n
 * alone, so that it can be cut anywhere.
 *
 *     x(n) = [bit, 1 - bit],      target(n) = [bit(n - delay), 1 - bit(n - delay)]
 */
const delayedCopy: TaskModel<z.infer<typeof params>> = {
  kind: 'delayed-copy',
  source: 'own',
  params,
  derive: ({ delaySteps }): TaskInstance => ({
    nIn: 2,
    nOut: 2,
    mode: { kind: 'stream', stepsPerSymbol: 1 },
    statesExpected: false,
    testIsNew: true,
    bounds: [{ label: 'no memory', value: Math.log(2) }],
    inputPopulations: [
      { label: 'bit = 1', size: 1 },
      { label: 'bit = 0', size: 1 },
    ],
    fill(out, rng, start) {
      const bit = (n: number) => (n < 0 ? 0 : rng.split(n).bernoulli(0.5));
      for (let t = 0; t < out.steps; t++) {
        const n = start + t;
        out.x[t * out.xStride] = bit(n);
        out.x[t * out.xStride + 1] = 1 - bit(n);
        out.target[2 * t] = bit(n - delaySteps);
        out.target[2 * t + 1] = 1 - bit(n - delaySteps);
        // The first copies have nothing to copy: they are not scored.
        out.weight[t] = n >= delaySteps ? 1 : 0;
      }
    },
  }),
};

/** What `--plugin` adds to the lists. */
export default { tasks: [delayedCopy] };
