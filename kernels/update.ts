import { chanceAt } from './chance';
import { flush1, flush4 } from './tiny';

/** Updates over flat arrays: the gradient becomes the step, the step is taken, the gradient is 0 again. */

/** g = factor g. */
export function stepSgd(g: usize, n: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  const bytes = <usize>n << 2;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(g + o, f32x4.mul(f, v128.load(g + o)));
  for (; o < bytes; o += 4) store<f32>(g + o, factor * load<f32>(g + o));
}

/** u = momentum u + scale g;  g = rate u. */
export function stepMomentum(g: usize, velocity: usize, n: i32, scale: f32, rate: f32, momentum: f32): void {
  const bytes = <usize>n << 2;
  for (let o: usize = 0; o < bytes; o += 4) {
    const u = momentum * load<f32>(velocity + o) + scale * load<f32>(g + o);
    store<f32>(velocity + o, flush1(u));
    store<f32>(g + o, rate * u);
  }
}

/** m = b1 m + (1-b1) scale g;  v = b2 v + (1-b2) (scale g)^2;  g = rate m / (sqrt(v) + epsilon), rate bias-corrected. */
export function stepAdam(g: usize, mean: usize, square: usize, n: i32, scale: f32, rate: f32, beta1: f32, beta2: f32, epsilon: f32): void {
  const bytes = <usize>n << 2;
  const b1 = f32x4.splat(beta1), c1 = f32x4.splat(1 - beta1), b2 = f32x4.splat(beta2), c2 = f32x4.splat(1 - beta2);
  const s = f32x4.splat(scale), r = f32x4.splat(rate), e = f32x4.splat(epsilon);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    const grad = f32x4.mul(s, v128.load(g + o));
    const m = f32x4.add(f32x4.mul(b1, v128.load(mean + o)), f32x4.mul(c1, grad));
    const v = f32x4.add(f32x4.mul(b2, v128.load(square + o)), f32x4.mul(c2, f32x4.mul(grad, grad)));
    v128.store(mean + o, flush4(m));
    v128.store(square + o, flush4(v));
    v128.store(g + o, f32x4.div(f32x4.mul(r, m), f32x4.add(f32x4.sqrt(v), e)));
  }
  for (; o < bytes; o += 4) {
    const grad = scale * load<f32>(g + o);
    const m = beta1 * load<f32>(mean + o) + (1 - beta1) * grad;
    const v = beta2 * load<f32>(square + o) + (1 - beta2) * grad * grad;
    store<f32>(mean + o, flush1(m));
    store<f32>(square + o, flush1(v));
    store<f32>(g + o, (rate * m) / (sqrt<f32>(v) + epsilon));
  }
}

/** g = delta sign(g) with probability min(1, |rate g| / delta), else 0. */
export function stepOnce(g: usize, n: i32, rate: f32, delta: f32, key: u32, count: u32): void {
  for (let s = 0; s < n; s++) {
    const place = g + (<usize>s << 2);
    const mean = rate * load<f32>(place);
    const moves = chanceAt(key, count, s) * <f64>delta < <f64>abs<f32>(mean);
    store<f32>(place, moves ? copysign<f32>(delta, mean) : 0);
  }
}

/** w = min(max(w - factor g, low), high);  g = 0. */
export function take(w: usize, g: usize, n: i32, factor: f32, low: f32, high: f32): void {
  const f = f32x4.splat(factor), lo = f32x4.splat(low), hi = f32x4.splat(high), none = f32x4.splat(0);
  const bytes = <usize>n << 2;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    const next = f32x4.sub(v128.load(w + o), f32x4.mul(f, v128.load(g + o)));
    v128.store(w + o, f32x4.min(f32x4.max(next, lo), hi));
    v128.store(g + o, none);
  }
  for (; o < bytes; o += 4) {
    store<f32>(w + o, min<f32>(max<f32>(load<f32>(w + o) - factor * load<f32>(g + o), low), high));
    store<f32>(g + o, 0);
  }
}

/** B_jk = keep (B_jk - step_jk).   B: rows of `width` numbers, size of them from its address on; step: [n][size] */
export function follow(b: usize, step: usize, n: i32, width: i32, size: i32, keep: f32): void {
  const bytes = <usize>size << 2, rowBytes = <usize>width << 2;
  for (let j = 0; j < n; j++, b += rowBytes, step += bytes) {
    for (let o: usize = 0; o < bytes; o += 4) store<f32>(b + o, keep * (load<f32>(b + o) - load<f32>(step + o)));
  }
}

/** x = factor x. */
export function multiply(x: usize, n: i32, factor: f32): void {
  stepSgd(x, n, factor);
}

/** sum of x^2 in float64. */
export function squares(x: usize, n: i32): f64 {
  const bytes = <usize>n << 2;
  let low = f64x2.splat(0), high = low;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    const four = v128.load(x + o);
    const a = f64x2.promote_low_f32x4(four), b = f64x2.promote_low_f32x4(i8x16.shuffle(four, four, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; o < bytes; o += 4) sum += <f64>load<f32>(x + o) * <f64>load<f32>(x + o);
  return sum;
}

/** x = 0 at the diagonal of an [n][n] matrix: autapses that exist in the storage only. */
export function clearDiagonal(x: usize, n: i32): void {
  for (let j = 0; j < n; j++) store<f32>(x + (<usize>(j * n + j) << 2), 0);
}
