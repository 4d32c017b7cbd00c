import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { countTo, listed } from '../src/core/schema.ts';
import { probability, spikesOf, stepsOrNone } from './cellGroups.ts';

/** Every interval has a curve of its own in the sum of the bound. */
const interval = countTo(2000);
const params = z.strictObject({
  kind: z.literal('interval-matching'),
  intervals: z.tuple([interval, interval]).default([30, 80]).describe('shortest and longest interval, steps'),
  onsetSteps: stepsOrNone.default(20).describe('latest beginning of the first pulse, steps; it is drawn from 0 on'),
  waitSteps: stepsOrNone.default(0).describe('steps from the second pulse to the go signal; 0: they come together'),
  pulseSteps: listed.default(10).describe('length of a pulse and of the go signal, steps'),
  bumpSteps: countTo(2000).default(8).describe('standard deviation of the bump that answers, steps'),
  cellsPerGroup: listed.default(5).describe('inputs of each group'),
  rate: probability.default(0.4).describe('spikes per step of a group that is on'),
  noise: probability.default(0.04).describe('spikes per step of the noise group, always on'),
});
type Params = z.infer<typeof params>;

const groups = ['pulse', 'go', 'noise'] as const;

/**
 * Interval matching: two pulses set an interval I, and the network is to answer as long after the go signal as the pulses were apart. With
 * `waitSteps` 0 the second pulse is the go signal ("ready, set, go").
 *
 *     onset      first pulse at s, uniform in 0 .. onsetSteps; second at s + I, I uniform in `intervals`; go at g = s + I + wait
 *     target     exp(-(t - g - I)^2 / (2 bump^2)) for t >= g, 0 before
 *
 * All steps are scored. The bounds are of the loss 1/2 (y - y*)^2: of the best answer that knows when the go signal came but not I, and of
 * the one that knows both.
 *
 * Murray 2019 (eLife 8:e43299) teaches it to a network of rates by RFLO; ready, set, go is of Jazayeri and Shadlen 2010 (Nat Neurosci 13:1020).
 * Both recalled: the timing and all constants are ours.
 */
export const intervalMatching: TaskModel<Params> = {
  kind: 'interval-matching',
  source: 'Murray 2019, eLife 8:e43299; constants are ours',
  params,
  derive(p): TaskInstance {
    const [shortest, longest] = p.intervals;
    if (shortest > longest) throw new ConfigError('task.intervals', p.intervals, 'the shortest one first (steps)');
    if (shortest < p.pulseSteps) {
      throw new ConfigError('task.pulseSteps', p.pulseSteps, `at most the shortest interval, ${shortest} (steps)`);
    }
    const steps = p.onsetSteps + 2 * longest + p.waitSteps + 3 * p.bumpSteps + 1;
    return {
      nIn: groups.length * p.cellsPerGroup,
      nOut: 1,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [
        { label: 'go signal alone', value: withoutInterval(p, steps) },
        { label: 'the interval', value: 0, ideal: true },
      ],
      inputPopulations: groups.map((label) => ({ label, size: p.cellsPerGroup })),
      fill: (out, rng, start, split) => write(out, p, steps, rng.split(split).split(start)),
    };
  },
};

function write(out: TrialTarget, p: Params, steps: number, rng: Rng): void {
  const draws = rng.split('times');
  const [shortest, longest] = p.intervals;
  const onset = draws.integer(p.onsetSteps + 1);
  const length = shortest + draws.integer(longest - shortest + 1);
  const second = onset + length;
  const go = second + p.waitSteps;
  const spikes = rng.split('spikes');
  const within = (t: number, from: number) => t >= from && t < from + p.pulseSteps;
  for (let t = 0; t < steps; t++) {
    const pulse = within(t, onset) || within(t, second);
    const rates = [pulse, within(t, go)].map((on) => (on ? p.rate : 0));
    spikesOf(out.x, t * out.xStride, [...rates, p.noise], p.cellsPerGroup, spikes);
    out.target[t] = t < go ? 0 : bump(t - go - length, p.bumpSteps);
    out.weight[t] = 1;
  }
}

function bump(away: number, width: number): number {
  return Math.exp(-(away ** 2) / (2 * width ** 2));
}

/**
 * Loss per step of the best answer that depends on d, the steps since the go signal, alone: its mean over the trials that have such a step.
 *
 *     1 / (2 T) sum_d (sum_I n_I b_I^2 - (sum_I n_I b_I)^2 / sum_I n_I),     b_I = bump(d - I),  n_I = share of trials of I that last until d
 */
function withoutInterval({ intervals: [shortest, longest], onsetSteps, waitSteps, bumpSteps }: Params, steps: number) {
  let sum = 0;
  // Ten standard deviations behind the longest interval nothing is left of any bump.
  for (let d = 0; d <= Math.min(steps, longest + 10 * bumpSteps); d++) {
    let [trials, first, second] = [0, 0, 0];
    for (let length = shortest; length <= longest; length++) {
      const onsets = Math.max(0, Math.min(onsetSteps + 1, steps - waitSteps - length - d));
      const target = bump(d - length, bumpSteps);
      trials += onsets;
      first += onsets * target;
      second += onsets * target ** 2;
    }
    if (trials > 0) sum += second - first ** 2 / trials;
  }
  return Math.max(0, sum) / (2 * steps * (onsetSteps + 1) * (longest - shortest + 1));
}
