import { z } from 'zod';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed } from '../src/core/schema.ts';
import { probability, spikesOf } from './spikingGroups.ts';

const params = z.strictObject({
  kind: z.literal('cue-reward'),
  cues: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .refine((n) => n % 2 === 1, 'an odd number, so that one side has more')
    .default(5)
    .describe('cues of a trial'),
  cueSteps: listed.default(10).describe('length of a cue, steps'),
  gapSteps: z.number().int().min(0).max(100_000).default(5).describe('steps between cues'),
  delaySteps: z.number().int().min(0).max(100_000).default(60).describe('steps from the last cue to the decision'),
  decisionSteps: listed.default(10).describe('steps of the decision signal; the network acts in the last one'),
  cellsPerGroup: listed.default(5).describe('inputs of each group'),
  rate: probability.default(0.4).describe('spikes per step of a group that is on'),
  noise: probability.default(0.04).describe('spikes per step of the noise group, always on'),
  share: probability
    .default(0.3)
    .describe('probability of a cue on the right in half of the trials; one minus it in the others'),
});
type Params = z.infer<typeof params>;

const groups = ['left', 'right', 'decision', 'noise'] as const;

/**
 * Evidence accumulation for a reward: cues come on the left or on the right, then a delay, then a signal to decide. An action in the
 * last step says which side had more; it pays 1 if that is so, else -1.
 *
 * After Bellec et al. 2020 (Nat Commun 11:3625), the task with cues on both sides of a virtual track, shortened.
 */
export const cueReward: TaskModel<Params> = {
  kind: 'cue-reward',
  source: 'Bellec et al. 2020, Nat Commun 11:3625, shortened',
  params,
  derive(p): TaskInstance {
    const each = p.cueSteps + p.gapSteps;
    const decision = p.cues * each + p.delaySteps;
    const steps = decision + p.decisionSteps;
    return {
      nIn: groups.length * p.cellsPerGroup,
      nOut: 2,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: groups.map((label) => ({ label, size: p.cellsPerGroup })),
      environment: {
        actions: 2,
        state: 2,
        acts: (t) => t === steps - 1,
        begin(state, rng, start, split) {
          state[0] = sidesOf(rng.split(split).split(start), p).right;
          state[1] = 0;
        },
        step(state, action) {
          if (action < 0) return 0;
          state[1] = 1;
          return action === state[0] ? 1 : -1;
        },
        ended: (state) => state[1] === 1,
      },
      fill(out, rng, start, split) {
        const own = rng.split(split).split(start);
        const { sides } = sidesOf(own, p);
        const noise = own.split('spikes');
        out.weight.fill(1, 0, steps);
        out.target.fill(0, 0, 2 * steps);
        for (let t = 0; t < steps; t++) {
          const cue = Math.floor(t / each);
          const shown = cue < p.cues && t % each < p.cueSteps ? sides[cue] : -1;
          const rates = [shown === 0, shown === 1, t >= decision].map((on) => (on ? p.rate : 0));
          spikesOf(out.x, t * out.xStride, [...rates, p.noise], p.cellsPerGroup, noise);
        }
      },
    };
  },
};

/** The side of every cue, 0 left and 1 right, and the one that has more. */
function sidesOf(rng: Rng, { cues, share }: Params): { readonly sides: readonly (0 | 1)[]; readonly right: 0 | 1 } {
  const draws = rng.split('sides');
  const toRight = draws.bernoulli(0.5) === 1 ? 1 - share : share;
  const sides = Array.from({ length: cues }, () => draws.bernoulli(toRight));
  const count = sides.reduce<number>((sum, side) => sum + side, 0);
  return { sides, right: 2 * count > cues ? 1 : 0 };
}
