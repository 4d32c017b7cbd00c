/**
 * Loops in float64, two numbers at a time, for learning in fixed point: numbers on a grid are integers times a power of two, which
 * float64 holds exactly, so these are integer kernels with accumulators of 53 bits. Every entry sees the operations of the
 * plain loops in their order: the numbers are equal to the last bit. M, grad, w: [pre][n]. Addresses and sizes are in bytes and numbers.
 */

/** out_j += sum of value * row_j over a list of values (eight bytes) and addresses of rows, sixteen bytes an entry. */
// @ts-ignore: decorator
@inline
function addListed(out: usize, list: usize, end: usize, bytes: usize): void {
  let o: usize = 0;
  for (; o + 128 <= bytes; o += 128) {
    const to = out + o;
    let a = v128.load(to), b = v128.load(to, 16), c = v128.load(to, 32), d = v128.load(to, 48);
    let e = v128.load(to, 64), f = v128.load(to, 80), g = v128.load(to, 96), h = v128.load(to, 112);
    for (let at = list; at < end; at += 16) {
      const row = <usize>load<u32>(at, 8) + o, value = v128.load64_splat(at);
      a = f64x2.add(a, f64x2.mul(value, v128.load(row)));
      b = f64x2.add(b, f64x2.mul(value, v128.load(row, 16)));
      c = f64x2.add(c, f64x2.mul(value, v128.load(row, 32)));
      d = f64x2.add(d, f64x2.mul(value, v128.load(row, 48)));
      e = f64x2.add(e, f64x2.mul(value, v128.load(row, 64)));
      f = f64x2.add(f, f64x2.mul(value, v128.load(row, 80)));
      g = f64x2.add(g, f64x2.mul(value, v128.load(row, 96)));
      h = f64x2.add(h, f64x2.mul(value, v128.load(row, 112)));
    }
    v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
    v128.store(to, e, 64); v128.store(to, f, 80); v128.store(to, g, 96); v128.store(to, h, 112);
  }
  for (; o + 16 <= bytes; o += 16) {
    let sum = v128.load(out + o);
    for (let at = list; at < end; at += 16) {
      sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(at), v128.load(<usize>load<u32>(at, 8) + o)));
    }
    v128.store(out + o, sum);
  }
  for (; o < bytes; o += 8) {
    let sum = load<f64>(out + o);
    for (let at = list; at < end; at += 16) sum += load<f64>(at) * load<f64>(<usize>load<u32>(at, 8) + o);
    store<f64>(out + o, sum);
  }
}

/** out_j += sum_i x_i M_ij over the x_i that are not 0.   out: [n]; x: [nPre]; list: work space of 16 nPre bytes */
export function addRows(out: usize, M: usize, x: usize, list: usize, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3;
  let end = list;
  for (let i = 0; i < nPre; i++, M += bytes) {
    const value = load<f64>(x + (<usize>i << 3));
    store<f64>(end, value);
    store<u32>(end, <u32>M, 8);
    end += value != 0 ? 16 : 0;
  }
  if (end > list) addListed(out, list, end, bytes);
}

/** M_ij += rate x_i d_j over `count` pairs, one row of M after the other.   x: [nPre], every `stride`; d: [count][n]; list: 16 count bytes */
export function addOuter(M: usize, x: usize, stride: i32, d: usize, list: usize, rate: f64, nPre: i32, n: i32, count: i32): void {
  const bytes = <usize>n << 3, skip = <usize>stride << 3;
  for (let i = 0; i < nPre; i++, M += bytes, x += 8) {
    let end = list;
    for (let b = 0; b < count; b++) {
      const factor = rate * load<f64>(x + <usize>b * skip);
      store<f64>(end, factor);
      store<u32>(end, <u32>(d + <usize>b * bytes), 8);
      end += factor != 0 ? 16 : 0;
    }
    if (end > list) addListed(M, list, end, bytes);
  }
}

/** out_i = sum_j M_ij g_j for `count` vectors.   out, g: [count][n]; M: [n][n]; turned: work space of 2 n numbers */
export function pullBack(out: usize, M: usize, g: usize, turned: usize, n: i32, count: i32): void {
  const bytes = <usize>n << 3;
  let b = 0;
  for (; b + 8 <= count; b += 8) pullBack8(out + <usize>b * bytes, M, g + <usize>b * bytes, turned, n);
  for (; b < count; b++) {
    for (let i: usize = 0; i < bytes; i += 8) {
      const row = M + i * <usize>n;
      let sum: f64 = 0;
      for (let o: usize = 0; o < bytes; o += 8) sum += load<f64>(row + o) * load<f64>(g + <usize>b * bytes + o);
      store<f64>(out + <usize>b * bytes + i, sum);
    }
  }
}

