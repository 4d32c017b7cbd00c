import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import { checked } from './check.ts';

export type SignMode = 'excitatory' | 'inhibitory' | 'mixed';

const connectionSchema = z.strictObject({
  weightBits: z.number().int().min(1).max(8).default(8).describe('bits of a weight, its sign among them where mixed'),
  exponent: z.number().int().min(-8).max(7).default(0).describe('shift of the sum of weights, bits'),
  signMode: z.enum(['auto', 'excitatory', 'inhibitory', 'mixed']).default('auto'),
});

/** Synapses between two groups of neurons, dense. */
export interface Connection {
  /** [pre][post], as the chip stores them. */
  readonly weights: Int32Array;
  /** Signs of its weights. */
  readonly signMode: SignMode;
  /** The sum of weights is shifted to the left by it, or to the right where it is negative. */
  readonly exponent: number;
  /** [post], scratch for the sums before the shift. */
  readonly sum: Float64Array;
  /** Presynaptic neurons. */
  readonly nPre: number;
  /** Postsynaptic neurons. */
  readonly nPost: number;
}

/**
 * Weights as Loihi keeps them: clipped to their range, the lowest bits cut off.
 * Source: lava-nc/lava b6822fbc, Dense (fixed point). nengo-loihi instead rounds to the nearest multiple of 2^k.
 * @param weights [pre][post], integers
 * @throws ConfigError for a parameter out of range, a weight that is no integer or has a sign that `signMode` excludes
 */
export function createConnection(
  weights: ArrayLike<number>,
  params: z.input<typeof connectionSchema>,
  nPre: number,
  nPost: number,
): Connection {
  const { weightBits, exponent, signMode: wanted } = checked(connectionSchema, params, 'connection');
  if (weights.length !== nPre * nPost) {
    throw new ConfigError('connection.weights', weights.length, `${nPre} x ${nPost} weights`);
  }
  for (let s = 0; s < weights.length; s++) {
    if (!Number.isInteger(weights[s])) throw new ConfigError(`connection.weights.${s}`, weights[s], 'an integer');
  }
  const natural = signModeOf(weights);
  const signMode = wanted === 'auto' ? natural : wanted;
  if (signMode !== 'mixed' && signMode !== natural && !Array.prototype.every.call(weights, (w) => w === 0)) {
    throw new ConfigError('connection.signMode', signMode, `"${natural}" or "mixed", by the signs of the weights`);
  }
  const prepared = new Int32Array(nPre * nPost);
  prepareWeights(prepared, weights, signMode, weightBits);
  return { weights: prepared, signMode, exponent, sum: new Float64Array(nPost), nPre, nPost };
}

/** Excitatory where no weight is below 0 (also where all are 0), inhibitory where none is above, else mixed. */
export function signModeOf(weights: ArrayLike<number>): SignMode {
  let least = 0;
  let most = 0;
  for (let s = 0; s < weights.length; s++) {
    least = Math.min(least, weights[s]);
    most = Math.max(most, weights[s]);
  }
  return least >= 0 ? 'excitatory' : most <= 0 ? 'inhibitory' : 'mixed';
}

/**
 * w' = s ((clip(s w, -256 m, 255) >> k) << k),  k = 8 - weightBits + m,  m = 1 if mixed,  s = -1 if inhibitory.
 * Mixed weights are cut toward minus infinity and keep even numbers at 8 bits; inhibitory ones are cut toward zero.
 * @param out [pre][post]; excitatory 0..255, inhibitory -255..0, mixed -256..254
 */
export function prepareWeights(out: Int32Array, weights: ArrayLike<number>, mode: SignMode, weightBits: number): void {
  const sign = mode === 'inhibitory' ? -1 : 1;
  const least = mode === 'mixed' ? -256 : 0;
  const k = 8 - weightBits + (mode === 'mixed' ? 1 : 0);
  for (let s = 0; s < out.length; s++) {
    out[s] = sign * ((Math.max(least, Math.min(255, sign * weights[s])) >> k) << k);
  }
}

/**
 * a_j += (sum_i w_ij z_i) 2^e, the floor of it where e < 0: the sum is shifted, not the weights.
 * Source: lava-nc/lava b6822fbc, Dense (fixed point); what is computed from the spikes of step t acts at step t + 1.
 * a, sum [post]; w [pre][post] integers; z [pre] 0 or 1; e -8..7
 */
export function addActivation(
  a: Float64Array,
  sum: Float64Array,
  w: Int32Array,
  z: ArrayLike<number>,
  e: number,
  nPre: number,
  nPost: number,
): void {
  sum.fill(0, 0, nPost);
  for (let i = 0; i < nPre; i++) {
    if (z[i] === 0) continue;
    const row = i * nPost;
    for (let j = 0; j < nPost; j++) sum[j] += w[row + j];
  }
  const scale = 2 ** e;
  for (let j = 0; j < nPost; j++) a[j] += Math.floor(sum[j] * scale);
}
