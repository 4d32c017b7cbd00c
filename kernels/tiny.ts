/**
 * Numbers that have decayed below 1e-30 become 0. Denormal numbers cost a hundred times as much, mean nothing here, and a
 * decay near 1 would leave the smallest of them as it is for ever.
 */
const LEAST: f32 = 1e-30;

/** Four numbers. */
// @ts-ignore: decorator
@inline
export function flush4(x: v128): v128 {
  return v128.and(x, f32x4.gt(f32x4.abs(x), f32x4.splat(LEAST)));
}

export function flush1(x: f32): f32 {
  return abs<f32>(x) > LEAST ? x : 0;
}

/** A row of numbers, in place.   x: [n] */
export function flushRow(x: usize, n: i32): void {
  const bytes = <usize>n << 2;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(x + o, flush4(v128.load(x + o)));
  for (; o < bytes; o += 4) store<f32>(x + o, flush1(load<f32>(x + o)));
}

/** Steps between two looks at states that decay by themselves. */
export const FLUSH_EVERY: i32 = 32;

/** The power of two that is nearest on a logarithmic scale, of a number >= 0: mantissas above sqrt 2 belong to the next one. */
export function nearestPowerOfTwo(x: f32): f32 {
  const bits = reinterpret<u32>(x);
  const power = (bits & 0x7f800000) + ((bits & 0x7fffff) > 0x3504f3 ? 0x800000 : 0);
  return reinterpret<f32>(power);
}