/** Eight vectors at a time, two in a lane pair, so that each sum keeps its order.   turned: [n][8] */
function pullBack8(out: usize, M: usize, g: usize, turned: usize, n: i32): void {
  const bytes = <usize>n << 3;
  for (let b: usize = 0; b < 8; b++) {
    for (let j: usize = 0; j < <usize>n; j++) store<f64>(turned + (j << 6) + (b << 3), load<f64>(g + b * bytes + (j << 3)));
  }
  for (let i: usize = 0; i < bytes; i += 8) {
    const row = M + i * <usize>n;
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let o: usize = 0; o < bytes; o += 8) {
      const m = v128.load64_splat(row + o), at = turned + (o << 3);
      s0 = f64x2.add(s0, f64x2.mul(m, v128.load(at)));
      s1 = f64x2.add(s1, f64x2.mul(m, v128.load(at, 16)));
      s2 = f64x2.add(s2, f64x2.mul(m, v128.load(at, 32)));
      s3 = f64x2.add(s3, f64x2.mul(m, v128.load(at, 48)));
    }
    const to = out + i;
    store<f64>(to, f64x2.extract_lane(s0, 0)); store<f64>(to + bytes, f64x2.extract_lane(s0, 1));
    store<f64>(to + 2 * bytes, f64x2.extract_lane(s1, 0)); store<f64>(to + 3 * bytes, f64x2.extract_lane(s1, 1));
    store<f64>(to + 4 * bytes, f64x2.extract_lane(s2, 0)); store<f64>(to + 5 * bytes, f64x2.extract_lane(s2, 1));
    store<f64>(to + 6 * bytes, f64x2.extract_lane(s3, 0)); store<f64>(to + 7 * bytes, f64x2.extract_lane(s3, 1));
  }
}

/** f_i = decay f_i + gain x_i.   [n] */
export function filter(f: usize, x: usize, decay: f64, gain: f64, n: i32): void {
  const bytes = <usize>n << 3, k = f64x2.splat(decay), z = f64x2.splat(gain);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    v128.store(f + o, f64x2.add(f64x2.mul(k, v128.load(f + o)), f64x2.mul(z, v128.load(x + o))));
  }
  for (; o < bytes; o += 8) store<f64>(f + o, decay * load<f64>(f + o) + gain * load<f64>(x + o));
}

/** e_ij = psi_j eps_i.   e: [nPre][n] */
export function eligibilityLif(e: usize, eps: usize, psi: usize, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let i = 0; i < nPre; i++, e += bytes) {
    const trace = load<f64>(eps + (<usize>i << 3)), f = f64x2.splat(trace);
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) v128.store(e + o, f64x2.mul(v128.load(psi + o), f));
    for (; o < bytes; o += 8) store<f64>(e + o, load<f64>(psi + o) * trace);
  }
}

/** e_ij = decay e_ij + psi_j pulse_i. */
export function eligibilityPostThenFilter(e: usize, pulse: usize, psi: usize, decay: f64, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3, k = f64x2.splat(decay);
  for (let i = 0; i < nPre; i++, e += bytes) {
    const arriving = load<f64>(pulse + (<usize>i << 3)), p = f64x2.splat(arriving);
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) {
      v128.store(e + o, f64x2.add(f64x2.mul(k, v128.load(e + o)), f64x2.mul(v128.load(psi + o), p)));
    }
    for (; o < bytes; o += 8) store<f64>(e + o, decay * load<f64>(e + o) + load<f64>(psi + o) * arriving);
  }
}

/** eBar_ij = kappa eBar_ij + gain e_ij;  grad_ij += L_j eBar_ij + R_j e_ij. */
export function addFiltered(grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3, k = f64x2.splat(kappa), z = f64x2.splat(gain);
  for (let i = 0; i < nPre; i++, grad += bytes, eBar += bytes, e += bytes) {
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) {
      const own = v128.load(e + o);
      const filtered = f64x2.add(f64x2.mul(k, v128.load(eBar + o)), f64x2.mul(z, own));
      v128.store(eBar + o, filtered);
      const owed = f64x2.add(f64x2.mul(v128.load(signal + o), filtered), f64x2.mul(v128.load(rate + o), own));
      v128.store(grad + o, f64x2.add(v128.load(grad + o), owed));
    }
    for (; o < bytes; o += 8) {
      const own = load<f64>(e + o), filtered = kappa * load<f64>(eBar + o) + gain * own;
      store<f64>(eBar + o, filtered);
      store<f64>(grad + o, load<f64>(grad + o) + (load<f64>(signal + o) * filtered + load<f64>(rate + o) * own));
    }
  }
}

