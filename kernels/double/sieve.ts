import { mirrorBytes } from './mirror';
import { count, FIRED, FLUSHED, HIGH, LARGEST, LOST, LOW, NEAREST, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, upper, wordOf, wordsOf, WRAPPED, wrapped } from './rounding';

/**
 * Few changes leave a step, and a sum in 16 bits tells which may: changes in units of a step's 2^-12, each rounded to the nearest, add up to
 * what is off by half a unit per term at most. Exact sums decide about what this does not settle.
 */
const FINEST: i32 = 12;

/** Units that a sum may have. */
const ROOM: f64 = 28000;

/** The largest magnitude, or what is no number where one is none.   x: [n] */
export function largestOf(x: usize, n: i32): f64 {
  let first = f64x2.splat(0), last = first, odd = first;
  const whole = <usize>(n & ~3) << 3, all = <usize>n << 3;
  for (let o: usize = 0; o < whole; o += 32) {
    const a = v128.load(x + o), b = v128.load(x + o, 16);
    first = f64x2.pmax(first, f64x2.abs(a));
    last = f64x2.pmax(last, f64x2.abs(b));
    odd = v128.or(odd, v128.or(f64x2.ne(a, a), f64x2.ne(b, b)));
  }
  if (v128.any_true(odd)) return NaN;
  first = f64x2.pmax(first, last);
  let most = max(f64x2.extract_lane(first, 0), f64x2.extract_lane(first, 1));
  for (let o = whole; o < all; o += 8) most = max(most, abs(load<f64>(x + o)));
  return most;
}

/** Units are 2^-bits steps: as fine as leaves room for so many terms. */
export function bitsFor(largest: f64, terms: i32): i32 {
  let bits = FINEST;
  while (bits > 5 && !fits(terms, largest, bits)) bits--;
  return bits;
}

/** Whether sums of so many terms can be told in 16 bits.   largest: in steps */
// @ts-ignore: decorator
@inline
export function fits(terms: i32, largest: f64, bits: i32): bool {
  return bits > 5 && terms <= 256 && <f64>terms * (largest * <f64>(1 << bits) + 1) <= ROOM;
}

/** Steps per unit that changes come in. */
// @ts-ignore: decorator
@inline
export function stepsOf(rounding: i32): f64 {
  return rounding == STOCHASTIC ? 1.0 / 2147483648.0 : 1;
}

/** Changes of every pair in units.   coarse: [pairs], rows of `mirrorBytes`; changes: [pairs][n]; factor: to units */
export function coarsen(coarse: usize, changes: usize, factor: f64, pairs: i32, n: i32): void {
  const f = f64x2.splat(factor), bytes = mirrorBytes(n);
  const whole = n & ~7;
  for (let b = 0; b < pairs; b++, coarse += bytes, changes += <usize>n << 3) {
    for (let j = 0; j < whole; j += 8) {
      const at = changes + (<usize>j << 3);
      const p = f64x2.mul(f, v128.load(at)), q = f64x2.mul(f, v128.load(at, 16));
      const r = f64x2.mul(f, v128.load(at, 32)), s = f64x2.mul(f, v128.load(at, 48));
      v128.store(coarse + (<usize>j << 1), i16x8.narrow_i32x4_s(nearest(p, q), nearest(r, s)));
    }
    for (let j = whole; j < n; j++) {
      const change = f64x2.splat(factor * load<f64>(changes + (<usize>j << 3)));
      store<i16>(coarse + (<usize>j << 1), <i16>i32x4.extract_lane(nearest(change, change), 0));
    }
  }
}

/** Four numbers to the nearest integers. */
// @ts-ignore: decorator
@inline
function nearest(low: v128, high: v128): v128 {
  return integers(f64x2.nearest(low), f64x2.nearest(high));
}

// @ts-ignore: decorator
@inline
function integers(low: v128, high: v128): v128 {
  return i32x4.shuffle(i32x4.trunc_sat_f64x2_s_zero(low), i32x4.trunc_sat_f64x2_s_zero(high), 0, 1, 4, 5);
}

/** Bytes of what is known of eight entries: the most and the least steps that they move by, and where they are. */
export const GROUP: usize = 48;

/** Bytes of a change that is known exactly: the change, and which entry of its row. */
export const ENTRY: usize = 16;

/**
 * Lists groups of eight entries in which a change may leave a step.   groups: work space of 2 n numbers; terms: addresses of the rows of
 * units that add up, up to `end`
 * @returns the end of the list
 */
