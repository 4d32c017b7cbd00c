import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import { magnitude, positive } from '../../src/core/schema.ts';
import type { Rewire, RewiringModel, UpkeepBinding } from '../../src/core/upkeep.ts';
import { allowedPairs, chanceOf, clearAbsent, listAbsent, type RewiringChance } from './kernels.ts';

const params = z.strictObject({
  kind: z.literal('deep-r'),
  l1: magnitude.default(0.01).describe('what theta loses in an update, times the learning rate'),
  temperature: magnitude.default(0).describe('T of the random walk of theta, sd sqrt(2 rate T) in an update'),
  newTheta: positive.default(1e-12).describe('size of the weight of a new synapse'),
});

export type DeepRParams = z.output<typeof params>;

const layout = {
  connected: { shape: ['syn'], home: 'synapse', unit: '1', binary: true, doc: 'pairs that have a synapse' },
  sign: { shape: ['syn'], home: 'synapse', unit: '1', binary: true, doc: 'sign that a pair keeps' },
} as const satisfies Layout;

/**
 * DEEP R (Bellec, Kappel, Maass, Legenstein 2018, ICLR, algorithm 1): w = sign theta where theta > 0, else 0, and after an update
 *
 *     1  theta -= step of the optimiser, of pairs that have a synapse          done: w -= step, and w <- 0 of the others
 *     2  theta += - rate l1 + sqrt(2 rate T) noise
 *     3  theta <= 0: the synapse goes
 *     4  as many pairs without one, at random, get one with theta = newTheta
 *
 * theta itself is not stored: it is sign w of a synapse and 0 of any other pair. The order is that of the authors' code
 * (LSNN-official, rewiring_tools.py), where a dead entry keeps a negative theta until the next update, which no weight shows. As there,
 * the optimiser sees the gradient of every pair, and a pair whose synapse has just gone may be drawn. Simplified: every projection
 * has a count of its own, where the code spreads reconnections over several matrices. Signs are those of Dale's law, else
 * of the first weights, of other pairs drawn with probability 1/2. State: connected, sign [syn].
 *
 * @param chance what decides noise and order, for the key of a projection
 */
export function deepRWith(chance: (key: number) => RewiringChance): RewiringModel<DeepRParams> {
  return {
    kind: 'deep-r',
    source: 'Bellec et al. 2018, ICLR; order of operations of LSNN-official',
    params,
    derive(given, { rng }) {
      const key = rng.integer(2 ** 32);
      const draws = chance(key);
      return {
        layout,
        init(binding) {
          const random = rng.split('signs');
          drawSigns(binding, () => 2 * random.bernoulli(0.5) - 1);
          startSynapses(binding, given.newTheta);
        },
        bind: (binding) => bindDeepR(binding, given, draws),
      };
    },
  };
}

export const deepR = deepRWith(chanceOf);

/** Dale's sign of the presynaptic neuron, else that of the first weight, else any. */
function drawSigns({ state, weights, synapses, sources }: UpkeepBinding, draw: () => number): void {
  const { signs, nPost, rowStart } = synapses;
  for (let s = 0; s < rowStart[sources]; s++) {
    const drawn = draw();
    const own = signs ? signs[Math.floor(s / nPost)] : weights[s];
    state.sign[s] = Math.sign(own) || drawn;
  }
}

/** A synapse whose first weight is 0 starts as a new one. */
function startSynapses({ state, weights, synapses, sources }: UpkeepBinding, newTheta: number): void {
  for (let s = 0; s < synapses.rowStart[sources]; s++) {
    if (state.connected[s] !== 0 && weights[s] === 0) weights[s] = state.sign[s] * newTheta;
  }
}

function bindDeepR(
  { state, weights, synapses, sources }: UpkeepBinding,
  { l1, temperature, newTheta }: DeepRParams,
  chance: RewiringChance,
): Rewire {
  const { connected, sign } = state;
  const n = synapses.rowStart[sources];
  const allowed = allowedPairs(synapses, n);
  const absent = new Int32Array(n);
  const noise = new Float64Array(temperature > 0 ? n : 0);
  return (rate, count) => {
    clearAbsent(weights, connected, n);
    if (temperature > 0) {
      chance.noise(count, noise);
      walk(weights, sign, connected, noise, Math.sqrt(2 * rate * temperature), n);
    }
    const gone = decay(weights, sign, connected, rate * l1, n);
    if (gone === 0) return;
    chance.order(count, absent, listAbsent(absent, connected, allowed, n), gone);
    connect(weights, sign, connected, absent, gone, newTheta);
  };
}

/** theta(n) += spread noise of synapses with theta > 0.   w, sign, connected, noise: [syn] */
function walk(w: Real, sign: Real, connected: Real, noise: Float64Array, spread: number, n: number): void {
  for (let s = 0; s < n; s++) {
    if (connected[s] !== 0 && sign[s] * w[s] > 0) w[s] += sign[s] * spread * noise[s];
  }
}

/**
 * theta(n) -= loss;  theta <= 0: no synapse. What is no number stays one, so that a training that diverges is noticed.
 * w, sign, connected: [syn] @returns how many have gone
 */
function decay(w: Real, sign: Real, connected: Real, loss: number, n: number): number {
  let gone = 0;
  for (let s = 0; s < n; s++) {
    if (connected[s] === 0) continue;
    const theta = sign[s] * w[s] - loss;
    if (theta <= 0) {
      w[s] = 0;
      connected[s] = 0;
      gone++;
    } else w[s] = sign[s] * theta;
  }
  return gone;
}

/** theta(n) = newTheta of the first pairs of the list.   w, sign, connected: [syn] */
function connect(w: Real, sign: Real, connected: Real, pairs: Int32Array, count: number, newTheta: number): void {
  for (let k = 0; k < count; k++) {
    const s = pairs[k];
    w[s] = sign[s] * newTheta;
    connected[s] = 1;
  }
}