/** grad_ij += (gain L_j + R_j) e_ij. */
export function addUnfiltered(grad: usize, e: usize, signal: usize, rate: usize, gain: f64, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3, z = f64x2.splat(gain);
  for (let i = 0; i < nPre; i++, grad += bytes, e += bytes) {
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) {
      const d = f64x2.add(f64x2.mul(z, v128.load(signal + o)), v128.load(rate + o));
      v128.store(grad + o, f64x2.add(v128.load(grad + o), f64x2.mul(d, v128.load(e + o))));
    }
    for (; o < bytes; o += 8) {
      const d = gain * load<f64>(signal + o) + load<f64>(rate + o);
      store<f64>(grad + o, load<f64>(grad + o) + d * load<f64>(e + o));
    }
  }
}

/** w = w - step;  step = 0.   [n] */
export function take(w: usize, step: usize, n: i32): void {
  const bytes = <usize>n << 3, none = f64x2.splat(0);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    v128.store(w + o, f64x2.sub(v128.load(w + o), v128.load(step + o)));
    v128.store(step + o, none);
  }
  for (; o < bytes; o += 8) {
    store<f64>(w + o, load<f64>(w + o) - load<f64>(step + o));
    store<f64>(step + o, 0);
  }
}

/** x = factor x.   [n] */
export function multiply(x: usize, factor: f64, n: i32): void {
  const bytes = <usize>n << 3, f = f64x2.splat(factor);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(x + o, f64x2.mul(f, v128.load(x + o)));
  for (; o < bytes; o += 8) store<f64>(x + o, factor * load<f64>(x + o));
}

// What a store knows of its format and what it counts: numbers of eight bytes, in the order of `src/backends/fixed/store.ts`.
const SCALE: usize = 0, STEP: usize = 8, LOW: usize = 16, HIGH: usize = 24, COUNT: usize = 32;
const TRIED: usize = 40, FIRED: usize = 48, LOST: usize = 56, SATURATED: usize = 64, WRAPPED: usize = 72, FLUSHED: usize = 80;
const SMALLEST: usize = 88, LARGEST: usize = 96;

// Roundings by number.
const FLOOR = 0, NEAREST = 1, TOWARD_ZERO = 2, STOCHASTIC = 3;

/** 31 random bits for each of the entries s, s+1, s+2, s+3: a hash of the entry and of the two keys of the sweep. */
// @ts-ignore: decorator
@inline
function wordsOf(s: i32, key: v128, second: v128): v128 {
  let x = v128.xor(i32x4.add(i32x4.splat(s), i32x4(0, 1, 2, 3)), key);
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.add(i32x4.mul(x, i32x4.splat(0x7feb352d)), second);
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(0x846ca68b));
  return i32x4.shr_u(v128.xor(x, i32x4.shr_u(x, 16)), 1);
}

// @ts-ignore: decorator
@inline
function upper(words: v128): v128 {
  return i32x4.shuffle(words, words, 2, 3, 0, 1);
}

/** @param words of the two entries, in the lower half */
// @ts-ignore: decorator
@inline
function rounded(x: v128, rounding: i32, words: v128): v128 {
  if (rounding == FLOOR) return f64x2.floor(x);
  if (rounding == NEAREST) return f64x2.floor(f64x2.add(x, f64x2.splat(0.5)));
  if (rounding == TOWARD_ZERO) return f64x2.trunc(x);
  const below = f64x2.floor(x);
  const up = f64x2.lt(f64x2.convert_low_i32x4_s(words), f64x2.mul(f64x2.sub(x, below), f64x2.splat(2147483648)));
  return f64x2.add(below, v128.and(up, f64x2.splat(1)));
}

// @ts-ignore: decorator
@inline
function lanes(counts: v128): f64 {
  return <f64>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
}

// @ts-ignore: decorator
@inline
function count(record: usize, slot: usize, n: f64): void {
  store<f64>(record + slot, load<f64>(record + slot) + n);
}

