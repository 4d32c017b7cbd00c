import { z } from 'zod';
import type { TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed, magnitude, positive } from '../src/core/schema.ts';
import { oneShot, oneShotParams } from './oneShot.ts';

const params = z.strictObject({
  kind: z.literal('one-shot-arm'),
  steps: listed.min(2).default(500).describe('length of a trial, steps'),
  everySteps: listed.default(10).describe('steps from one clock spike of the active group to the next'),
  sines: listed.default(5).describe('sines in the velocity of a joint'),
  shoulder: magnitude.default(30).describe('largest amplitude of a sine of the first joint, rad/s'),
  elbow: magnitude
    .default(1.5)
    .describe('largest amplitude of a sine of the second joint, in units of 20 rad/s of its range'),
  segment: positive.default(0.5).describe('length of both segments; the reach is twice that'),
  ...oneShotParams,
  codeRange: oneShotParams.codeRange.default(1.4),
  codeWidth: oneShotParams.codeWidth.default(0.2),
  codeCells: oneShotParams.codeCells.default(100),
  codeRate: oneShotParams.codeRate.default(0.2),
});
type Params = z.infer<typeof params>;

/**
 * A movement of an arm with two joints that has to be learned from one trial. Outputs are the velocities of the joints, rad/s:
 *
 *     w_0(t) = sum_n a_n sin(x(t) / f_n + c_n),                  a ~ U(0, shoulder)            x: 0 to 2 pi over the trial
 *     w_1(t) = sum_n 20 a_n sin(x(t) / f_n + c_n) / range,       a ~ U(0, elbow)               f ~ U(0.3, 1), c ~ U(0, 2 pi)
 *
 * The angles are their sums, from 0 and pi/2; a joint that would leave its start by more than pi/2 moves more slowly, all of the time. The
 * input group `code` shows where the tip is, x and y; the group `clock` is the same in all trials.
 *
 * Bellec, Scherr et al. 2019 (arXiv 1901.09049); constants of the authors' code. Its loss is mostly that of the tip's place, for which the
 * outputs would have to be summed up; here it is that of the velocities.
 */
export const oneShotArm: TaskModel<Params> = {
  kind: 'one-shot-arm',
  source: 'Bellec, Scherr et al. 2019, arXiv 1901.09049',
  params,
  derive(p, { dtMs }) {
    return oneShot(p, 2, 2, (target, code, rng) => {
      const seconds = dtMs / 1000;
      const joints = [p.shoulder, p.elbow].map((amplitude, joint) =>
        velocities(p, amplitude, joint === 1, seconds, rng),
      );
      const angle = [0, Math.PI / 2];
      for (let t = 0; t < p.steps; t++) {
        joints.forEach((velocity, joint) => {
          target[2 * t + joint] = velocity[t];
          angle[joint] += velocity[t] * seconds;
        });
        tip(code, 2 * t, angle[0], angle[1], p.segment);
      }
    });
  },
};

/** Velocity of a joint, rad/s, such that its angle stays within pi/2 of its start. */
function velocities(p: Params, amplitude: number, relative: boolean, seconds: number, rng: Rng): Float64Array {
  const sum = new Float64Array(p.steps);
  const one = new Float64Array(p.steps);
  for (let n = 0; n < p.sines; n++) {
    const [a, f, c] = [amplitude * rng.uniform(), 0.3 + 0.7 * rng.uniform(), 2 * Math.PI * rng.uniform()];
    for (let t = 0; t < p.steps; t++) one[t] = Math.sin((2 * Math.PI * t) / (p.steps - 1) / f + c);
    const factor = relative ? (20 * a) / (Math.max(...one) - Math.min(...one)) : a;
    for (let t = 0; t < p.steps; t++) sum[t] += factor * one[t];
  }
  let angle = 0;
  let farthest = 0;
  for (const velocity of sum) {
    angle += velocity * seconds;
    farthest = Math.max(farthest, Math.abs(angle));
  }
  return farthest > Math.PI / 2 ? sum.map((velocity) => (velocity * Math.PI) / 2 / farthest) : sum;
}

/** x and y of the tip. The second angle counts from the first segment. */
export function tip(out: Float64Array, at: number, shoulder: number, elbow: number, segment: number): void {
  out[at] = segment * (Math.cos(shoulder) + Math.cos(shoulder + elbow));
  out[at + 1] = segment * (Math.sin(shoulder) + Math.sin(shoulder + elbow));
}