export function sieveRow(groups: usize, terms: usize, end: usize, n: i32, s: i32, bits: i32, rounding: i32, key: i32, second: i32): usize {
  const bytes = mirrorBytes(n), below = 31 - bits, keys = i32x4.splat(key), seconds = i32x4.splat(second);
  // Half a unit per term is off at most.
  const slack = i16x8.splat(<i16>((<i32>(end - terms) >> 3) + 1));
  const still: i32 = rounding == NEAREST ? 1 << (bits - 1) : (1 << bits) - 1;
  let chance = i16x8.splat(<i16>still);
  for (let o: usize = 0; o < bytes; o += 16) {
    let sum = i16x8.splat(0);
    for (let at = terms; at < end; at += 4) sum = i16x8.add(sum, v128.load(<usize>load<u32>(at) + o));
    const j = <i32>(o >> 1);
    if (rounding == STOCHASTIC) {
      const a = i32x4.shr_u(wordsOf(s + j, keys, seconds), below), b = i32x4.shr_u(wordsOf(s + j + 4, keys, seconds), below);
      chance = i16x8.narrow_i32x4_s(a, b);
    }
    // A change moves by the whole steps that it lies above its random number, rounded up.
    const rest = i16x8.sub(chance, sum);
    const most = i16x8.shr_s(i16x8.sub(rest, slack), bits), least = i16x8.shr_s(i16x8.add(rest, slack), bits);
    v128.store(groups, most);
    v128.store(groups, least, 16);
    store<i32>(groups, j, 32);
    groups += v128.any_true(v128.or(most, least)) ? GROUP : 0;
  }
  return groups;
}

/**
 * Entries of the listed groups move by as many steps as are certain; the others are listed, and all of them where a word and its move do not
 * fit into 16 bits together.   at: the first entry of the row; mirror: the same as 16-bit integers, 0 for none; list: words of group and
 * of one bit an entry
 * @returns the end of the list
 */
export function moveGroups(at: usize, mirror: usize, groups: usize, end: usize, list: usize, n: i32, record: usize, wraps: i32): usize {
  const short = load<f64>(record, HIGH) < 16384, scale = f64x2.splat(load<f64>(record, SCALE));
  const low = <i32>load<f64>(record, LOW), high = <i32>load<f64>(record, HIGH), none = i16x8.splat(0);
  const lowest = i16x8.splat(<i16>low), highest = i16x8.splat(<i16>high), turn = i16x8.splat(<i16>(high - low));
  const step = f64x2.splat(load<f64>(record, STEP));
  let smallest = highest, largest = lowest;
  let moved = none, fired = none, flushed = none, beyond = none;
  for (; groups < end; groups += GROUP) {
    const j = load<i32>(groups, 32), left = n - j;
    const o = <usize>j << 1, to = at + (o << 2), least = v128.load(groups, 16);
    let most = v128.load(groups);
    let open = short ? i16x8.ne(most, least) : i16x8.ne(v128.or(most, least), none);
    // No integer stands for what is no number; it is not asked of a mirror.
    if (!mirror && anyOdd(to)) open = v128.or(open, i16x8.ne(most, none));
    const inside = i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>min(left, 8)));
    if (left < 8) {
      most = v128.and(most, inside);
      open = v128.and(open, inside);
    }
    if (v128.any_true(open)) {
      store<u32>(list, j << 8 | i16x8.bitmask(open));
      list += 4;
      most = v128.andnot(most, open);
    }
    if (!short || !v128.any_true(most)) continue;
    // What lies behind the row is not of this field.
    let old = mirror ? v128.load(mirror + o) : stepsAt(to, scale);
    if (left < 8) old = v128.and(old, inside);
    const moves = i16x8.ne(most, none), asked = i16x8.sub(old, most);
    smallest = i16x8.min_s(smallest, v128.bitselect(asked, smallest, moves));
    largest = i16x8.max_s(largest, v128.bitselect(asked, largest, moves));
    const stored = wraps
      ? i16x8.add(v128.and(i16x8.sub(asked, lowest), turn), lowest)
      : i16x8.min_s(i16x8.max_s(asked, lowest), highest);
    const changed = i16x8.ne(stored, old);
    moved = i16x8.sub(moved, moves);
    fired = i16x8.sub(fired, changed);
    flushed = i16x8.sub(flushed, v128.and(changed, i16x8.eq(stored, none)));
    beyond = i16x8.sub(beyond, i16x8.ne(stored, asked));
    if (mirror) v128.store(mirror + o, stored);
    storeSteps(to, i32x4.extend_low_i16x8_s(stored), step, left);
    storeSteps(to + 32, i32x4.extend_high_i16x8_s(stored), step, left - 4);
  }
  if (v128.any_true(moved)) {
    count(record, LOST, -sum8(moved));
    count(record, FIRED, sum8(fired));
    count(record, FLUSHED, sum8(flushed));
    count(record, wraps ? WRAPPED : SATURATED, sum8(beyond));
    store<f64>(record, min(load<f64>(record, SMALLEST), load<f64>(record, STEP) * <f64>least8(smallest)), SMALLEST);
    store<f64>(record, max(load<f64>(record, LARGEST), load<f64>(record, STEP) * -<f64>least8(i16x8.neg(largest))), LARGEST);
  }
  return list;
}

/** Whether one of eight numbers is none. */
// @ts-ignore: decorator
@inline
function anyOdd(at: usize): bool {
  const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
  return v128.any_true(v128.or(v128.or(f64x2.ne(a, a), f64x2.ne(b, b)), v128.or(f64x2.ne(c, c), f64x2.ne(d, d))));
}

