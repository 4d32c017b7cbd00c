import {
  count, FIRED, FLOOR, FLUSHED, HIGH, LARGEST, lanes, LOST, LOW, NEAREST, rounded, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, TOWARD_ZERO, TRIED,
  upper, within, wordsOf, WRAPPED,
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

/** One loop for each rounding, without a branch on it. */
// @ts-ignore: decorator
@inline
function settleBy(
  rounding: i32, fresh: bool, values: usize, kept: usize, from: i32, n: i32, rows: i32, stride: i32, record: usize, wraps: i32, key: i32, second: i32,
): void {
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP));
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH)), none = f64x2.splat(0);
  const keys = i32x4.splat(key), seconds = i32x4.splat(second);
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let tried = i64x2.splat(0), fired = tried, flushed = tried, beyondAll = tried;
  let words = none;
  for (let r = 0; r < rows; r++, from += stride) {
    const end = from + n;
    for (let s = from; s < end; s += 2) {
      const o = <usize>s << 3, single = s + 1 == end;
      // The last one of an odd row twice: what lies behind it is not of this sweep.
      const value = single ? v128.load64_splat(values + o) : v128.load(values + o);
      smallest = f64x2.pmin(smallest, value);
      largest = f64x2.pmax(largest, value);
      if (rounding == STOCHASTIC) words = (s - from) & 2 ? upper(words) : wordsOf(s, keys, seconds);
      let old = none, changed = i64x2.splat(-1);
      if (!fresh) {
        old = single ? v128.load64_splat(kept + o) : v128.load(kept + o);
        changed = f64x2.ne(value, old);
        if (!v128.any_true(changed)) continue;
      }
      if (single) changed = v128.and(changed, i64x2(-1, 0));
      let integer = rounded(f64x2.mul(value, scale), rounding, words);
      const beyond = v128.or(f64x2.lt(integer, low), f64x2.gt(integer, high));
      if (v128.any_true(beyond)) {
        const counted = v128.and(beyond, changed);
        beyondAll = i64x2.sub(beyondAll, counted);
        integer = within(integer, record, wraps);
        if (!fresh) {
          const far = f64x2.ge(f64x2.abs(f64x2.sub(f64x2.mul(value, scale), integer)), f64x2.splat(1));
          count(record, LOST, lanes(v128.and(v128.and(far, f64x2.eq(f64x2.mul(integer, step), old)), counted)));
        }
      }
      // Never -0: what is stored is an integer.
      const stored = f64x2.add(f64x2.mul(integer, step), none);
      if (!fresh) {
        tried = i64x2.sub(tried, changed);
        fired = i64x2.sub(fired, v128.andnot(changed, f64x2.eq(stored, old)));
      }
      flushed = i64x2.sub(flushed, v128.and(v128.andnot(f64x2.eq(stored, none), f64x2.eq(value, none)), changed));
      const put = fresh ? stored : v128.bitselect(stored, value, changed);
      if (single) {
        v128.store64_lane(values + o, put, 0);
        if (!fresh) v128.store64_lane(kept + o, v128.bitselect(stored, old, changed), 0);
      } else {
        v128.store(values + o, put);
        if (!fresh) v128.store(kept + o, v128.bitselect(stored, old, changed));
      }
    }
  }
  const all = <f64>rows * <f64>n, total = fresh ? all : lanes(tried), moved = fresh ? all : lanes(fired);
  count(record, TRIED, total);
  count(record, FIRED, moved);
  count(record, LOST, total - moved);
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyondAll));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
}
