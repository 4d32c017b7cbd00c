import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { ModulatorModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';

const params = z.strictObject({
  kind: z.literal('td-error'),
  discount: z.number().min(0).max(1).default(0.99).describe('gamma per step'),
  critic: z.string().default('critic').describe('the readout whose one output predicts the rewards to come'),
});

/**
 * The temporal-difference error of a critic, which is known when the critic has seen the next step:
 *
 *     m(t) = r(t) + gamma V(t+1) - V(t),      V = 0 behind the end of an episode;      keep = gamma
 *
 * With e-prop 1 and readouts of the losses `policy` and `value` this is reward-based e-prop of Bellec et al. 2020 (Nat Commun 11:3625):
 * an actor-critic whose eligibility traces, filtered once more by the discount, wait for the TD error.
 */
export const tdError: ModulatorModel<z.infer<typeof params>> = {
  kind: 'td-error',
  source: 'Bellec et al. 2020, Nat Commun 11:3625; Sutton and Barto 2018, ch 13',
  params,
  derive({ discount, critic }, { readouts, path }) {
    const found = readouts.find(({ name }) => name === critic);
    if (found?.size !== 1) {
      const single = readouts.filter(({ size }) => size === 1).map(({ name }) => name);
      throw new ConfigError(
        `${path}.critic`,
        critic,
        `a readout with one output: ${single.join(', ') || 'there is none'}`,
      );
    }
    const { column } = found;
    return {
      keep: discount,
      late: 1,
      bind: ({ reward, y }) => {
        const V = (b: number, t: number) => y.data[rowAt(y, b, t) + column];
        return (b, t, last) => reward.data[rowAt(reward, b, t)] + (last ? 0 : discount * V(b, t + 1)) - V(b, t);
      },
    };
  },
};
