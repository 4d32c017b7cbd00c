import {
  count, FIRED, FLOOR, FLUSHED, HIGH, LARGEST, lanes, LOST, LOW, NEAREST, rounded, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, TOWARD_ZERO, TRIED,
  within, wordsOf, WRAPPED,
} from './rounding';

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
