import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import { once } from '../src/core/once.ts';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { countTo, listed, magnitude, positive, signed } from '../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('subtasks'),
  steps: listed.default(100).describe('length of a trial, steps'),
  inputs: countTo(100_000).default(50).describe('inputs that a target depends on'),
  active: countTo(100_000).default(10).describe('of these the ones that a trial has, drawn anew each time'),
  outputs: countTo(10_000).default(10),
  power: positive.default(10).describe('mean square of an active input over the trial'),
  weight: signed.default(0.1).describe('of every input in every target'),
  outOfReach: magnitude
    .default(0)
    .describe('loss, half the mean square error of a step, of a part of the target that no input holds'),
});
type Params = z.infer<typeof params>;

/**
 * A linear map that is seen in parts: every trial has a few of the inputs, each a sine of its own over the trial, and each
 * output is to be a weighted sum of them.
 *
 *     x_i(t) = sqrt(T power) c_i(t),      y*_k(t) = sum_i weight x_i(t) + sqrt(2 T outOfReach / outputs) c_(inputs + k)(t)
 *
 * c: orthonormal cosines over the trial's T steps, so that inputs do not help each other. With few of many at a time, noise on weights that no
 * input of the trial uses is lost, while noise on outputs is not; a part of the target out of reach is noise to both.
 *
 * Zuege, Klos, Memmesheimer 2023 (Phys Rev X 13:021006), with equal target weights.
 */
export const subtasks: TaskModel<Params> = {
  kind: 'subtasks',
  source: 'Zuege, Klos, Memmesheimer 2023, Phys Rev X 13:021006',
  params,
  derive(p): TaskInstance {
    const { steps, inputs, active, outputs, outOfReach } = p;
    if (active > inputs) throw new ConfigError('task.active', active, `at most the ${inputs} inputs`);
    const functions = inputs + (outOfReach > 0 ? outputs : 0);
    if (functions > steps) {
      throw new ConfigError(
        'task.steps',
        steps,
        `at least ${functions}: there are no more orthogonal functions than steps`,
      );
    }
    const made = once(() => cosines(functions, steps));
    return {
      nIn: inputs,
      nOut: outputs,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      // With all inputs every trial is the same.
      testIsNew: active < inputs,
      bytes: 8 * functions * steps,
      bounds: [],
      inputPopulations: [{ label: 'sines', size: inputs }],
      fill(out, rng) {
        const c = made();
        const chosen = choose(rng, inputs, active);
        const scale = Math.sqrt(steps * p.power);
        const beyond = Math.sqrt((2 * steps * outOfReach) / outputs);
        for (let t = 0; t < steps; t++) {
          let sum = 0;
          for (let i = 0; i < inputs; i++) out.x[t * out.xStride + i] = 0;
          for (const i of chosen) {
            const x = scale * c[i * steps + t];
            out.x[t * out.xStride + i] = x;
            sum += p.weight * x;
          }
          for (let k = 0; k < outputs; k++) {
            const rest = outOfReach > 0 ? beyond * c[(inputs + k) * steps + t] : 0;
            out.target[t * outputs + k] = sum + rest;
          }
          out.weight[t] = 1;
        }
        out.expected.set(out.target);
      },
    };
  },
};

/** The first functions of the discrete cosine transform, each of norm 1. [function][step] */
function cosines(functions: number, steps: number): Float64Array {
  return Float64Array.from({ length: functions * steps }, (_, s) => {
    const [k, t] = [Math.floor(s / steps), s % steps];
    return Math.sqrt((k === 0 ? 1 : 2) / steps) * Math.cos((Math.PI * k * (t + 0.5)) / steps);
  });
}

/** So many of n, each set with the same chance. */
function choose(rng: Rng, n: number, count: number): number[] {
  const places = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const other = i + rng.integer(n - i);
    [places[i], places[other]] = [places[other], places[i]];
  }
  return places.slice(0, count);
}