/**
 * Puts entries [from, from + n) of a field on its grid and counts; `settleOne` in `src/backends/fixed/store.ts` says the same for
 * one number. values, kept: the whole field, or kept 0: all entries are new; keys of the sweep for stochastic rounding
 */
export function settle(values: usize, kept: usize, from: i32, n: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32): void {
  if (n & 1) settleAll(true, values, kept, from, n, record, rounding, wraps, key, second);
  else settleAll(false, values, kept, from, n, record, rounding, wraps, key, second);
}

// @ts-ignore: decorator
@inline
function settleAll(odd: bool, values: usize, kept: usize, from: i32, n: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32): void {
  if (rounding == FLOOR) settleBy(FLOOR, odd, values, kept, from, n, record, wraps, key, second);
  else if (rounding == NEAREST) settleBy(NEAREST, odd, values, kept, from, n, record, wraps, key, second);
  else if (rounding == TOWARD_ZERO) settleBy(TOWARD_ZERO, odd, values, kept, from, n, record, wraps, key, second);
  else settleBy(STOCHASTIC, odd, values, kept, from, n, record, wraps, key, second);
}

/** One loop for each rounding, without a branch on it. */
// @ts-ignore: decorator
@inline
function settleBy(rounding: i32, odd: bool, values: usize, kept: usize, from: i32, n: i32, record: usize, wraps: i32, key: i32, second: i32): void {
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP));
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH)), none = f64x2.splat(0);
  const keys = i32x4.splat(key), seconds = i32x4.splat(second), unlike = f64x2.splat(NaN);
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let tried = i64x2.splat(0), fired = tried, flushed = tried, beyondAll = tried;
  const end = from + n;
  let words = none;
  for (let s = from; s < end; s += 2) {
    const o = <usize>s << 3;
    let value = v128.load(values + o);
    const old = kept ? v128.load(kept + o) : unlike;
    // The entry after an odd last one is not of this sweep.
    let changed = f64x2.ne(value, old);
    if (odd && s + 1 == end) {
      changed = v128.and(changed, i64x2(-1, 0));
      value = f64x2.replace_lane(value, 1, f64x2.extract_lane(value, 0));
    }
    smallest = f64x2.pmin(smallest, value);
    largest = f64x2.pmax(largest, value);
    if (rounding == STOCHASTIC) words = (s - from) & 2 ? upper(words) : wordsOf(s, keys, seconds);
    if (!v128.any_true(changed)) continue;
    let integer = rounded(f64x2.mul(value, scale), rounding, words);
    const beyond = v128.and(v128.or(f64x2.lt(integer, low), f64x2.gt(integer, high)), changed);
    if (v128.any_true(beyond)) {
      beyondAll = i64x2.sub(beyondAll, beyond);
      integer = within(integer, record, wraps);
      const far = f64x2.ge(f64x2.abs(f64x2.sub(f64x2.mul(value, scale), integer)), f64x2.splat(1));
      const same = f64x2.eq(f64x2.mul(integer, step), old);
      count(record, LOST, lanes(v128.and(v128.and(far, same), beyond)));
    }
    // Never -0: what is stored is an integer.
    const stored = f64x2.add(f64x2.mul(integer, step), none);
    tried = i64x2.sub(tried, changed);
    fired = i64x2.sub(fired, v128.andnot(changed, f64x2.eq(stored, old)));
    flushed = i64x2.sub(flushed, v128.and(v128.andnot(changed, f64x2.eq(value, none)), f64x2.eq(stored, none)));
    if (odd && s + 1 == end) {
      v128.store64_lane(values + o, v128.bitselect(stored, value, changed), 0);
      if (kept) v128.store64_lane(kept + o, v128.bitselect(stored, old, changed), 0);
    } else {
      v128.store(values + o, v128.bitselect(stored, value, changed));
      if (kept) v128.store(kept + o, v128.bitselect(stored, old, changed));
    }
  }
  const total = lanes(tried), moved = lanes(fired);
  count(record, TRIED, total);
  count(record, FIRED, moved);
  count(record, LOST, total - moved);
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyondAll));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
}

/** Integers beyond the word, saturated or wrapped. */
// @ts-ignore: decorator
@inline
function within(integer: v128, record: usize, wraps: i32): v128 {
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH));
  if (!wraps) return f64x2.pmin(f64x2.pmax(integer, low), high);
  const turn = f64x2.sub(integer, low), all = f64x2.splat(load<f64>(record, COUNT));
  return f64x2.add(low, f64x2.sub(turn, f64x2.mul(all, f64x2.floor(f64x2.div(turn, all)))));
}

