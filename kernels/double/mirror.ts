import { ODD, SCALE, upper } from './rounding';

/** Matrices as 16-bit integers, for sums over spikes. */

/** Bytes of a row of n 16-bit integers, which begins at a whole vector. */
// @ts-ignore: decorator
@inline
export function mirrorBytes(n: i32): usize {
  return <usize>((n + 7) & ~7) << 1;
}

/** The field as 16-bit integers, in steps; the record tells whether that is all of it.   values: [rows][n] */
export function reflect(mirror: usize, values: usize, rows: i32, n: i32, record: usize): void {
  const scale = load<f64>(record, SCALE), bytes = mirrorBytes(n);
  let odd = 0;
  for (let i = 0; i < rows; i++, mirror += bytes) {
    for (let o = mirror, end = mirror + (<usize>n << 1); o < end; o += 2, values += 8) {
      const value = load<f64>(values);
      odd += value != value ? 1 : 0;
      store<i16>(o, <i16>(value * scale));
    }
  }
  store<f64>(record, <f64>odd, ODD);
}

/**
 * out_j += sum_i x_i M_ij for x of 0 and 1, in integers: M by its mirror.   list: work space; limit: rows that 16 bits can add up
 * @returns 0 and does nothing where an x is anything else
 */
export function addMirrored(out: usize, mirror: usize, x: usize, list: usize, nPre: i32, n: i32, step: f64, limit: i32): i32 {
  const bytes = mirrorBytes(n), none = f64x2.splat(0), one = f64x2.splat(1);
  let end = list;
  let odd = none;
  let i = 0;
  for (; i + 2 <= nPre; i += 2, x += 16) {
    const pair = v128.load(x);
    const ones = f64x2.eq(pair, one);
    odd = v128.or(odd, v128.andnot(f64x2.ne(pair, none), ones));
    const which = i64x2.bitmask(ones);
    store<u32>(end, <u32>mirror);
    end += (which & 1) << 2;
    mirror += bytes;
    store<u32>(end, <u32>mirror);
    end += (which & 2) << 1;
    mirror += bytes;
  }
  if (i < nPre) {
    const last = v128.load64_splat(x);
    odd = v128.or(odd, v128.andnot(f64x2.ne(last, none), f64x2.eq(last, one)));
    store<u32>(end, <u32>mirror);
    end += f64x2.extract_lane(last, 0) == 1 ? 4 : 0;
  }
  if (v128.any_true(odd)) return 0;
  if (end == list) return 1;
  const span = <usize>limit << 2;
  let o: usize = 0;
  for (; o + 64 <= bytes; o += 64) {
    let a = i32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let at = list; at < end; ) {
      const stop = min(end, at + span);
      let p = i16x8.splat(0), q = p, r = p, s = p;
      for (; at < stop; at += 4) {
        const row = <usize>load<u32>(at) + o;
        p = i16x8.add(p, v128.load(row)); q = i16x8.add(q, v128.load(row, 16));
        r = i16x8.add(r, v128.load(row, 32)); s = i16x8.add(s, v128.load(row, 48));
      }
      a = i32x4.add(a, i32x4.extend_low_i16x8_s(p)); b = i32x4.add(b, i32x4.extend_high_i16x8_s(p));
      c = i32x4.add(c, i32x4.extend_low_i16x8_s(q)); d = i32x4.add(d, i32x4.extend_high_i16x8_s(q));
      e = i32x4.add(e, i32x4.extend_low_i16x8_s(r)); f = i32x4.add(f, i32x4.extend_high_i16x8_s(r));
      g = i32x4.add(g, i32x4.extend_low_i16x8_s(s)); h = i32x4.add(h, i32x4.extend_high_i16x8_s(s));
    }
    const to = out + (o << 2), left = n - <i32>(o >> 1);
    addSteps(to, a, step, left); addSteps(to + 32, b, step, left - 4);
    addSteps(to + 64, c, step, left - 8); addSteps(to + 96, d, step, left - 12);
    addSteps(to + 128, e, step, left - 16); addSteps(to + 160, f, step, left - 20);
    addSteps(to + 192, g, step, left - 24); addSteps(to + 224, h, step, left - 28);
  }
  for (; o < bytes; o += 16) {
    let low = i32x4.splat(0), high = low;
    for (let at = list; at < end; ) {
      const stop = min(end, at + span);
      let sum = i16x8.splat(0);
      for (; at < stop; at += 4) sum = i16x8.add(sum, v128.load(<usize>load<u32>(at) + o));
      low = i32x4.add(low, i32x4.extend_low_i16x8_s(sum));
      high = i32x4.add(high, i32x4.extend_high_i16x8_s(sum));
    }
    const to = out + (o << 2), left = n - <i32>(o >> 1);
    addSteps(to, low, step, left);
    addSteps(to + 32, high, step, left - 4);
  }
  return 1;
}

/** Adds up to four integers, as steps. */
// @ts-ignore: decorator
@inline
function addSteps(to: usize, integers: v128, step: f64, left: i32): void {
  if (left >= 4) {
    const s = f64x2.splat(step);
    v128.store(to, f64x2.add(v128.load(to), f64x2.mul(f64x2.convert_low_i32x4_s(integers), s)));
    v128.store(to, f64x2.add(v128.load(to, 16), f64x2.mul(f64x2.convert_low_i32x4_s(upper(integers)), s)), 16);
    return;
  }
  if (left > 0) store<f64>(to, load<f64>(to) + <f64>i32x4.extract_lane(integers, 0) * step);
  if (left > 1) store<f64>(to, load<f64>(to, 8) + <f64>i32x4.extract_lane(integers, 1) * step, 8);
  if (left > 2) store<f64>(to, load<f64>(to, 16) + <f64>i32x4.extract_lane(integers, 2) * step, 16);
}