/** Eight numbers as integers. */
// @ts-ignore: decorator
@inline
function stepsAt(at: usize, scale: v128): v128 {
  const a = f64x2.mul(v128.load(at), scale), b = f64x2.mul(v128.load(at, 16), scale);
  const c = f64x2.mul(v128.load(at, 32), scale), d = f64x2.mul(v128.load(at, 48), scale);
  return i16x8.narrow_i32x4_s(integers(a, b), integers(c, d));
}

/** Up to four integers, as steps. */
// @ts-ignore: decorator
@inline
function storeSteps(to: usize, integers: v128, step: v128, left: i32): void {
  const first = f64x2.mul(f64x2.convert_low_i32x4_s(integers), step), last = f64x2.mul(f64x2.convert_low_i32x4_s(upper(integers)), step);
  if (left >= 4) {
    v128.store(to, first);
    v128.store(to, last, 16);
    return;
  }
  if (left > 1) v128.store(to, first);
  else if (left == 1) store<f64>(to, f64x2.extract_lane(first, 0));
  if (left == 3) store<f64>(to, f64x2.extract_lane(last, 0), 16);
}

/** Sum of eight counts. */
// @ts-ignore: decorator
@inline
function sum8(counts: v128): f64 {
  const pairs = i32x4.extadd_pairwise_i16x8_u(counts), both = i32x4.add(pairs, upper(pairs));
  return <f64>(i32x4.extract_lane(both, 0) + i32x4.extract_lane(both, 1));
}

/** The least of eight integers. */
// @ts-ignore: decorator
@inline
function least8(x: v128): i32 {
  let y = i16x8.min_s(x, i16x8.shuffle(x, x, 4, 5, 6, 7, 0, 1, 2, 3));
  y = i16x8.min_s(y, i16x8.shuffle(y, y, 2, 3, 0, 1, 6, 7, 4, 5));
  return min(<i32>i16x8.extract_lane_s(y, 0), <i32>i16x8.extract_lane_s(y, 1));
}

/**
 * The exact changes of the open entries.   entries: work space of 2 n numbers; list: words of group and of one bit an entry; mask: pairs that
 * add up; changes: [pairs][n], as `learnRow` wants them
 * @returns the end of the entries
 */
export function addChanges(entries: usize, list: usize, end: usize, mask: u32, changes: usize, n: i32): usize {
  for (; list < end; list += 4) {
    const group = load<u32>(list);
    for (let which = group & 255; which; which &= which - 1) {
      const j = (group >> 8) + ctz(which), o = <usize>j << 3;
      let change: f64 = 0;
      for (let m = mask; m; m &= m - 1) change += load<f64>(changes + (<usize>ctz(m) * <usize>n << 3) + o);
      store<f64>(entries, change);
      store<i32>(entries, j, 8);
      entries += ENTRY;
    }
  }
  return entries;
}

/** Entries of a row move by their exact changes, rounded.   at, mirror: as those of `moveGroups`; s: entry of the field at which the row begins */
export function moveEntries(
  at: usize, mirror: usize, entries: usize, end: usize, s: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  const scale = load<f64>(record, SCALE), step = load<f64>(record, STEP), low = load<f64>(record, LOW), high = load<f64>(record, HIGH);
  let smallest = load<f64>(record, SMALLEST), largest = load<f64>(record, LARGEST);
  let moved = 0, fired = 0, flushed = 0, beyond = 0;
  for (; entries < end; entries += ENTRY) {
    const j = load<i32>(entries, 8), o = <usize>j << 3;
    const move = wholeSteps(load<f64>(entries), rounding, s + j, key, second);
    if (move == 0) continue;
    const old = load<f64>(at + o);
    let integer = old * scale + move;
    const asked = integer * step;
    if (asked < smallest) smallest = asked;
    if (asked > largest) largest = asked;
    if (integer < low || integer > high) {
      beyond++;
      integer = wraps ? wrapped(integer, record) : min(max(integer, low), high);
    }
    const stored = integer * step + 0.0;
    moved++;
    if (stored != old) {
      fired++;
      flushed += stored == 0 ? 1 : 0;
    }
    store<f64>(at + o, stored);
    if (mirror) store<i16>(mirror + (o >> 2), <i16>integer);
  }
  count(record, LOST, -<f64>moved);
  count(record, FIRED, <f64>fired);
  count(record, FLUSHED, <f64>flushed);
  count(record, wraps ? WRAPPED : SATURATED, <f64>beyond);
  store<f64>(record, smallest, SMALLEST);
  store<f64>(record, largest, LARGEST);
}

/** Whole steps of a change; `draw` in `src/backends/fixed/store.ts`. */
// @ts-ignore: decorator
@inline
function wholeSteps(change: f64, rounding: i32, s: i32, key: i32, second: i32): f64 {
  if (rounding != STOCHASTIC) return Math.floor(rounding == NEAREST ? change + 0.5 : change);
  const chance = <f64>wordOf(s, key, second), all: f64 = 2147483648;
  const rest = chance - change;
  if (rest >= 0 && rest < all) return 0;
  const below = Math.floor(change * (1 / all));
  return below + (chance < change - below * all ? 1 : 0);
}
