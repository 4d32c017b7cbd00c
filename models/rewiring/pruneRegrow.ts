import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import { count as counted, positive } from '../../src/core/schema.ts';
import type { Rewire, RewiringModel, UpkeepBinding } from '../../src/core/upkeep.ts';
import { allowedPairs, chanceOf, clearAbsent, listAbsent, type RewiringChance } from './kernels.ts';

const params = z.strictObject({
  kind: z.literal('prune-regrow'),
  every: counted.default(100).describe('updates from one rewiring to the next'),
  share: z.number().gt(0).max(1).default(0.3).describe('of the synapses, the smallest ones, that are replaced'),
  newWeight: positive.default(0.01).describe('size of the weight of a new synapse'),
});

type Params = z.output<typeof params>;

const layout = {
  connected: { shape: ['syn'], home: 'synapse', unit: '1', binary: true, doc: 'pairs that have a synapse' },
} as const satisfies Layout;

/**
 * Sparse evolutionary training (Mocanu et al. 2018, Nat. Commun. 9:2383): with every n-th update the share of synapses with the
 * smallest |w| goes, and as many pairs without one, at random, get one of a small weight. Published: the share of the smallest
 * positive and of the largest negative weights each, and new weights of the first distribution. A new synapse has the sign of its neuron
 * (Dale's law) or any; a pair whose synapse has just gone may be drawn. State: connected [syn].
 */
export const pruneRegrow: RewiringModel<Params> = {
  kind: 'prune-regrow',
  source: 'Mocanu et al. 2018, Nat. Commun. 9:2383 (SET)',
  params,
  derive(given, { rng }) {
    const chance = chanceOf(rng.integer(2 ** 32));
    return { layout, init() {}, bind: (binding) => bindPruneRegrow(binding, given, chance) };
  },
};

function bindPruneRegrow(
  { state: { connected }, weights, synapses, sources }: UpkeepBinding,
  { every, share, newWeight }: Params,
  chance: RewiringChance,
): Rewire {
  const { signs, nPost, rowStart } = synapses;
  const n = rowStart[sources];
  const allowed = allowedPairs(synapses, n);
  const pairs = new Int32Array(n);
  const bySize = (a: number, b: number) => Math.abs(weights[a]) - Math.abs(weights[b]);
  return (_rate, count) => {
    clearAbsent(weights, connected, n);
    if (count % every !== 0) return;
    const present = pairs.subarray(0, listPresent(pairs, connected, n)).sort(bySize);
    const gone = Math.round(share * present.length);
    disconnect(weights, connected, present, gone);
    chance.order(count, pairs, listAbsent(pairs, connected, allowed, n), gone);
    for (let k = 0; k < gone; k++) {
      const s = pairs[k];
      const sign = signs ? Math.sign(signs[Math.floor(s / nPost)]) : chance.sign(count, k);
      weights[s] = sign * newWeight;
      connected[s] = 1;
    }
  };
}

/** Pairs that have a synapse, in the order of storage.   present, connected: [syn] @returns how many */
function listPresent(present: Int32Array, connected: Real, n: number): number {
  let count = 0;
  for (let s = 0; s < n; s++) if (connected[s] !== 0) present[count++] = s;
  return count;
}

/** No synapse for the first pairs of the list.   w, connected: [syn] */
function disconnect(w: Real, connected: Real, pairs: Int32Array, count: number): void {
  for (let k = 0; k < count; k++) {
    w[pairs[k]] = 0;
    connected[pairs[k]] = 0;
  }
}
