import { z } from 'zod';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import { listed } from '../src/core/schema.ts';
import { oddCues, probability, sidesOf, spikesOf, stepsOrNone } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('cue-reward'),
  cues: oddCues.default(5).describe('cues of a trial'),
  cueSteps: listed.default(10).describe('length of a cue, steps'),
  gapSteps: stepsOrNone.default(5).describe('steps between cues'),
  delaySteps: stepsOrNone.default(60).describe('steps from the last cue to the decision'),
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