/**
 * M_ij moves by rate sum over pairs of x_i d_j, rounded to steps of its grid. Every entry of a row whose x are not all 0 is tried.
 * rate: as `learnRow` wants changes; row: work space of n numbers; scaled: of pairs * n numbers and nPre words; others as those of
 * `addOuter` and `learnRow`
 */
export function learnOuter(
  M: usize, mirror: usize, x: usize, stride: i32, d: usize, list: usize, row: usize, scaled: usize, rate: f64, nPre: i32, n: i32, pairs: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  const bytes = <usize>n << 3, reflected = mirror ? mirrorBytes(n) : 0;
  const masks = scaled + <usize>pairs * bytes;
  const binary = pairs <= 32 && whoSpikes(masks, x, stride, nPre, pairs);
  if (binary) scale(scaled, d, rate, pairs * n);
  let rows = 0;
  for (let i = 0; i < nPre; i++, M += bytes, mirror += reflected, x += 8) {
    if (binary) {
      const end = listSpikes(list, load<u32>(masks + (<usize>i << 2)), scaled, bytes);
      if (end == list) continue;
      sumListed(row, list, end, bytes);
    } else {
      const end = listFactors(list, x, stride, d, rate, bytes, pairs);
      if (end == list) continue;
      memory.fill(row, 0, bytes);
      addListed(row, list, end, bytes);
    }
    rows++;
    learnRow(M, mirror, row, list, i * n, n, record, rounding, wraps, key, second);
  }
  const tried = <f64>rows * <f64>n;
  count(record, TRIED, tried);
  count(record, LOST, tried);
}

/** Bit b of word i: whether x_i of pair b is 1. @returns whether all x are 0 or 1 */
function whoSpikes(masks: usize, x: usize, stride: i32, nPre: i32, pairs: i32): bool {
  const one = f64x2.splat(1), none = f64x2.splat(0);
  let odd = none;
  memory.fill(masks, 0, <usize>nPre << 2);
  const whole = nPre & ~1;
  for (let b = 0; b < pairs; b++, x += <usize>stride << 3) {
    for (let i = 0; i < whole; i += 2) {
      const pair = v128.load(x + (<usize>i << 3)), ones = f64x2.eq(pair, one), at = masks + (<usize>i << 2);
      odd = v128.or(odd, v128.andnot(f64x2.ne(pair, none), ones));
      const which = <u64>i64x2.bitmask(ones);
      store<u64>(at, load<u64>(at) | ((which & 1 | (which & 2) << 31) << b));
    }
    if (nPre == whole) continue;
    const last = load<f64>(x + (<usize>whole << 3)), at = masks + (<usize>whole << 2);
    if (last == 1) store<u32>(at, load<u32>(at) | 1 << b);
    else if (last != 0) return false;
  }
  return !v128.any_true(odd);
}

/** Addresses of the rows whose bit is set. @returns the end of the list */
// @ts-ignore: decorator
@inline
function listSpikes(list: usize, mask: u32, rows: usize, bytes: usize): usize {
  for (; mask; mask &= mask - 1, list += 4) store<u32>(list, <u32>(rows + <usize>ctz(mask) * bytes));
  return list;
}

/** Factors and addresses of the pairs whose x is not 0, for `addListed`. @returns the end of the list */
// @ts-ignore: decorator
@inline
function listFactors(list: usize, x: usize, stride: i32, d: usize, rate: f64, bytes: usize, pairs: i32): usize {
  const skip = <usize>stride << 3;
  for (let b = 0; b < pairs; b++) {
    const factor = rate * load<f64>(x + <usize>b * skip);
    store<f64>(list, factor);
    store<u32>(list, <u32>(d + <usize>b * bytes), 8);
    list += factor != 0 ? 16 : 0;
  }
  return list;
}

/** out = factor x.   [n] */
function scale(out: usize, x: usize, factor: f64, n: i32): void {
  const f = f64x2.splat(factor), bytes = <usize>n << 3;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(out + o, f64x2.mul(f, v128.load(x + o)));
  if (o < bytes) store<f64>(out + o, factor * load<f64>(x + o));
}

