import { chanceAt } from '../core/chance.ts';
import type { Real } from '../core/layout.ts';
import type { Environment, Split } from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import { rowAt } from '../core/rows.ts';
import type { Run } from './run.ts';

/** The answers of a task to one network: an episode for every stream. */
export interface Answers {
  /** Episodes at their start; the rows of the task are filled. `start`: index of the trial of each stream. */
  begin(steps: number, start: (stream: number) => number): void;
  /** Takes what the networks put out at step t as their actions, and lets the task answer. */
  answer(t: number): void;
}

/**
 * An action is drawn from the softmax of the readout that has the policy; where the task's test data are shown it is the
 * most likely one. The draw belongs to stream, trial and step, whatever else is drawn.
 *
 * @param rngs one generator for each stream, those that `fill` is given
 */
export function bindAnswers(run: Run, environment: Environment, rngs: readonly Rng[], split: Split): Answers {
  const { network, clock } = run;
  const { spec, trial } = network;
  const { x, y, target, weight, reward } = trial;
  const policy = spec.readouts.find(({ loss }) => loss.acts);
  const keys = rngs.map((rng) => rng.split('actions').integer(2 ** 32));
  const states = rngs.map(() => new Float64Array(environment.state));
  let steps = 0;
  const actionOf = (b: number, t: number): number => {
    if (!policy || !environment.acts(t)) return -1;
    const row = rowAt(y, b, t) + policy.column;
    if (split === 'test') return largest(y.data, row, policy.size);
    return draw(y.data, row, policy.size, chanceAt(keys[b], clock.trial, t));
  };
  return {
    begin(length, start) {
      steps = length;
      for (let b = 0; b < rngs.length; b++) environment.begin(states[b], rngs[b], start(b), split);
    },
    answer(t) {
      for (let b = 0; b < rngs.length; b++) {
        const paid = rowAt(reward, b, t);
        if (environment.ended(states[b])) {
          reward.data[paid] = 0;
          continue;
        }
        const action = actionOf(b, t);
        if (policy) {
          const to = rowAt(target, b, t) + policy.column;
          for (let k = 0; k < policy.size; k++) target.data[to + k] = k === action ? 1 : 0;
        }
        const next = t + 1 < steps ? rowAt(x, b, t + 1) : -1;
        reward.data[paid] = environment.step(states[b], action, t, next < 0 ? null : x.data, Math.max(0, next));
        if (!environment.ended(states[b])) continue;
        for (let s = t + 1; s < steps; s++) weight.data[rowAt(weight, b, s)] = 0;
      }
    },
  };
}

function largest(y: Real, row: number, n: number): number {
  let best = 0;
  for (let k = 1; k < n; k++) if (y[row + k] > y[row + best]) best = k;
  return best;
}

/** An index from the softmax of n numbers. @param chance uniform in (0, 1) */
function draw(y: Real, row: number, n: number, chance: number): number {
  const top = y[row + largest(y, row, n)];
  let sum = 0;
  for (let k = 0; k < n; k++) sum += Math.exp(y[row + k] - top);
  let left = chance * sum;
  for (let k = 0; k < n - 1; k++) {
    left -= Math.exp(y[row + k] - top);
    if (left < 0) return k;
  }
  return n - 1;
}
