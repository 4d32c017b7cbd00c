import { z } from 'zod';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { countTo, listed } from '../src/core/schema.ts';
import { unseen } from './bounds.ts';
import { probability, spikesOf, stepsOrNone } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('parity'),
  pulses: countTo(1000).default(2).describe('pulses of a trial, each of one of two kinds; 2: temporal XOR'),
  pulseSteps: listed.default(20).describe('length of a pulse, steps'),
  delaySteps: stepsOrNone.default(50).describe('steps of noise after each pulse'),
  goSteps: listed.default(20).describe('length of the go signal, steps, which alone are scored'),
  cellsPerGroup: listed.default(5).describe('inputs of each group'),
  rate: probability.default(0.4).describe('spikes per step of a group that is on'),
  noise: probability.default(0.04).describe('spikes per step of the noise group, always on'),
});
type Params = z.infer<typeof params>;

const groups = ['kind 0', 'kind 1', 'go', 'noise'] as const;

/**
 * Delayed parity: n pulses, each of kind 0 or 1 with probability 1/2, with delays between them; when the go signal comes, the network is to
 * say whether the number of pulses of kind 1 was odd. With two pulses it is the temporal (delayed) XOR.
 *
 *     n (pulse | delay) | go          inputs [kind 0, kind 1, go, noise][cells]
 *
 * A trial is one decision, by the outputs summed over the go signal. Whoever has missed a pulse knows nothing: with u the probability that
 * none of its spikes came, the ideal predictor reaches (1 - (1 - u)^n) ln 2, and one that remembers all pulses but one ln 2.
 *
 * Temporal XOR after Kim, Li and Sejnowski 2019 (PNAS 116:22811), recalled; parity is its usual extension. The timing and all constants are ours.
 */
export const parity: TaskModel<Params> = {
  kind: 'parity',
  source: 'temporal XOR, Kim et al. 2019, PNAS 116:22811; constants are ours',
  params,
  derive(p): TaskInstance {
    const steps = p.pulses * (p.pulseSteps + p.delaySteps) + p.goSteps;
    const all = (1 - unseen(p.rate, p.cellsPerGroup, p.pulseSteps)) ** p.pulses;
    return {
      nIn: groups.length * p.cellsPerGroup,
      nOut: 2,
      mode: { kind: 'trial', steps, decisionSteps: steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [
        { label: 'all pulses but one', value: Math.LN2 },
        { label: 'every pulse', value: (1 - all) * Math.LN2, ideal: true },
      ],
      inputPopulations: groups.map((label) => ({ label, size: p.cellsPerGroup })),
      fill: (out, rng, start, split) => write(out, p, steps, rng.split(split).split(start)),
    };
  },
};

function write(out: TrialTarget, p: Params, steps: number, rng: Rng): void {
  const draws = rng.split('kinds');
  const kinds = Array.from({ length: p.pulses }, () => draws.bernoulli(0.5));
  const odd = kinds.reduce<number>((sum, kind) => sum + kind, 0) % 2;
  const spikes = rng.split('spikes');
  const each = p.pulseSteps + p.delaySteps;
  for (let t = 0; t < steps; t++) {
    const shown = t % each < p.pulseSteps ? (kinds[Math.floor(t / each)] ?? -1) : -1;
    const go = t >= steps - p.goSteps;
    const rates = [shown === 0, shown === 1, go].map((on) => (on ? p.rate : 0));
    spikesOf(out.x, t * out.xStride, [...rates, p.noise], p.cellsPerGroup, spikes);
    out.weight[t] = go ? 1 : 0;
    for (let k = 0; k < 2; k++) out.target[2 * t + k] = k === odd ? 1 : 0;
  }
}
