import { z } from 'zod';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed } from '../src/core/schema.ts';
import { oddCues, probability, sidesOf, spikesOf, stepsOrNone } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('evidence'),
  cues: oddCues.default(7).describe('cues of a trial'),
  gapSteps: stepsOrNone.default(50).describe('silence before each cue, steps'),
  cueSteps: listed.default(100).describe('length of a cue, steps'),
  delaySteps: stepsOrNone.default(1050).describe('steps from the last cue to the decision'),
  decisionSteps: listed.default(150).describe('steps of the decision signal, which alone are scored'),
  cellsPerGroup: listed.default(10).describe('inputs of each group'),
  rate: probability.default(0.04).describe('spikes per step of a group that is on'),
  noise: probability.default(0.01).describe('spikes per step of the noise group, always on'),
  share: probability
    .default(0.3)
    .describe('probability of a cue on the right in half of the trials; one minus it in the others'),
});
type Params = z.infer<typeof params>;

const groups = ['left', 'right', 'decision', 'noise'] as const;

/**
 * Evidence accumulation: cues come on the left or on the right, then a delay, then a signal to decide. The target, while the signal lasts,
 * is the side that had more.
 *
 *     steps = cues (gap + cue) + delay + decision;      group of a cue's side on for its steps, the decision's at the end, noise always
 *
 * A trial is one decision, by the outputs summed over its scored steps. `cue-reward` is the same question with an action and a reward.
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), figure 3, with the constants of the authors' code at 1 ms a step.
 */
export const evidence: TaskModel<Params> = {
  kind: 'evidence',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  params,
  derive(p): TaskInstance {
    const steps = p.cues * (p.gapSteps + p.cueSteps) + p.delaySteps + p.decisionSteps;
    return {
      nIn: groups.length * p.cellsPerGroup,
      nOut: 2,
      mode: { kind: 'trial', steps, decisionSteps: steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: groups.map((label) => ({ label, size: p.cellsPerGroup })),
      fill: (out, rng, start, split) => write(out, p, steps, rng.split(split).split(start)),
    };
  },
};

function write(out: TrialTarget, p: Params, steps: number, rng: Rng): void {
  const { sides, right } = sidesOf(rng, p);
  const noise = rng.split('spikes');
  const each = p.gapSteps + p.cueSteps;
  for (let t = 0; t < steps; t++) {
    const cue = Math.floor(t / each);
    const shown = cue < p.cues && t % each >= p.gapSteps ? sides[cue] : -1;
    const decides = t >= steps - p.decisionSteps;
    const rates = [shown === 0, shown === 1, decides].map((on) => (on ? p.rate : 0));
    spikesOf(out.x, t * out.xStride, [...rates, p.noise], p.cellsPerGroup, noise);
    out.weight[t] = decides ? 1 : 0;
    for (let k = 0; k < 2; k++) out.target[2 * t + k] = k === right ? 1 : 0;
  }
}
