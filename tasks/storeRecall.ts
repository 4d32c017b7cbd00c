import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed } from '../src/core/schema.ts';
import { probability, spikesOf } from './cellGroups.ts';

const params = z.strictObject({
  kind: z.literal('store-recall'),
  symbols: listed.default(10).describe('symbols of a trial'),
  symbolSteps: listed.default(20).describe('length of a symbol, steps'),
  cellsPerGroup: listed.default(10).describe('inputs of each group'),
  rate: probability.default(0.2).describe('spikes per step of a group that is on'),
  store: probability
    .default(0.2)
    .describe('probability of a symbol whose value is to be stored; the first one always is'),
  recall: probability.default(0.2).describe('probability of a symbol that asks for the value stored last'),
});
type Params = z.infer<typeof params>;

const groups = ['value 0', 'value 1', 'store', 'recall'] as const;

/** What a symbol tells the network to do. */
type Command = 'store' | 'recall' | 'none';

/**
 * Store and recall: a stream of bits, some with a command to keep them, and commands to say what was kept last.
 *
 *     symbol s:  value b(s), 0 or 1 with probability 1/2;  command: store, recall, or none of the two
 *     input:     group b(s) is on, but silent in a recall; the group of the command is on
 *     target:    b of the last store, in the steps of a recall, which alone are scored
 *
 * A symbol is one decision, by its summed outputs. A trial in which nothing is recalled is not scored.
 *
 * After Bellec et al. 2018 (NeurIPS) and 2019 (arXiv 1901.09049), shortened; there the value to be stored comes in the symbol behind the command.
 */
export const storeRecall: TaskModel<Params> = {
  kind: 'store-recall',
  source: 'Bellec et al. 2018, NeurIPS; 2019, arXiv 1901.09049; shortened',
  params,
  derive(p): TaskInstance {
    if (p.store + p.recall > 1) {
      throw new ConfigError('task.recall', p.recall, `at most ${1 - p.store}, what task.store leaves of 1`);
    }
    if (p.recall === 0 || p.symbols === 1) {
      const [path, value] = p.recall === 0 ? ['task.recall', 0] : ['task.symbols', 1];
      throw new ConfigError(
        path,
        value,
        `more than ${value}: the first symbol is stored, and a trial without a recall is not scored`,
      );
    }
    return {
      nIn: groups.length * p.cellsPerGroup,
      nOut: 2,
      mode: { kind: 'trial', steps: p.symbols * p.symbolSteps, decisionSteps: p.symbolSteps },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: groups.map((label) => ({ label, size: p.cellsPerGroup })),
      fill: (out, rng, start, split) => write(out, p, rng.split(split).split(start)),
    };
  },
};

function write(out: TrialTarget, p: Params, rng: Rng): void {
  const draws = rng.split('symbols');
  const noise = rng.split('spikes');
  let stored = 0;
  for (let s = 0; s < p.symbols; s++) {
    const value = draws.bernoulli(0.5);
    const command = commandOf(s, draws.uniform(), p);
    if (command === 'store') stored = value;
    const shown = command === 'recall' ? -1 : value;
    const rates = [shown === 0, shown === 1, command === 'store', command === 'recall'].map((on) => (on ? p.rate : 0));
    for (let t = s * p.symbolSteps; t < (s + 1) * p.symbolSteps; t++) {
      spikesOf(out.x, t * out.xStride, rates, p.cellsPerGroup, noise);
      out.weight[t] = command === 'recall' ? 1 : 0;
      for (let k = 0; k < 2; k++) out.target[2 * t + k] = k === stored ? 1 : 0;
    }
  }
}

/** @param chance uniform in (0, 1) */
function commandOf(symbol: number, chance: number, { store, recall }: Params): Command {
  if (symbol === 0 || chance < store) return 'store';
  return chance < store + recall ? 'recall' : 'none';
}
