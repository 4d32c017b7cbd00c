import { learnRow, tries } from './learn';
import { addListed, scale as scaleTo } from './loops';
import { count, LOST, NEAREST, STOCHASTIC, TRIED, wordsOf } from './rounding';
import { ENTRY, GROUP, largestOf, moveEntries, moveGroups, stepsOf } from './sieve';

/** What is not 0 is taken for as much at least, so that products in single precision are not 0 either. */
const LEAST: f64 = 1e-18;

/** Beyond this LEAST is not nothing in a product, and single precision ends. */
const MOST: f64 = 1e6;

/** Bytes of a term: address of its row and its factor in single precision, address of the exact row, the exact factor. */
const TERM: usize = 24;

/**
 * w_ij moves by unit (rate (scale sum over pairs of x_i d_j)), rounded to steps of its grid, as if the sums had been added to a gradient of 0,
 * scaled and taken: sums of 0 are not tried. Sums in single precision tell which entries may move and by how much, as those in 16 bits
 * of `sieve.ts` do; here terms differ too much for these.   w: [nPre][n]; x: [pairs][nPre]; d: [pairs][n]; unit: to what `learnRow` wants;
 * row: work space of 2 n numbers; list: of 3 numbers a pair and one for 16 entries of a row; single: of pairs + 3 rows of `singleBytes`
 */
export function learnProducts(
  w: usize, x: usize, d: usize, list: usize, row: usize, single: usize, scale: f64, rate: f64, unit: f64, nPre: i32, n: i32, pairs: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  const bytes = <usize>n << 3, length = singleBytes(n);
  const alive = single, sums = alive + length, any = sums + length, rows = any + length;
  const factor = scale * rate * unit * stepsOf(rounding);
  const largestX = largestOf(x, nPre * pairs), largestD = abs(factor) * largestOf(d, pairs * n);
  // Without factor nothing moves, unless something is no number: the exact sums tell.
  const largest = factor == 0 || max(largestX, largestD) > MOST ? NaN : largestX * largestD;
  findAlive(alive, d, pairs, n);
  toSteps(rows, d, factor, pairs, n);
  for (let i = 0; i < nPre; i++, w += bytes, x += 8) {
    let end = list;
    for (let b = 0; b < pairs; b++) {
      const value = load<f64>(x + (<usize>(b * nPre) << 3));
      store<u32>(end, <u32>(rows + <usize>b * length));
      store<f32>(end, <f32>(abs(value) < LEAST ? LEAST : value), 4);
      store<u32>(end, <u32>(d + <usize>b * bytes), 8);
      store<f64>(end, value, 16);
      end += value != 0 ? TERM : 0;
    }
    if (end == list) continue;
    const terms = <f64>((end - list) / TERM);
    // Terms, factors, products and sums are each off by 2^-24 of themselves at most; what is more than room for a word is none of this.
    const slack = (terms + 4) * terms * largest / 8388608.0 + 1.0 / 4194304.0;
    if (!(terms * largest < 8000 && slack < 1.0 / 64.0)) {
      learnSum(w, list, end, row, scale, rate, unit, i * n, n, record, rounding, wraps, key, second);
      continue;
    }
    addTerms(sums, list, end, length);
    // An entry that is not 0 in all pairs is taken for one of most pairs.
    const dense = 2 * terms >= <f64>pairs;
    if (!dense) findNonzero(any, list, end, length);
    const which = dense ? alive : any;
    const groups = sieveSums(row, sums, which, n, i * n, <f32>slack, record, rounding, key, second);
    if (groups == row) continue;
    const listed = moveGroups(w, 0, row, groups, end, n, record, wraps);
    if (listed == end) continue;
    const last = addProducts(row, end, listed, list, end, scale, rate, unit, record);
    moveEntries(w, 0, row, last, i * n, record, rounding, wraps, key, second);
  }
}

/** Bytes of a row of n numbers in single precision, in whole groups of eight. */
// @ts-ignore: decorator
@inline
function singleBytes(n: i32): usize {
  return <usize>((n + 7) & ~7) << 2;
}

/** All bits of the entries that are not 0 in all pairs.   alive: a row, 0 behind n; d: [pairs][n] */
function findAlive(alive: usize, d: usize, pairs: i32, n: i32): void {
  memory.fill(alive, 0, singleBytes(n));
  const none = f64x2.splat(0), stride = <usize>n << 3;
  for (let j = 0; j < n; j += 2) {
    let any = none, at = d + (<usize>j << 3);
    for (let b = 0; b < pairs; b++, at += stride) any = v128.or(any, f64x2.ne(v128.load(at), none));
    store<i32>(alive + (<usize>j << 2), <i32>i64x2.extract_lane(any, 0));
    if (j + 1 < n) store<i32>(alive + (<usize>j << 2), <i32>i64x2.extract_lane(any, 1), 4);
  }
}

