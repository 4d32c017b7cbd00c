import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import { clip, decayTowardZero, shift, wrapOnce, wrapTwosComplement } from './arithmetic.ts';
import { checked } from './check.ts';

/** v stays within +-(2^23 - 1). */
export const membraneLimit = 8388607;

/** Mantissa (13 bit signed) and exponent of every neuron's bias. */
export const biasSchema = {
  biasMant: z.array(z.number().int().min(-4096).max(4095)).min(1),
  biasExp: z.array(z.number().int().min(-7).max(7)).min(1).describe('0..7 on the chip; lava takes negative ones too'),
};

const lifSchema = z.strictObject({
  du: z.number().int().min(0).max(4095).describe('decay of the current, 1/4096 per step; du + 1 acts'),
  dv: z.number().int().min(0).max(4095).describe('decay of the membrane, 1/4096 per step'),
  vth: z.number().int().min(0).max(131071).describe('threshold, in units of 64'),
  ...biasSchema,
  overflow: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('lava') }),
      z.strictObject({
        kind: z.literal('nengo-loihi'),
        refractory: z.number().int().min(1).max(63).default(1).describe('steps; v is held at 0 for one less'),
        vMinExponent: z.number().int().min(0).max(31).default(23).describe('v >= 1 - 2^p'),
        vMaxExponent: z.number().int().min(0).max(7).default(7).describe('v <= 2^(9 + 2 q) - 1'),
      }),
    ])
    .default({ kind: 'lava' }),
});

export type LifParams = z.input<typeof lifSchema>;

/** Leaky integrate-and-fire neurons with a current, and their state. */
export interface Lif {
  /** [j], 24 bit: synaptic current and membrane after the step (after the reset), in 1/64 of vth. */
  readonly u: Int32Array;
  readonly v: Int32Array;
  /** [j], 1 for a spike of this step. */
  readonly z: Int32Array;
  /** [j], steps for which v is still held at 0; nengo-loihi only. */
  readonly wait: Int32Array;
  /** One step. @param a [j], sums of shifted weights that arrive; they are shifted by 6 bits here */
  step(a: ArrayLike<number>): void;
}

/** A group of integer LIF neurons at rest; they share du, dv and vth. @throws ConfigError for parameters out of range */
export function createLif(params: LifParams): Lif {
  const { du, dv, vth, biasMant, biasExp, overflow } = checked(lifSchema, params, 'lif');
  const bias = biasOf(biasMant, biasExp, 'lif');
  const n = bias.length;
  const [u, v, z, wait] = [new Int32Array(n), new Int32Array(n), new Int32Array(n), new Int32Array(n)];
  const threshold = vth * 64;
  switch (overflow.kind) {
    case 'lava':
      return { u, v, z, wait, step: (a) => stepLif(u, v, z, a, bias, du, dv, threshold, n) };
    case 'nengo-loihi': {
      const vMin = 1 - 2 ** overflow.vMinExponent;
      const vMax = 2 ** (9 + 2 * overflow.vMaxExponent) - 1;
      const hold = overflow.refractory - 1;
      return {
        ...{ u, v, z, wait },
        step: (a) => stepLifTwosComplement(u, v, z, wait, a, bias, du, dv, threshold, vMin, vMax, hold, n),
      };
    }
    default:
      throw new Error(`no such overflow: ${overflow satisfies never}`);
  }
}

/** b = mantissa << exponent, or mantissa >> -exponent (floor). */
export function biasOf(mantissa: readonly number[], exponent: readonly number[], name: string): Int32Array {
  if (exponent.length !== mantissa.length) {
    throw new ConfigError(`${name}.biasExp`, exponent.length, `${mantissa.length} exponents, one for each mantissa`);
  }
  return Int32Array.from(mantissa, (mant, j) => shift(mant, exponent[j]));
}

/**
 * u(t) = wrap(D(u(t-1), du + 1) + 64 a(t)),  x = clip(D(v(t-1), dv) + u(t) + b),  z(t) = [x > th],  v(t) = x (1 - z(t))
 *
 * Source: lava-nc/lava b6822fbc, LIF tagged fixed_pt and bit_accurate_loihi. Exact, on these conditions: the +1 is on du
 * only (du = 4095 has no memory, du = 0 still leaks); v hears the new u; the comparison is strict; the bias enters v; the
 * wrap is single. There is no refractory time.
 * u, v, z, b [j] integers; a [j] integers with |64 a| < 2^30; du, dv 0..4095; th = 64 vth
 */
export function stepLif(
  u: Int32Array,
  v: Int32Array,
  z: Int32Array,
  a: ArrayLike<number>,
  b: Int32Array,
  du: number,
  dv: number,
  th: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const current = wrapOnce(decayTowardZero(u[j], du + 1) + a[j] * 64);
    const x = clip(decayTowardZero(v[j], dv) + current + b[j], -membraneLimit, membraneLimit);
    const fires = x > th ? 1 : 0;
    u[j] = current;
    z[j] = fires;
    v[j] = fires === 1 ? 0 : x;
  }
}

/**
 * As `stepLif`, with the overflow of nengo-loihi (commit e564f66e): 64 a wraps to 22 bits, u and u + b to 24 bits, all
 * two's complement; v is clipped to [vMin, vMax]; after a spike v is held at 0 for `hold` steps. Its noise is left out.
 * u, v, z, wait, b [j] integers; a [j] integers; du, dv 0..4095; th = 64 vth; hold = refractory - 1
 */
export function stepLifTwosComplement(
  u: Int32Array,
  v: Int32Array,
  z: Int32Array,
  wait: Int32Array,
  a: ArrayLike<number>,
  b: Int32Array,
  du: number,
  dv: number,
  th: number,
  vMin: number,
  vMax: number,
  hold: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const input = wrapTwosComplement(a[j] * 64, 22);
    const current = wrapTwosComplement(decayTowardZero(u[j], du + 1) + input, 24);
    const x = clip(decayTowardZero(v[j], dv) + wrapTwosComplement(current + b[j], 24), vMin, vMax);
    const held = wait[j] > 0 ? 1 : 0;
    const fires = held === 0 && x > th ? 1 : 0;
    u[j] = current;
    z[j] = fires;
    v[j] = fires + held > 0 ? 0 : x;
    wait[j] = fires === 1 ? hold : wait[j] - held;
  }
}
