import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import { clip, decayTowardZero, wrapOnce } from './arithmetic.ts';
import { checked } from './check.ts';
import { biasOf, biasSchema, membraneLimit } from './lif.ts';

const decay12 = () => z.number().int().min(0).max(4095);

const atrlifSchema = z.strictObject({
  dCurrent: decay12().describe('decay of the current, 1/4096 per step; dCurrent + 1 acts'),
  dMembrane: decay12(),
  dThreshold: decay12().describe('decay of the threshold toward theta0'),
  dRefractory: decay12(),
  theta0: z.number().int().min(0).max(131071).describe('resting threshold, in units of 64'),
  thetaStep: z.number().int().min(0).max(131071).describe('rise of the threshold per spike, in units of 64'),
  ...biasSchema,
});

export type AtrlifParams = z.input<typeof atrlifSchema>;

/** Neurons with an adaptive threshold, and their state. */
export interface Atrlif {
  /** [j], 24 bit: synaptic current and membrane, in 1/64 of theta0. */
  readonly i: Int32Array;
  readonly v: Int32Array;
  /** [j], threshold and refractory variable, in 1/64 of theta0. Doubles: lava clips neither of them. */
  readonly theta: Float64Array;
  readonly r: Float64Array;
  /** [j], 1 for a spike of this step. */
  readonly z: Int32Array;
  /** One step. @param a [j], sums of shifted weights that arrive; they are shifted by 6 bits here */
  step(a: ArrayLike<number>): void;
}

/**
 * 12-bit decay of a fraction d / 4096, the form in which lava takes the decays of this neuron.
 * @throws ConfigError for a fraction between two of them: lava cuts it in one place and not in another
 */
export function decayOfFraction(fraction: number, path: string): number {
  const d = fraction * 4096;
  if (!Number.isInteger(d) || d < 0 || d > 4095) {
    throw new ConfigError(path, fraction, 'a multiple of 1/4096 in [0, 1)');
  }
  return d;
}

/** A group of adaptive-threshold neurons of Loihi 2 at rest. @throws ConfigError for parameters out of range */
export function createAtrlif(params: AtrlifParams): Atrlif {
  const p = checked(atrlifSchema, params, 'atrlif');
  const bias = biasOf(p.biasMant, p.biasExp, 'atrlif');
  const n = bias.length;
  const [i, v, spikes] = [new Int32Array(n), new Int32Array(n), new Int32Array(n)];
  const [theta0, thetaStep] = [64 * p.theta0, 64 * p.thetaStep];
  const [theta, r] = [new Float64Array(n).fill(theta0), new Float64Array(n)];
  const { dCurrent, dMembrane, dThreshold, dRefractory } = p;
  return {
    ...{ i, v, theta, r, z: spikes },
    step: (a) =>
      stepAtrlif(
        ...([i, v, theta, r, spikes, a, bias] as const),
        ...([dCurrent, dMembrane, dThreshold, dRefractory, theta0, thetaStep, n] as const),
      ),
  };
}

/**
 * i(t) = wrap(D(i(t-1), di + 1) + 64 a(t)),  v(t) = clip(D(v(t-1), dv) + i(t) + b),  q = D(r(t-1), dr),
 * h = D(theta(t-1) - theta0, dth) + theta0,  z(t) = [v(t) - q >= h],  r(t) = q + 2 h z(t),  theta(t) = h + step z(t)
 *
 * Source: lava-nc/lava b6822fbc, ATRLIF tagged fixed_pt. The comparison is not strict and the membrane is not reset: r does
 * that job. No ALIF in the sense of Bellec et al. 2020: there the threshold alone remembers spikes, and v is reset.
 * i, v, z, b [j] integers; theta, r [j] whole doubles; a [j] integers with |64 a| < 2^30; di, dv, dth, dr 0..4095
 */
export function stepAtrlif(
  i: Int32Array,
  v: Int32Array,
  theta: Float64Array,
  r: Float64Array,
  z: Int32Array,
  a: ArrayLike<number>,
  b: Int32Array,
  di: number,
  dv: number,
  dth: number,
  dr: number,
  theta0: number,
  thetaStep: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const current = wrapOnce(decayTowardZero(i[j], di + 1) + a[j] * 64);
    const x = clip(decayTowardZero(v[j], dv) + current + b[j], -membraneLimit, membraneLimit);
    const h = decayTowardZero(theta[j] - theta0, dth) + theta0;
    const q = decayTowardZero(r[j], dr);
    const fires = x - q >= h ? 1 : 0;
    i[j] = current;
    v[j] = x;
    z[j] = fires;
    r[j] = q + 2 * h * fires;
    theta[j] = h + thetaStep * fires;
  }
}