/** Steps in single precision, 0 behind n.   rows: [pairs]; d: [pairs][n] */
function toSteps(rows: usize, d: usize, factor: f64, pairs: i32, n: i32): void {
  const length = singleBytes(n), f = f64x2.splat(factor);
  for (let b = 0; b < pairs; b++, rows += length, d += <usize>n << 3) {
    v128.store(rows + length - 32, f64x2.splat(0));
    v128.store(rows + length - 32, f64x2.splat(0), 16);
    let j = 0;
    for (; j + 2 <= n; j += 2) v128.store64_lane(rows + (<usize>j << 2), stepsOfTwo(v128.load(d + (<usize>j << 3)), f), 0);
    if (j < n) v128.store32_lane(rows + (<usize>j << 2), stepsOfTwo(v128.load64_zero(d + (<usize>j << 3)), f), 0);
  }
}

// @ts-ignore: decorator
@inline
function stepsOfTwo(d: v128, factor: v128): v128 {
  const steps = f64x2.mul(factor, d), least = f64x2.splat(LEAST);
  const tiny = v128.andnot(f64x2.lt(f64x2.abs(steps), least), f64x2.eq(d, f64x2.splat(0)));
  return f32x4.demote_f64x2_zero(v128.bitselect(least, steps, tiny));
}

/** sums = sums of the listed terms. */
// @ts-ignore: decorator
@inline
function addTerms(sums: usize, terms: usize, last: usize, length: usize): void {
  let o: usize = 0;
  for (; o + 128 <= length; o += 128) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let at = terms; at < last; at += TERM) {
      const row = <usize>load<u32>(at) + o, x = v128.load32_splat(at, 4);
      a = f32x4.add(a, f32x4.mul(x, v128.load(row))); b = f32x4.add(b, f32x4.mul(x, v128.load(row, 16)));
      c = f32x4.add(c, f32x4.mul(x, v128.load(row, 32))); d = f32x4.add(d, f32x4.mul(x, v128.load(row, 48)));
      e = f32x4.add(e, f32x4.mul(x, v128.load(row, 64))); f = f32x4.add(f, f32x4.mul(x, v128.load(row, 80)));
      g = f32x4.add(g, f32x4.mul(x, v128.load(row, 96))); h = f32x4.add(h, f32x4.mul(x, v128.load(row, 112)));
    }
    const to = sums + o;
    v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
    v128.store(to, e, 64); v128.store(to, f, 80); v128.store(to, g, 96); v128.store(to, h, 112);
  }
  for (; o < length; o += 16) {
    let a = f32x4.splat(0);
    for (let at = terms; at < last; at += TERM) a = f32x4.add(a, f32x4.mul(v128.load32_splat(at, 4), v128.load(<usize>load<u32>(at) + o)));
    v128.store(sums + o, a);
  }
}

/** All bits of the entries that are not 0, of either sign, in one of the listed terms. */
// @ts-ignore: decorator
@inline
function findNonzero(any: usize, terms: usize, last: usize, length: usize): void {
  for (let o: usize = 0; o < length; o += 16) {
    let a = i32x4.splat(0);
    for (let at = terms; at < last; at += TERM) a = v128.or(a, v128.load(<usize>load<u32>(at) + o));
    v128.store(any + o, i32x4.ne(i32x4.shl(a, 1), i32x4.splat(0)));
  }
}

/**
 * Lists groups of eight entries in which a change may leave a step, and counts what is tried; as `sieveRow`.   sums: in steps; any: all bits of
 * the entries whose terms may not all be 0; slack: what sums may be off by
 */
