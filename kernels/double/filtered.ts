import {
  count, FIRED, FLOOR, FLUSHED, HIGH, LARGEST, lanes, LOST, LOW, NEAREST, rounded, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, TOWARD_ZERO, TRIED,
  upper, within, wordsOf, WRAPPED,
} from './rounding';
import { settled, takenBack } from './settle';

/**
 * `addFiltered` with eBar stored on its grid: the gradient still sees the number as it was before.   s: entry of the field at which eBar
 * begins; others as those of `addFiltered` and `settle`
 */
export function addFilteredRounded(
  grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32, s: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  if (rounding == FLOOR) filterBy(FLOOR, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
  else if (rounding == NEAREST) filterBy(NEAREST, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
  else if (rounding == TOWARD_ZERO) filterBy(TOWARD_ZERO, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
  else filterBy(STOCHASTIC, grad, eBar, e, signal, rate, kappa, gain, nPre, n, s, record, wraps, key, second);
}

/** One loop for each rounding over groups of four; then what is left of each row. */
// @ts-ignore: decorator
@inline
function filterBy(
  rounding: i32, grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32, s: i32,
  record: usize, wraps: i32, key: i32, second: i32,
): void {
  const k = f64x2.splat(kappa), z = f64x2.splat(gain), keys = i32x4.splat(key), seconds = i32x4.splat(second);
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP)), none = f64x2.splat(0), one = f64x2.splat(1);
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH));
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let tried = i64x2.splat(0), fired = tried, flushed = tried, beyond = tried, far = tried;
  const whole = <usize>(n & ~3) << 3, bytes = <usize>n << 3;
  let words = none;
  for (let i = 0; i < nPre; i++, s += n, grad += bytes, eBar += bytes, e += bytes) {
    for (let o: usize = 0; o < whole; o += 32) {
      const ownA = v128.load(e + o), ownB = v128.load(e + o, 16), oldA = v128.load(eBar + o), oldB = v128.load(eBar + o, 16);
      const a = f64x2.add(f64x2.mul(k, oldA), f64x2.mul(z, ownA)), b = f64x2.add(f64x2.mul(k, oldB), f64x2.mul(z, ownB));
      const owedA = f64x2.add(f64x2.mul(v128.load(signal + o), a), f64x2.mul(v128.load(rate + o), ownA));
      const owedB = f64x2.add(f64x2.mul(v128.load(signal + o, 16), b), f64x2.mul(v128.load(rate + o, 16), ownB));
      v128.store(grad + o, f64x2.add(v128.load(grad + o), owedA));
      v128.store(grad + o, f64x2.add(v128.load(grad + o, 16), owedB), 16);
      smallest = f64x2.pmin(f64x2.pmin(smallest, a), b);
      largest = f64x2.pmax(f64x2.pmax(largest, a), b);
      if (rounding == STOCHASTIC) words = wordsOf(s + <i32>(o >> 3), keys, seconds);
      let p = rounded(f64x2.mul(a, scale), rounding, words), q = rounded(f64x2.mul(b, scale), rounding, upper(words));
      const changedA = f64x2.ne(a, oldA), changedB = f64x2.ne(b, oldB);
      // Beyond the word, or 0: rare where traces are at work.
      const oddA = v128.or(f64x2.lt(p, one), f64x2.gt(p, high)), oddB = v128.or(f64x2.lt(q, one), f64x2.gt(q, high));
      if (v128.any_true(v128.or(oddA, oddB))) {
        const beyondA = v128.or(f64x2.lt(p, low), f64x2.gt(p, high)), beyondB = v128.or(f64x2.lt(q, low), f64x2.gt(q, high));
        if (v128.any_true(v128.or(beyondA, beyondB))) {
          beyond = i64x2.sub(i64x2.sub(beyond, beyondA), beyondB);
          p = within(p, record, wraps); q = within(q, record, wraps);
          far = i64x2.sub(far, v128.and(takenBack(a, p, oldA, scale, step), v128.and(beyondA, changedA)));
          far = i64x2.sub(far, v128.and(takenBack(b, q, oldB, scale, step), v128.and(beyondB, changedB)));
        }
        // Never -0: what is stored is an integer.
        p = f64x2.add(p, none); q = f64x2.add(q, none);
        flushed = i64x2.sub(flushed, v128.and(v128.andnot(f64x2.eq(p, none), f64x2.eq(a, none)), changedA));
        flushed = i64x2.sub(flushed, v128.and(v128.andnot(f64x2.eq(q, none), f64x2.eq(b, none)), changedB));
      }
      const storedA = f64x2.mul(p, step), storedB = f64x2.mul(q, step);
      tried = i64x2.sub(i64x2.sub(tried, changedA), changedB);
      fired = i64x2.sub(i64x2.sub(fired, f64x2.ne(storedA, oldA)), f64x2.ne(storedB, oldB));
      v128.store(eBar + o, storedA);
      v128.store(eBar + o, storedB, 16);
    }
  }
  count(record, TRIED, lanes(tried));
  count(record, FIRED, lanes(fired));
  count(record, LOST, lanes(tried) - lanes(fired) - lanes(far));
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyond));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
  if (whole == bytes) return;
  s -= nPre * n; grad -= <usize>nPre * bytes; eBar -= <usize>nPre * bytes; e -= <usize>nPre * bytes;
  for (let i = 0; i < nPre; i++, s += n, grad += bytes, eBar += bytes, e += bytes) {
    for (let o = whole; o < bytes; o += 8) {
      const own = load<f64>(e + o), old = load<f64>(eBar + o), value = kappa * old + gain * own;
      store<f64>(grad + o, load<f64>(grad + o) + (load<f64>(signal + o) * value + load<f64>(rate + o) * own));
      store<f64>(eBar + o, settled(value, old, rounding, s + <i32>(o >> 3), record, wraps, key, second));
    }
  }
}
