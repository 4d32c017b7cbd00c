import { z } from 'zod';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed, magnitude } from '../src/core/schema.ts';
import { probability, spikesOf, stepsOrNone } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('delayed-choice'),
  choices: z.number().int().min(2).max(1000).default(2).describe('options, each with a cue and an action of its own'),
  cellsPerGroup: listed.default(5).describe('inputs of each group'),
  cueSteps: listed.default(20).describe('length of the cue, steps'),
  delaySteps: stepsOrNone.default(100).describe('steps from the cue to the go signal'),
  goSteps: listed.default(10).describe('length of the go signal, steps; the network acts in the last one'),
  rate: probability.default(0.4).describe('spikes per step of a group that is on'),
  noise: probability.default(0.04).describe('spikes per step of the noise group, always on'),
  reward: magnitude.default(1).describe('what the option of the cue pays'),
  penalty: magnitude.default(1).describe('what any other one costs'),
});
type Params = z.infer<typeof params>;

/**
 * A choice from memory: a cue names one of n options, then nothing but noise, then a signal to go. The action in its last step pays
 * `reward` if it is that of the cue, else -`penalty`. A policy that has forgotten the cue gets (reward - (n - 1) penalty) / n.
 *
 *     cue | delay | go          inputs [cue of option 0, .., n-1, go, noise][cells]
 *
 * The delayed response of working memory, after Goldman-Rakic 1995 (Neuron 14:477), recalled; the timing and all constants are ours.
 */
export const delayedChoice: TaskModel<Params> = {
  kind: 'delayed-choice',
  source: 'delayed response, Goldman-Rakic 1995, Neuron 14:477; constants are ours',
  params,
  derive(p): TaskInstance {
    const go = p.cueSteps + p.delaySteps;
    const steps = go + p.goSteps;
    return {
      nIn: (p.choices + 2) * p.cellsPerGroup,
      nOut: p.choices,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: [
        { label: 'cues', size: p.choices * p.cellsPerGroup },
        { label: 'go', size: p.cellsPerGroup },
        { label: 'noise', size: p.cellsPerGroup },
      ],
      environment: {
        actions: p.choices,
        state: 2,
        acts: (t) => t === steps - 1,
        begin(state, rng, start, split) {
          state[0] = optionOf(rng.split(split).split(start), p);
          state[1] = 0;
        },
        step(state, action) {
          if (action < 0) return 0;
          state[1] = 1;
          return action === state[0] ? p.reward : -p.penalty;
        },
        ended: (state) => state[1] === 1,
      },
      fill(out, rng, start, split) {
        const own = rng.split(split).split(start);
        const option = optionOf(own, p);
        const spikes = own.split('spikes');
        const rates = new Array<number>(p.choices + 2).fill(0);
        rates[p.choices + 1] = p.noise;
        out.weight.fill(1, 0, steps);
        out.target.fill(0, 0, p.choices * steps);
        for (let t = 0; t < steps; t++) {
          rates[option] = t < p.cueSteps ? p.rate : 0;
          rates[p.choices] = t >= go ? p.rate : 0;
          spikesOf(out.x, t * out.xStride, rates, p.cellsPerGroup, spikes);
        }
      },
    };
  },
};

/** The option that the cue of an episode names. */
function optionOf(rng: Rng, { choices }: Params): number {
  return rng.split('option').integer(choices);
}
