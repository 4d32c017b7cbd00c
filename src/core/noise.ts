import { scramble, scrambledBits } from './chance.ts';
import type { Real } from './layout.ts';
import type { Rng } from './rng.ts';

/**
 * Noise that is drawn at every neuron and step: numbers of a place instead of a sequence, as in `chance.ts`, so that four are made at
 * once. Number i follows from the key and i alone: 32 random bits, whose sign is that of the number, and of which a normal number takes 24.
 */
export interface Noise {
  readonly kind: NoiseKind;
  /** 32 bits. */
  readonly key: number;
}

/** Standard normal, or plus and minus 1 with the same chance, which is a random bit as a chip has it. */
export type NoiseKind = 'normal' | 'sign';

export function createNoise(rng: Rng, kind: NoiseKind): Noise {
  const [a, b] = rng.state().words;
  return { kind, key: scramble(scramble(a) ^ b) };
}

/** Loops over long arrays of numbers. A backend may have faster ones for its own memory, with the same numbers but for rounding. */
export interface ArrayLoops {
  /** Writes n numbers of noise, from the `first`-th on, times sd. */
  draw(noise: Noise, first: number, out: Real, from: number, n: number, sd: number): void;
  /** Multiplies n numbers in place. */
  scale(out: Real, from: number, n: number, factor: number): void;
}

/** `kernels/noise.ts` has the same functions. */
export const plainArrays: ArrayLoops = {
  draw({ kind, key }, first, out, from, n, sd) {
    if (kind === 'normal') {
      for (let i = 0; i < n; i++) out[from + i] = sd * normalOf(bitsAt(key, first + i));
      return;
    }
    for (let i = 0; i < n; i++) out[from + i] = bitsAt(key, first + i) < 0 ? sd : -sd;
  },
  scale(out, from, n, factor) {
    for (let s = from; s < from + n; s++) out[s] *= factor;
  },
};

/** 32 random bits for number i, as an int32. */
function bitsAt(key: number, i: number): number {
  return scrambledBits(key ^ Math.imul(i + 1, 0x85ebca77));
}

/** A float32 and its bits. */
const float = new Float32Array(1);
const word = new Int32Array(float.buffer);

/**
 * The normal number of 24 random bits, by the inverse of its distribution: x uniform in (-1, 1), z = sqrt 2 erfinv(x). z / x is a smooth
 * function of t = sqrt(a - log2(1 - x^2)), nearly a straight line; a polynomial of degree 7 is within 6e-5 of it (interpolated at
 * Chebyshev nodes over all x of 24 bits, a for the least error; ours). The logarithm is the exponent and a polynomial of the mantissa m in
 * v = 2 m - 3, to 2e-5. Largest |z|: 5.4.
 */
function normalOf(bits: number): number {
  const x = (2 * (bits >>> 8) + 1 - 2 ** 24) / 2 ** 24;
  float[0] = (1 - x) * (1 + x);
  const exponent = (word[0] >> 23) - 127;
  word[0] = (word[0] & 0x7fffff) | 0x3f800000;
  const v = 2 * float[0] - 3;
  const vv = v * v;
  const mantissa = 0.584950763 + 0.480901717 * v + (-0.0799394277 + 0.0177506855 * v) * vv;
  const log = exponent + mantissa + (-0.00499851313 + 0.00134390493 * v) * vv * vv;
  const u = 0.61331311 * Math.sqrt(4.2 - log) - 2.2569179;
  const uu = u * u;
  const low = 3.36577791 + 2.2773286 * u + (-0.115015085 - 0.052865007 * u) * uu;
  const high = 0.179889282 - 0.128789896 * u + (-0.0326475624 + 0.0490877382 * u) * uu;
  return x * (low + high * uu * uu);
}
