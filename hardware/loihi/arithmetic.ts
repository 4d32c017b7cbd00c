/**
 * Integer arithmetic of Loihi as lava has it (lava-nc/lava, commit b6822fbc). Integers are doubles here: a 24-bit state
 * times a 12-bit decay has up to 36 bits, more than JavaScript's own shifts can hold.
 */

/** D(x, d) = sgn(x) * floor(|x| (4096 - d) / 4096): rounds toward zero, and never to -0. @param d 12-bit decay, 0..4096 */
export function decayTowardZero(x: number, d: number): number {
  const kept = Math.floor((Math.abs(x) * (4096 - d)) / 4096);
  return x < 0 ? 0 - kept : kept;
}

/** x * 2^e; the floor of it where e < 0, as an arithmetic right shift. */
export function shift(x: number, e: number): number {
  return Math.floor(x * 2 ** e);
}

export function clip(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/** lava's wrap of a 24-bit current: once, into (-2^23, 2^23]; the range is one above that of two's complement. */
export function wrapOnce(x: number): number {
  return x > 8388608 ? x - 16777216 : x <= -8388608 ? x + 16777216 : x;
}

/** nengo-loihi's overflow: the low `bits` bits as two's complement, in [-2^(bits-1), 2^(bits-1)). */
export function wrapTwosComplement(x: number, bits: number): number {
  const range = 2 ** bits;
  return x - range * Math.floor(x / range + 0.5);
}

/** The nearest integer, halves to the even one. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? 1 : 0);
}