/** out_j = sum of row_j over a list of addresses of rows. */
// @ts-ignore: decorator
@inline
function sumListed(out: usize, list: usize, end: usize, bytes: usize): void {
  let o: usize = 0;
  for (; o + 64 <= bytes; o += 64) {
    let a = f64x2.splat(0), b = a, c = a, d = a;
    for (let at = list; at < end; at += 4) {
      const row = <usize>load<u32>(at) + o;
      a = f64x2.add(a, v128.load(row)); b = f64x2.add(b, v128.load(row, 16));
      c = f64x2.add(c, v128.load(row, 32)); d = f64x2.add(d, v128.load(row, 48));
    }
    v128.store(out + o, a); v128.store(out + o, b, 16); v128.store(out + o, c, 32); v128.store(out + o, d, 48);
  }
  for (; o + 16 <= bytes; o += 16) {
    let sum = f64x2.splat(0);
    for (let at = list; at < end; at += 4) sum = f64x2.add(sum, v128.load(<usize>load<u32>(at) + o));
    v128.store(out + o, sum);
  }
  for (; o < bytes; o += 8) {
    let sum: f64 = 0;
    for (let at = list; at < end; at += 4) sum += load<f64>(<usize>load<u32>(at) + o);
    store<f64>(out + o, sum);
  }
}

/** w_s moves by factor step_s, rounded; step = 0.   [n]; factor: to what `learnRow` wants; row: work space of `length` numbers, list: of as many words */
export function takeRounded(w: usize, step: usize, n: i32, factor: f64, row: usize, list: usize, length: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32): void {
  const f = f64x2.splat(factor), tried = tries(step, n);
  for (let s = 0; s < n; s += length) {
    const m = min(length, n - s), from = step + (<usize>s << 3);
    for (let o: usize = 0; o < <usize>m << 3; o += 16) v128.store(row + o, f64x2.mul(f, v128.load(from + o)));
    learnRow(w + (<usize>s << 3), 0, row, list, s, m, record, rounding, wraps, key, second);
  }
  memory.fill(step, 0, <usize>n << 3);
  count(record, TRIED, tried);
  count(record, LOST, tried);
}

/**
 * Entries s, s+1, .. move by changes, which are overwritten.   at: the first of them; mirror: the same as 16-bit integers, 0 for none;
 * changes: in steps, of stochastic rounding in steps of 2^-31; list: work space of n words
 */
function learnRow(at: usize, mirror: usize, changes: usize, list: usize, s: i32, n: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32): void {
  // Work space is as long as whole groups; what lies behind the row changes nothing.
  for (let j = n; j & 3; j++) store<f64>(changes + (<usize>j << 3), 0);
  let end: usize;
  if (rounding == STOCHASTIC) {
    end = drawRow(changes, list, s, n, key, second);
    roundListed(changes, list, end, s, key, second);
  } else end = rounding == FLOOR ? roundRow(FLOOR, changes, list, n) : roundRow(NEAREST, changes, list, n);
  if (end > list) moveListed(at, mirror, changes, list, end, n, record, wraps);
}

/** How many of the changes are not 0. */
function tries(changes: usize, n: i32): f64 {
  const none = f64x2.splat(0);
  let tried = i64x2.splat(0);
  const whole = <usize>(n & ~1) << 3;
  for (let o: usize = 0; o < whole; o += 16) tried = i64x2.sub(tried, f64x2.ne(v128.load(changes + o), none));
  return lanes(tried) + (n & 1 && load<f64>(changes + whole) != 0 ? 1 : 0);
}

/** Rounds changes to whole steps. @returns the end of the list of groups of four in which one is left */
// @ts-ignore: decorator
@inline
function roundRow(rounding: i32, changes: usize, list: usize, n: i32): usize {
  const none = f64x2.splat(0);
  let end = list;
  for (let j = 0; j < n; j += 4) {
    const o = changes + (<usize>j << 3);
    const first = rounded(v128.load(o), rounding, none), last = rounded(v128.load(o, 16), rounding, none);
    v128.store(o, first); v128.store(o, last, 16);
    store<u32>(end, j);
    end += v128.any_true(v128.or(f64x2.ne(first, none), f64x2.ne(last, none))) ? 4 : 0;
  }
  return end;
}

/**
 * Lists groups of four in which a change may be left: a change c is not where 0 <= r - c < 1 for its random number r.
 * @returns the end of the list
 */
