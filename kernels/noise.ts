/** Noise of a place, four numbers at a time; `src/core/noise.ts` has the same functions, and says where its numbers are from. */

/** 32 random bits each for numbers i + 1 = (next, next + 1, ...). */
// @ts-ignore: decorator
@inline
function bits4(key: v128, next: v128, m0: v128, m1: v128, m2: v128): v128 {
  let hash = v128.xor(key, i32x4.mul(next, m0));
  hash = i32x4.mul(v128.xor(hash, i32x4.shr_u(hash, 16)), m1);
  hash = i32x4.mul(v128.xor(hash, i32x4.shr_u(hash, 13)), m2);
  return v128.xor(hash, i32x4.shr_u(hash, 16));
}

/** a + b x */
// @ts-ignore: decorator
@inline
function line(a: v128, b: v128, x: v128): v128 {
  return f32x4.add(a, f32x4.mul(b, x));
}

/** Stores the first `left` of four numbers, which are one to four. */
// @ts-ignore: decorator
@inline
function storeFirst(to: usize, x: v128, left: i32): void {
  if (left > 3) return v128.store(to, x);
  store<f32>(to, f32x4.extract_lane(x, 0));
  if (left > 1) store<f32>(to, f32x4.extract_lane(x, 1), 4);
  if (left > 2) store<f32>(to, f32x4.extract_lane(x, 2), 8);
}

/** Numbers that are taken through one loop before the next: two short chains of sums overlap where one long chain does not. */
const PIECE: i32 = 256;

/** out_i = sd z_(first + i), z standard normal.   out: [n] */
export function drawNormal(out: usize, n: i32, sd: f32, key: i32, first: i32): void {
  for (let i = 0; i < n; i += PIECE) {
    const at = out + (<usize>i << 2), size = min(PIECE, n - i);
    drawUniform(at, size, key, first + i);
    toNormal(at, size, sd);
  }
}

/** Uniform in (-1, 1), 24 bits.   out: [n] */
function drawUniform(out: usize, n: i32, key: i32, first: i32): void {
  const keys = i32x4.splat(key), four = i32x4.splat(4), half = i32x4.splat(0xffffff), step = f32x4.splat(1 / 16777216);
  const m0 = i32x4.splat(0x85ebca77), m1 = i32x4.splat(0x85ebca6b), m2 = i32x4.splat(0xc2b2ae35);
  let next = i32x4.add(i32x4.splat(first), i32x4(1, 2, 3, 4));
  for (let i = 0; i < n; i += 4) {
    const place = i32x4.shl(i32x4.shr_u(bits4(keys, next, m0, m1, m2), 8), 1);
    storeFirst(out + (<usize>i << 2), f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(place, half)), step), n - i);
    next = i32x4.add(next, four);
  }
}

/**
 * Uniform numbers to normal ones, in place.   x: [n]
 *
 * The logarithm is the exponent and a polynomial of the mantissa m in 2 m - 3, to 2e-5. Constants are in variables, since nobody takes
 * them out of the loop, and sums of polynomials in pairs, which do not wait for each other.
 */
function toNormal(x: usize, n: i32, sd: f32): void {
  const one = f32x4.splat(1), two = f32x4.splat(2), three = f32x4.splat(-3);
  const bias = i32x4.splat(127), mantissa = i32x4.splat(0x7fffff), unit = i32x4.splat(0x3f800000);
  const l0 = f32x4.splat(0.584950763), l1 = f32x4.splat(0.480901717), l2 = f32x4.splat(-0.0799394277);
  const l3 = f32x4.splat(0.0177506855), l4 = f32x4.splat(-0.00499851313), l5 = f32x4.splat(0.00134390493);
  const shift = f32x4.splat(4.2), slope = f32x4.splat(0.61331311), centre = f32x4.splat(-2.2569179);
  const c0 = f32x4.splat(3.36577791 * sd), c1 = f32x4.splat(2.2773286 * sd);
  const c2 = f32x4.splat(-0.115015085 * sd), c3 = f32x4.splat(-0.052865007 * sd);
  const c4 = f32x4.splat(0.179889282 * sd), c5 = f32x4.splat(-0.128789896 * sd);
  const c6 = f32x4.splat(-0.0326475624 * sd), c7 = f32x4.splat(0.0490877382 * sd);
  for (let i = 0; i < n; i += 4) {
    const at = x + (<usize>i << 2), place = v128.load(at);
    const y = f32x4.mul(f32x4.sub(one, place), f32x4.add(one, place));
    const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(y, 23), bias));
    const v = line(three, two, v128.or(v128.and(y, mantissa), unit)), vv = f32x4.mul(v, v);
    const log = f32x4.add(exponent, line(line(l0, l1, v), line(line(l2, l3, v), line(l4, l5, v), vv), vv));
    const u = line(centre, slope, f32x4.sqrt(f32x4.sub(shift, log))), uu = f32x4.mul(u, u);
    const low = line(line(c0, c1, u), line(c2, c3, u), uu), high = line(line(c4, c5, u), line(c6, c7, u), uu);
    storeFirst(at, f32x4.mul(place, line(low, high, f32x4.mul(uu, uu))), n - i);
  }
}

/** out_i = +sd or -sd.   out: [n] */
export function drawSign(out: usize, n: i32, sd: f32, key: i32, first: i32): void {
  const keys = i32x4.splat(key), minus = f32x4.splat(-sd), four = i32x4.splat(4), top = i32x4.splat(0x80000000);
  const m0 = i32x4.splat(0x85ebca77), m1 = i32x4.splat(0x85ebca6b), m2 = i32x4.splat(0xc2b2ae35);
  let next = i32x4.add(i32x4.splat(first), i32x4(1, 2, 3, 4));
  for (let i = 0; i < n; i += 4) {
    const sign = v128.and(bits4(keys, next, m0, m1, m2), top);
    storeFirst(out + (<usize>i << 2), v128.xor(minus, sign), n - i);
    next = i32x4.add(next, four);
  }
}
