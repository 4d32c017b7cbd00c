/** Rounding two numbers at a time, random numbers for it, and what is counted. */

// What a store knows of its format and what it counts: numbers of eight bytes, in the order of `src/backends/fixed/store.ts`.
export const SCALE: usize = 0, STEP: usize = 8, LOW: usize = 16, HIGH: usize = 24, COUNT: usize = 32;
export const TRIED: usize = 40, FIRED: usize = 48, LOST: usize = 56, SATURATED: usize = 64, WRAPPED: usize = 72, FLUSHED: usize = 80;
export const SMALLEST: usize = 88, LARGEST: usize = 96, ODD: usize = 104;

// Roundings by number.
export const FLOOR = 0, NEAREST = 1, TOWARD_ZERO = 2, STOCHASTIC = 3;

/** 31 random bits for each of the entries s, s+1, s+2, s+3: a hash of the entry and of the two keys of the sweep. */
// @ts-ignore: decorator
@inline
export function wordsOf(s: i32, key: v128, second: v128): v128 {
  let x = v128.xor(i32x4.add(i32x4.splat(s), i32x4(0, 1, 2, 3)), key);
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.add(i32x4.mul(x, i32x4.splat(0x7feb352d)), second);
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(0x846ca68b));
  return i32x4.shr_u(v128.xor(x, i32x4.shr_u(x, 16)), 1);
}

/** The same for one entry. */
// @ts-ignore: decorator
@inline
export function wordOf(s: i32, key: i32, second: i32): i32 {
  let x = <u32>(s ^ key);
  x ^= x >> 16;
  x = x * 0x7feb352d + <u32>second;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return <i32>((x ^ (x >> 16)) >> 1);
}

// @ts-ignore: decorator
@inline
export function upper(words: v128): v128 {
  return i32x4.shuffle(words, words, 2, 3, 0, 1);
}

/** @param words of the two entries, in the lower half */
// @ts-ignore: decorator
@inline
export function rounded(x: v128, rounding: i32, words: v128): v128 {
  if (rounding == FLOOR) return f64x2.floor(x);
  if (rounding == NEAREST) return f64x2.floor(f64x2.add(x, f64x2.splat(0.5)));
  if (rounding == TOWARD_ZERO) return f64x2.trunc(x);
  return f64x2.ceil(f64x2.sub(x, f64x2.mul(f64x2.convert_low_i32x4_s(words), f64x2.splat(1.0 / 2147483648.0))));
}

// @ts-ignore: decorator
@inline
export function lanes(counts: v128): f64 {
  return <f64>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
}

// @ts-ignore: decorator
@inline
export function count(record: usize, slot: usize, n: f64): void {
  store<f64>(record + slot, load<f64>(record + slot) + n);
}

/** Integers beyond the word, saturated or wrapped. */
// @ts-ignore: decorator
@inline
export function within(integer: v128, record: usize, wraps: i32): v128 {
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH));
  if (!wraps) return f64x2.pmin(f64x2.pmax(integer, low), high);
  const turn = f64x2.sub(integer, low), all = f64x2.splat(load<f64>(record, COUNT));
  return f64x2.add(low, f64x2.sub(turn, f64x2.mul(all, f64x2.floor(f64x2.div(turn, all)))));
}

/** An integer beyond the word, wrapped. */
// @ts-ignore: decorator
@inline
export function wrapped(integer: f64, record: usize): f64 {
  const low = load<f64>(record, LOW), all = load<f64>(record, COUNT), turn = integer - low;
  return low + (turn - all * Math.floor(turn / all));
}
