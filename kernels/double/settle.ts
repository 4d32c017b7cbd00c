import {
  count, FIRED, FLOOR, FLUSHED, HIGH, LARGEST, lanes, LOST, LOW, NEAREST, rounded, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, TOWARD_ZERO, TRIED,
  upper, within, wordsOf, WRAPPED,
} from './rounding';

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