function drawRow(changes: usize, list: usize, s: i32, n: i32, key: i32, second: i32): usize {
  const keys = i32x4.splat(key), seconds = i32x4.splat(second), none = f64x2.splat(0), all = f64x2.splat(2147483648);
  let end = list;
  for (let j = 0; j < n; j += 4) {
    const o = changes + (<usize>j << 3);
    const words = wordsOf(s + j, keys, seconds);
    const a = f64x2.sub(f64x2.convert_low_i32x4_s(words), v128.load(o));
    const b = f64x2.sub(f64x2.convert_low_i32x4_s(upper(words)), v128.load(o, 16));
    // All four within; a change that is no number is not, and must not be lost.
    const low = v128.and(f64x2.ge(a, none), f64x2.ge(b, none)), high = v128.and(f64x2.lt(a, all), f64x2.lt(b, all));
    store<u32>(end, j);
    end += i64x2.all_true(v128.and(low, high)) ? 0 : 4;
  }
  return end;
}

/** Rounds the changes of the listed groups to whole steps. */
function roundListed(changes: usize, list: usize, end: usize, s: i32, key: i32, second: i32): void {
  const keys = i32x4.splat(key), seconds = i32x4.splat(second);
  for (; list < end; list += 4) {
    const j = load<u32>(list);
    const o = changes + (<usize>j << 3), words = wordsOf(s + j, keys, seconds);
    v128.store(o, drawn(v128.load(o), words));
    v128.store(o, drawn(v128.load(o, 16), upper(words)), 16);
  }
}

/** Whole steps of two changes in steps of 2^-31; `draw` in `src/backends/fixed/store.ts`. */
// @ts-ignore: decorator
@inline
function drawn(change: v128, words: v128): v128 {
  const chance = f64x2.convert_low_i32x4_s(words), all = f64x2.splat(2147483648), none = f64x2.splat(0);
  const rest = f64x2.sub(chance, change);
  const lost = v128.and(f64x2.ge(rest, none), f64x2.lt(rest, all));
  const below = f64x2.floor(f64x2.mul(change, f64x2.splat(1.0 / 2147483648.0)));
  const up = f64x2.lt(chance, f64x2.sub(change, f64x2.mul(below, all)));
  return v128.andnot(f64x2.add(below, v128.and(up, f64x2.splat(1))), lost);
}

/** Carries out the whole steps of the listed groups; `moveBy` in `src/backends/fixed/store.ts` says the same for one number. */
function moveListed(at: usize, mirror: usize, steps: usize, list: usize, end: usize, n: i32, record: usize, wraps: i32): void {
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP)), none = f64x2.splat(0);
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH));
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let moved = i64x2.splat(0), fired = moved, flushed = moved, beyondAll = moved;
  for (; list < end; list += 4) {
    const j = load<u32>(list);
    for (let half: u32 = 0; half < 4; half += 2) {
      const o = <usize>(j + half) << 3;
      const move = v128.load(steps + o), moves = f64x2.ne(move, none);
      if (!v128.any_true(moves)) continue;
      const pair = <i32>(j + half) + 1 < n;
      const old = pair ? v128.load(at + o) : v128.load64_splat(at + o);
      let integer = f64x2.add(f64x2.mul(old, scale), move);
      const asked = f64x2.mul(integer, step);
      smallest = v128.bitselect(f64x2.pmin(smallest, asked), smallest, moves);
      largest = v128.bitselect(f64x2.pmax(largest, asked), largest, moves);
      const beyond = v128.and(v128.or(f64x2.lt(integer, low), f64x2.gt(integer, high)), moves);
      if (v128.any_true(beyond)) {
        beyondAll = i64x2.sub(beyondAll, beyond);
        integer = within(integer, record, wraps);
      }
      const stored = f64x2.add(f64x2.mul(integer, step), none);
      const changed = v128.and(f64x2.ne(stored, old), moves);
      moved = i64x2.sub(moved, moves);
      fired = i64x2.sub(fired, changed);
      flushed = i64x2.sub(flushed, v128.and(f64x2.eq(stored, none), changed));
      if (pair) v128.store(at + o, v128.bitselect(stored, old, moves));
      else if (<i32>(j + half) < n) store<f64>(at + o, f64x2.extract_lane(v128.bitselect(stored, old, moves), 0));
      if (!mirror) continue;
      store<i16>(mirror + (o >> 2), <i16>f64x2.extract_lane(integer, 0));
      if (pair) store<i16>(mirror + (o >> 2), <i16>f64x2.extract_lane(integer, 1), 2);
    }
  }
  count(record, LOST, -lanes(moved));
  count(record, FIRED, lanes(fired));
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyondAll));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
}

/**
 * `addFiltered` with eBar stored on its grid: the gradient still sees the number as it was before.   s: entry of the field at which eBar
 * begins; others as those of `addFiltered` and `settle`
 */