function sieveSums(
  groups: usize, sums: usize, any: usize, n: i32, s: i32, slack: f32, record: usize, rounding: i32, key: i32, second: i32,
): usize {
  const first = groups, keys = i32x4.splat(key), seconds = i32x4.splat(second);
  const off = f32x4.splat(slack), within = f32x4.splat(0.5 - slack), half = f32x4.splat(0.5), fine = f32x4.splat(1.0 / 2147483648.0);
  let low = f32x4.splat(rounding == NEAREST ? 0.5 : 1), high = low;
  let tried = i32x4.splat(0);
  for (let o: usize = 0, all = singleBytes(n); o < all; o += 32) {
    const a = v128.load(sums + o), b = v128.load(sums + o, 16), anyA = v128.load(any + o), anyB = v128.load(any + o, 16);
    const j = <i32>(o >> 2);
    if (rounding == STOCHASTIC) {
      low = f32x4.mul(f32x4.convert_i32x4_s(wordsOf(s + j, keys, seconds)), fine);
      high = f32x4.mul(f32x4.convert_i32x4_s(wordsOf(s + j + 4, keys, seconds)), fine);
    }
    tried = i32x4.sub(i32x4.sub(tried, anyA), anyB);
    const restA = f32x4.sub(low, a), restB = f32x4.sub(high, b);
    // A sum that may be 0 is no change at all: it is left open.
    const smallA = f32x4.le(f32x4.abs(a), off), smallB = f32x4.le(f32x4.abs(b), off);
    const stayA = v128.andnot(f32x4.lt(f32x4.abs(f32x4.sub(restA, half)), within), smallA);
    const stayB = v128.andnot(f32x4.lt(f32x4.abs(f32x4.sub(restB, half)), within), smallB);
    v128.store(groups, v128.bitselect(restA, half, anyA));
    v128.store(groups, v128.bitselect(restB, half, anyB), 16);
    store<i32>(groups, j, 32);
    // Which of the eight may be 0.
    store<i32>(groups, i16x8.bitmask(i16x8.narrow_i32x4_s(v128.and(smallA, anyA), v128.and(smallB, anyB))), 36);
    groups += v128.any_true(v128.or(v128.andnot(anyA, stayA), v128.andnot(anyB, stayB))) ? GROUP : 0;
  }
  const tries = <f64>(i32x4.extract_lane(tried, 0) + i32x4.extract_lane(tried, 1) + i32x4.extract_lane(tried, 2) + i32x4.extract_lane(tried, 3));
  count(record, TRIED, tries);
  count(record, LOST, tries);
  for (let at = first; at < groups; at += GROUP) toMoves(at, off);
  return groups;
}

/** What a group lies above its random numbers, as the most and the least steps that its entries move by. */
// @ts-ignore: decorator
@inline
function toMoves(group: usize, off: v128): void {
  const a = v128.load(group), b = v128.load(group, 16);
  const most = i16x8.narrow_i32x4_s(floorOf(f32x4.sub(a, off)), floorOf(f32x4.sub(b, off)));
  const least = i16x8.narrow_i32x4_s(floorOf(f32x4.add(a, off)), floorOf(f32x4.add(b, off)));
  // Entries that may be 0 get two that differ.
  const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  const open = i16x8.eq(v128.and(i16x8.splat(<i16>load<i32>(group, 36)), bits), bits);
  v128.store(group, most);
  v128.store(group, v128.bitselect(v128.not(most), least, open), 16);
}

// @ts-ignore: decorator
@inline
function floorOf(x: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.floor(x));
}

/**
 * The exact changes of the open entries.   entries: work space of 2 n numbers; list: words of group and of one bit an entry; terms: up to `last`;
 * their sum meets three factors, one after the other. What is 0 after the first two was no try.
 * @returns the end of the entries
 */
function addProducts(
  entries: usize, list: usize, end: usize, terms: usize, last: usize, scale: f64, rate: f64, unit: f64, record: usize,
): usize {
  let none = 0;
  for (; list < end; list += 4) {
    const group = load<u32>(list);
    for (let which = group & 255; which; which &= which - 1) {
      const j = (group >> 8) + ctz(which), o = <usize>j << 3;
      let sum: f64 = 0;
      for (let at = terms; at < last; at += TERM) sum += load<f64>(at, 16) * load<f64>(<usize>load<u32>(at, 8) + o);
      const taken = sum * scale * rate;
      none += taken == 0 ? 1 : 0;
      store<f64>(entries, taken * unit);
      store<i32>(entries, j, 8);
      entries += taken == 0 ? 0 : ENTRY;
    }
  }
  count(record, TRIED, -<f64>none);
  count(record, LOST, -<f64>none);
  return entries;
}

/** A row whose sums are too large for this. */
function learnSum(
  w: usize, list: usize, end: usize, row: usize, scale: f64, rate: f64, unit: f64, s: i32, n: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  const bytes = <usize>n << 3;
  memory.fill(row, 0, bytes);
  for (let at = list, to = list; at < end; at += TERM, to += 16) {
    const value = load<f64>(at, 16), from = load<u32>(at, 8);
    store<f64>(to, value);
    store<u32>(to, from, 8);
  }
  addListed(row, list, list + (end - list) / TERM * 16, bytes);
  scaleTo(row, row, scale, n);
  scaleTo(row, row, rate, n);
  const tried = tries(row, n);
  scaleTo(row, row, unit, n);
  count(record, TRIED, tried);
  count(record, LOST, tried);
  learnRow(w, 0, row, list, s, n, record, rounding, wraps, key, second);
}
