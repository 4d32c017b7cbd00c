import { z } from 'zod';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed } from '../src/core/schema.ts';
import { entropy, unseen } from './bounds.ts';
import { probability, spikesOf, stepsOrNone } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('match-to-sample'),
  stimuli: z.number().int().min(2).max(1000).default(2).describe('stimuli, each with a group of inputs of its own'),
  same: probability.default(0.5).describe('probability that the test is the sample; else it is any of the others'),
  sampleSteps: listed.default(20).describe('length of the sample, steps'),
  delaySteps: stepsOrNone.default(80).describe('steps of noise from the sample to the test'),
  testSteps: listed.default(20).describe('length of the test, steps'),
  goSteps: listed.default(20).describe('length of the go signal after the test, steps, which alone are scored'),
  cellsPerGroup: listed.default(5).describe('inputs of each group'),
  rate: probability.default(0.4).describe('spikes per step of a group that is on'),
  noise: probability.default(0.04).describe('spikes per step of the noise group, always on'),
});
type Params = z.infer<typeof params>;

/**
 * Delayed match-to-sample: a sample is shown, then, after a delay, a test; when the go signal comes, the network is to say whether the two
 * were the same. Output 0 is "different", output 1 "same".
 *
 *     sample | delay | test | go          inputs [stimulus 0, .., n-1, go, noise][cells]
 *
 * A trial is one decision, by the outputs summed over the go signal. Sample and test are each uniform, so that one of the two says nothing:
 * its ideal predictor reaches the entropy H of P(same); both seen, H (1 - (1 - u_s) (1 - u_t)), u the probabilities that no spike of the
 * sample, of the test came.
 *
 * The task of Miyashita and Chang 1988 (Nature 331:68) and of many since, recalled; the timing and all constants are ours.
 */
export const matchToSample: TaskModel<Params> = {
  kind: 'match-to-sample',
  source: 'Miyashita and Chang 1988, Nature 331:68; constants are ours',
  params,
  derive(p): TaskInstance {
    const steps = p.sampleSteps + p.delaySteps + p.testSteps + p.goSteps;
    const seen = (length: number) => 1 - unseen(p.rate, p.cellsPerGroup, length);
    const guess = entropy(p.same);
    return {
      nIn: (p.stimuli + 2) * p.cellsPerGroup,
      nOut: 2,
      mode: { kind: 'trial', steps, decisionSteps: steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [
        { label: 'the test alone', value: guess },
        { label: 'sample and test', value: guess * (1 - seen(p.sampleSteps) * seen(p.testSteps)), ideal: true },
      ],
      inputPopulations: [
        { label: 'stimuli', size: p.stimuli * p.cellsPerGroup },
        { label: 'go', size: p.cellsPerGroup },
        { label: 'noise', size: p.cellsPerGroup },
      ],
      fill: (out, rng, start, split) => write(out, p, steps, rng.split(split).split(start)),
    };
  },
};

function write(out: TrialTarget, p: Params, steps: number, rng: Rng): void {
  const draws = rng.split('stimuli');
  const sample = draws.integer(p.stimuli);
  const same = draws.bernoulli(p.same);
  const test = same ? sample : (sample + 1 + draws.integer(p.stimuli - 1)) % p.stimuli;
  const spikes = rng.split('spikes');
  const go = steps - p.goSteps;
  const rates = new Array<number>(p.stimuli + 2).fill(0);
  rates[p.stimuli + 1] = p.noise;
  for (let t = 0; t < steps; t++) {
    rates[sample] = 0;
    rates[test] = 0;
    if (t < p.sampleSteps) rates[sample] = p.rate;
    if (t >= go - p.testSteps && t < go) rates[test] = p.rate;
    rates[p.stimuli] = t >= go ? p.rate : 0;
    spikesOf(out.x, t * out.xStride, rates, p.cellsPerGroup, spikes);
    out.weight[t] = t >= go ? 1 : 0;
    for (let k = 0; k < 2; k++) out.target[2 * t + k] = k === same ? 1 : 0;
  }
}