export function addFilteredRounded(
  grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32, s: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  if (n & 1) filterRows(true, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, rounding, wraps, key, second);
  else filterRows(false, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, rounding, wraps, key, second);
}

// @ts-ignore: decorator
@inline
function filterRows(
  odd: bool, grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32, s: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  if (rounding == FLOOR) filterBy(FLOOR, odd, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
  else if (rounding == NEAREST) filterBy(NEAREST, odd, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
  else if (rounding == TOWARD_ZERO) filterBy(TOWARD_ZERO, odd, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
  else filterBy(STOCHASTIC, odd, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
}

// @ts-ignore: decorator
@inline
function filterBy(
  rounding: i32, odd: bool, grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32, s: i32,
  record: usize, wraps: i32, key: i32, second: i32,
): void {
  const k = f64x2.splat(kappa), z = f64x2.splat(gain), keys = i32x4.splat(key), seconds = i32x4.splat(second);
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP)), none = f64x2.splat(0);
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH));
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let tried = i64x2.splat(0), fired = tried, flushed = tried, beyondAll = tried, far = tried;
  let words = none;
  for (let i = 0; i < nPre; i++) {
    for (let j = 0; j < n; j += 2, s += 2) {
      // The last one of an odd row by itself.
      const pair = !odd || j + 1 < n, o = <usize>j << 3;
      const own = pair ? v128.load(e + o) : v128.load64_zero(e + o);
      const old = pair ? v128.load(eBar + o) : v128.load64_zero(eBar + o);
      const value = f64x2.add(f64x2.mul(k, old), f64x2.mul(z, own));
      const L = pair ? v128.load(signal + o) : v128.load64_zero(signal + o), R = pair ? v128.load(rate + o) : v128.load64_zero(rate + o);
      const sum = pair ? v128.load(grad + o) : v128.load64_zero(grad + o);
      const owed = f64x2.add(sum, f64x2.add(f64x2.mul(L, value), f64x2.mul(R, own)));
      smallest = f64x2.pmin(smallest, value);
      largest = f64x2.pmax(largest, value);
      if (rounding == STOCHASTIC) words = wordsOf(s, keys, seconds);
      let integer = rounded(f64x2.mul(value, scale), rounding, words);
      const beyond = v128.or(f64x2.lt(integer, low), f64x2.gt(integer, high));
      const changed = f64x2.ne(value, old);
      if (v128.any_true(beyond)) {
        beyondAll = i64x2.sub(beyondAll, beyond);
        integer = within(integer, record, wraps);
        const distant = f64x2.ge(f64x2.abs(f64x2.sub(f64x2.mul(value, scale), integer)), f64x2.splat(1));
        const same = v128.and(f64x2.eq(f64x2.mul(integer, step), old), changed);
        far = i64x2.sub(far, v128.and(v128.and(distant, same), beyond));
      }
      const stored = f64x2.add(f64x2.mul(integer, step), none);
      tried = i64x2.sub(tried, changed);
      fired = i64x2.sub(fired, f64x2.ne(stored, old));
      flushed = i64x2.sub(flushed, v128.and(v128.andnot(changed, f64x2.eq(value, none)), f64x2.eq(stored, none)));
      if (pair) {
        v128.store(grad + o, owed);
        v128.store(eBar + o, stored);
      } else {
        store<f64>(grad + o, f64x2.extract_lane(owed, 0));
        store<f64>(eBar + o, f64x2.extract_lane(stored, 0));
        s -= 1;
      }
    }
    grad += <usize>n << 3; eBar += <usize>n << 3; e += <usize>n << 3;
  }
  count(record, TRIED, lanes(tried));
  count(record, FIRED, lanes(fired));
  count(record, LOST, lanes(tried) - lanes(fired) - lanes(far));
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyondAll));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
}

/** Bytes of a row of n 16-bit integers, which begins at a whole vector. */
// @ts-ignore: decorator
@inline
function mirrorBytes(n: i32): usize {
  return <usize>((n + 7) & ~7) << 1;
}

/** The field as 16-bit integers, in steps.   values: [rows][n] */
export function reflect(mirror: usize, values: usize, rows: i32, n: i32, record: usize): void {
  const scale = load<f64>(record, SCALE), bytes = mirrorBytes(n);
  for (let i = 0; i < rows; i++, mirror += bytes) {
    for (let o = mirror, end = mirror + (<usize>n << 1); o < end; o += 2, values += 8) store<i16>(o, <i16>(load<f64>(values) * scale));
  }
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
