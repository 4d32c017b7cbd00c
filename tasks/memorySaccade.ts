import { z } from 'zod';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed, magnitude, positive } from '../src/core/schema.ts';
import { probability, spikesOf, stepsOrNone } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('memory-saccade'),
  directions: z
    .number()
    .int()
    .min(2)
    .max(1000)
    .default(4)
    .describe('places of the target, evenly spaced on a circle; with "hold" one action more'),
  ringCells: listed.default(16).describe('inputs that see the target, their preferred directions evenly spaced'),
  width: positive.default(0.5).describe('width of the tuning of such a cell, rad'),
  cellsPerGroup: listed.default(5).describe('inputs that see the fixation point, that see it gone, and of the noise'),
  fixationSteps: stepsOrNone.default(10).describe('fixation before the target, steps'),
  targetSteps: listed.default(20).describe('how long the target is seen, steps'),
  delaySteps: stepsOrNone.default(50).describe('fixation after the target, steps'),
  stepsPerAction: listed.default(20).describe('steps of the network for each action; it acts in the last one'),
  responseActions: listed.default(2).describe('actions from the end of fixation to the end of the episode'),
  rate: probability
    .default(0.4)
    .describe(
      'spikes per step of cells that see the fixation point, or that it is gone, and of a cell that prefers the target',
    ),
  noise: probability.default(0.04).describe('spikes per step of the noise group, always on'),
  reward: magnitude.default(1).describe('what the direction of the target pays'),
  held: magnitude.default(0.1).describe('what each "hold" during fixation pays'),
  broken: magnitude.default(0.1).describe('what a movement during fixation costs'),
  missed: magnitude.default(1).describe('what it costs to hold until the end of the episode'),
  wrong: magnitude.default(0).describe('what another direction costs, after fixation'),
});
type Params = z.infer<typeof params>;

/** Action 0; action 1 + k moves the eye in direction k. */
const hold = 0;

/**
 * A saccade to a remembered place: the eye rests on a fixation point, a target appears for a moment in one of n directions
 * theta_k = 2 pi k / n, and when the fixation point goes off, the eye is to move there. Actions are "hold" and the directions, one
 * every few steps:
 *
 *     fixation on     hold: held      any direction: -broken, and the episode ends
 *     fixation off    hold: 0         theta_k: reward, any other: -wrong, and the episode ends; -missed for holding to its end
 *
 * The target is seen by a ring of cells with the preferred directions phi_i = 2 pi i / cells:
 *
 *     P(spike) = rate exp((cos(theta - phi_i) - 1) / width^2)          inputs [ring, fixation, gone, noise]
 *
 * One group of inputs sees the fixation point and one that it is gone, so that neurons are driven when the memory in their thresholds
 * is asked for.
 *
 * The oculomotor delayed response of Funahashi, Bruce and Goldman-Rakic 1989 (J Neurophysiol 61:331); that fixation pays a little is of Rombouts,
 * Bohte and Roelfsema 2015 (PLoS Comput Biol 11:e1004060); as a task for reward-based e-prop it is of the family of Bellec et al. 2020 (Nat
 * Commun 11:3625). All recalled: the timing, the pay and all other constants are ours.
 */
export const memorySaccade: TaskModel<Params> = {
  kind: 'memory-saccade',
  source: 'Funahashi et al. 1989, J Neurophysiol 61:331; constants are ours',
  params,
  derive(p): TaskInstance {
    const seen = p.fixationSteps + p.targetSteps;
    const off = seen + p.delaySteps;
    const steps = off + p.responseActions * p.stepsPerAction;
    return {
      nIn: p.ringCells + 3 * p.cellsPerGroup,
      nOut: 1 + p.directions,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: [
        { label: 'target', size: p.ringCells },
        { label: 'fixation', size: p.cellsPerGroup },
        { label: 'gone', size: p.cellsPerGroup },
        { label: 'noise', size: p.cellsPerGroup },
      ],
      environment: {
        actions: 1 + p.directions,
        state: 2,
        // Counted from the end, so that the first action after fixation has seen that it went off.
        acts: (t) => (steps - 1 - t) % p.stepsPerAction === 0,
        begin(state, rng, start, split) {
          state[0] = directionOf(rng.split(split).split(start), p);
          state[1] = 0;
        },
        step(state, action, t) {
          if (action < 0) return 0;
          if (action === hold) return t < off ? p.held : t < steps - 1 ? 0 : -p.missed;
          state[1] = 1;
          if (t < off) return -p.broken;
          return action === 1 + state[0] ? p.reward : -p.wrong;
        },
        ended: (state) => state[1] === 1,
      },
      fill(out, rng, start, split) {
        const own = rng.split(split).split(start);
        const ring = ringRates(directionOf(own, p), p);
        const dark = ring.map(() => 0);
        const spikes = own.split('spikes');
        out.weight.fill(1, 0, steps);
        out.target.fill(0, 0, (1 + p.directions) * steps);
        for (let t = 0; t < steps; t++) {
          const row = t * out.xStride;
          spikesOf(out.x, row, t >= p.fixationSteps && t < seen ? ring : dark, 1, spikes);
          const fixation = t < off ? [p.rate, 0] : [0, p.rate];
          spikesOf(out.x, row + p.ringCells, [...fixation, p.noise], p.cellsPerGroup, spikes);
        }
      },
    };
  },
};

/** The direction of an episode's target. */
function directionOf(rng: Rng, { directions }: Params): number {
  return rng.split('direction').integer(directions);
}

/** Spikes per step of every cell of the ring while the target is seen. */
function ringRates(direction: number, { directions, ringCells, width, rate }: Params): number[] {
  const theta = (2 * Math.PI * direction) / directions;
  return Array.from({ length: ringCells }, (_, i) => {
    const away = theta - (2 * Math.PI * i) / ringCells;
    return rate * Math.exp((Math.cos(away) - 1) / width ** 2);
  });
}
