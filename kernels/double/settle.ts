import {
  count, FIRED, FLOOR, FLUSHED, HIGH, LARGEST, lanes, LOST, LOW, NEAREST, rounded, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, TOWARD_ZERO, TRIED,
  upper, within, wordOf, wordsOf, wrapped, WRAPPED,
} from './rounding';

/**
 * Puts entries [from, from + n) of a field on its grid and counts, in so many rows `stride` entries apart; `settleOne` in
 * `src/backends/fixed/store.ts` says the same for one number. values, kept: the whole field, or kept 0: all entries are new; keys of the
 * sweep for stochastic rounding
 */
export function settle(
  values: usize, kept: usize, from: i32, n: i32, rows: i32, stride: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  if (!kept) settleRows(true, values, kept, from, n, rows, stride, record, rounding, wraps, key, second);
  else settleRows(false, values, kept, from, n, rows, stride, record, rounding, wraps, key, second);
}

// @ts-ignore: decorator
@inline
function settleRows(
  fresh: bool, values: usize, kept: usize, from: i32, n: i32, rows: i32, stride: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  if (rounding == FLOOR) settleBy(FLOOR, fresh, values, kept, from, n, rows, stride, record, wraps, key, second);
  else if (rounding == NEAREST) settleBy(NEAREST, fresh, values, kept, from, n, rows, stride, record, wraps, key, second);
  else if (rounding == TOWARD_ZERO) settleBy(TOWARD_ZERO, fresh, values, kept, from, n, rows, stride, record, wraps, key, second);
  else settleBy(STOCHASTIC, fresh, values, kept, from, n, rows, stride, record, wraps, key, second);
}

/** One loop for each rounding, without a branch on it, over groups of four; then what is left of each row. */
// @ts-ignore: decorator
@inline
function settleBy(
  rounding: i32, fresh: bool, values: usize, kept: usize, from: i32, n: i32, rows: i32, stride: i32, record: usize, wraps: i32, key: i32, second: i32,
): void {
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP));
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH)), none = f64x2.splat(0);
  const keys = i32x4.splat(key), seconds = i32x4.splat(second), whole = n & ~3;
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let tried = i64x2.splat(0), fired = tried, flushed = tried, beyondAll = tried;
  let words = none;
  for (let r = 0, first = from; r < rows; r++, first += stride) {
    // What has not changed is within the word, and on its grid.
    for (let s = first, end = first + whole; s < end; s += 4) {
      const o = <usize>s << 3, a = v128.load(values + o), b = v128.load(values + o, 16);
      smallest = f64x2.pmin(f64x2.pmin(smallest, a), b);
      largest = f64x2.pmax(f64x2.pmax(largest, a), b);
      let oldA = none, oldB = none, changedA = none, changedB = none;
      if (!fresh) {
        oldA = v128.load(kept + o); oldB = v128.load(kept + o, 16);
        changedA = f64x2.ne(a, oldA); changedB = f64x2.ne(b, oldB);
        if (!v128.any_true(v128.or(changedA, changedB))) continue;
      }
      if (rounding == STOCHASTIC) words = wordsOf(s, keys, seconds);
      let p = rounded(f64x2.mul(a, scale), rounding, words), q = rounded(f64x2.mul(b, scale), rounding, upper(words));
      const beyondA = v128.or(f64x2.lt(p, low), f64x2.gt(p, high)), beyondB = v128.or(f64x2.lt(q, low), f64x2.gt(q, high));
      if (v128.any_true(v128.or(beyondA, beyondB))) {
        p = within(p, record, wraps); q = within(q, record, wraps);
        beyondAll = i64x2.sub(i64x2.sub(beyondAll, beyondA), beyondB);
        if (!fresh) {
          const farA = v128.and(takenBack(a, p, oldA, scale, step), beyondA), farB = v128.and(takenBack(b, q, oldB, scale, step), beyondB);
          count(record, LOST, lanes(i64x2.add(farA, farB)));
        }
      }
      // Never -0: what is stored is an integer.
      const storedA = f64x2.add(f64x2.mul(p, step), none), storedB = f64x2.add(f64x2.mul(q, step), none);
      flushed = i64x2.sub(flushed, v128.andnot(f64x2.eq(storedA, none), f64x2.eq(a, none)));
      flushed = i64x2.sub(flushed, v128.andnot(f64x2.eq(storedB, none), f64x2.eq(b, none)));
      if (fresh) {
        v128.store(values + o, storedA);
        v128.store(values + o, storedB, 16);
        continue;
      }
      tried = i64x2.sub(i64x2.sub(tried, changedA), changedB);
      fired = i64x2.sub(i64x2.sub(fired, f64x2.ne(storedA, oldA)), f64x2.ne(storedB, oldB));
      // What has not changed keeps the sign of its 0.
      v128.store(values + o, v128.bitselect(storedA, a, changedA));
      v128.store(values + o, v128.bitselect(storedB, b, changedB), 16);
      v128.store(kept + o, storedA);
      v128.store(kept + o, storedB, 16);
    }
  }
  const all = <f64>rows * <f64>whole, total = fresh ? all : lanes(tried), moved = fresh ? all : lanes(fired);
  count(record, TRIED, total);
  count(record, FIRED, moved);
  count(record, LOST, total - moved);
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyondAll));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
  if (whole == n) return;
  for (let r = 0, first = from; r < rows; r++, first += stride) {
    for (let s = first + whole; s < first + n; s++) {
      const o = <usize>s << 3, value = load<f64>(values + o), old = fresh ? NaN : load<f64>(kept + o);
      const stored = settled(value, old, rounding, s, record, wraps, key, second);
      store<f64>(values + o, stored);
      if (!fresh) store<f64>(kept + o, stored);
    }
  }
}

/** Changes of a step and more that the end of the word has taken back. */
// @ts-ignore: decorator
@inline
export function takenBack(value: v128, integer: v128, old: v128, scale: v128, step: v128): v128 {
  const distant = f64x2.ge(f64x2.abs(f64x2.sub(f64x2.mul(value, scale), integer)), f64x2.splat(1));
  return v128.and(distant, f64x2.eq(f64x2.mul(integer, step), old));
}

/** What is stored for one number in place of `old`, counted; `old` is NaN for a new one. */
export function settled(value: f64, old: f64, rounding: i32, s: i32, record: usize, wraps: i32, key: i32, second: i32): f64 {
  if (value < load<f64>(record, SMALLEST)) store<f64>(record, value, SMALLEST);
  if (value > load<f64>(record, LARGEST)) store<f64>(record, value, LARGEST);
  if (value == old) return value;
  const low = load<f64>(record, LOW), high = load<f64>(record, HIGH), scaled = value * load<f64>(record, SCALE);
  const asked = f64x2.extract_lane(rounded(f64x2.splat(scaled), rounding, i32x4.splat(wordOf(s, key, second))), 0);
  let integer = asked;
  if (asked < low || asked > high) {
    integer = wraps ? wrapped(asked, record) : min(max(asked, low), high);
    count(record, wraps ? WRAPPED : SATURATED, 1);
  }
  const stored = integer * load<f64>(record, STEP) + 0.0;
  count(record, TRIED, 1);
  if (stored != old) count(record, FIRED, 1);
  else if (integer == asked || abs(scaled - integer) < 1) count(record, LOST, 1);
  if (stored == 0 && value != 0) count(record, FLUSHED, 1);
  return stored;
}
