/**
 * Steps of threshold neurons and what a step hands on, for one stream: the loops of `models/neurons/spiking.ts`, `models/traces/eligibility.ts`
 * and `src/backends/reference/rateTerm.ts`.   All arrays [n].
 */

/** v = decay v + gain I - vTh z. */
export function integrateSubtract(v: usize, z: usize, current: usize, decay: f64, gain: f64, vTh: f64, n: i32): void {
  const a = f64x2.splat(decay), g = f64x2.splat(gain), h = f64x2.splat(vTh);
  for (let j = 0; j < n; j += 2) {
    const o = <usize>j << 3, sum = f64x2.add(f64x2.mul(a, v128.load(v + o)), f64x2.mul(g, v128.load(current + o)));
    storePair(v + o, f64x2.sub(sum, f64x2.mul(h, v128.load(z + o))), j + 1 < n);
  }
}

/** v = decay v (1 - z) + gain I. */
export function integrateToZero(v: usize, z: usize, current: usize, decay: f64, gain: f64, n: i32): void {
  const a = f64x2.splat(decay), g = f64x2.splat(gain), one = f64x2.splat(1);
  for (let j = 0; j < n; j += 2) {
    const o = <usize>j << 3, kept = f64x2.mul(f64x2.mul(a, v128.load(v + o)), f64x2.sub(one, v128.load(z + o)));
    storePair(v + o, f64x2.add(kept, f64x2.mul(g, v128.load(current + o))), j + 1 < n);
  }
}

/** psi = height max(0, 1 - |v - A| / width), 0 while refractory. */
export function triangle(psi: usize, refractory: usize, v: usize, threshold: usize, height: f64, width: f64, n: i32): void {
  const h = f64x2.splat(height), w = f64x2.splat(width), one = f64x2.splat(1), none = f64x2.splat(0);
  for (let j = 0; j < n; j += 2) {
    const o = <usize>j << 3, open = v128.andnot(one, f64x2.gt(v128.load(refractory + o), none));
    const above = f64x2.sub(v128.load(v + o), v128.load(threshold + o));
    const slope = f64x2.max(none, f64x2.sub(one, f64x2.div(f64x2.abs(above), w)));
    storePair(psi + o, f64x2.mul(f64x2.mul(open, h), slope), j + 1 < n);
  }
}

/** z = [v > A and not refractory], or v = A too;  r = clip(r + nRef z - 1, 0, nRef). */
export function emit(z: usize, refractory: usize, v: usize, threshold: usize, nRef: f64, orEqual: i32, n: i32): void {
  const most = f64x2.splat(nRef), one = f64x2.splat(1), none = f64x2.splat(0);
  for (let j = 0; j < n; j += 2) {
    const o = <usize>j << 3, pair = j + 1 < n, blocked = v128.load(refractory + o);
    const above = f64x2.sub(v128.load(v + o), v128.load(threshold + o));
    const fires = orEqual ? f64x2.ge(above, none) : f64x2.gt(above, none);
    const spike = v128.and(v128.andnot(fires, f64x2.gt(blocked, none)), one);
    const left = f64x2.sub(f64x2.add(blocked, f64x2.mul(most, spike)), one);
    storePair(z + o, spike, pair);
    storePair(refractory + o, f64x2.min(f64x2.max(left, none), most), pair);
  }
}

/** d = psi (gain L + R), or gain L + psi R without the gate. */
export function meet(d: usize, psi: usize, signal: usize, rate: usize, gain: f64, gated: i32, n: i32): void {
  const g = f64x2.splat(gain);
  for (let j = 0; j < n; j += 2) {
    const o = <usize>j << 3, L = f64x2.mul(g, v128.load(signal + o)), R = v128.load(rate + o), slope = v128.load(psi + o);
    storePair(d + o, gated ? f64x2.mul(slope, f64x2.add(L, R)) : f64x2.add(L, f64x2.mul(slope, R)), j + 1 < n);
  }
}

/** f = f + rate (z - f);  R = strength (f - target). */
export function runningTerm(R: usize, f: usize, z: usize, strength: f64, target: f64, rate: f64, n: i32): void {
  const c = f64x2.splat(strength), goal = f64x2.splat(target), r = f64x2.splat(rate);
  for (let j = 0; j < n; j += 2) {
    const o = <usize>j << 3, pair = j + 1 < n, old = v128.load(f + o);
    const mean = f64x2.add(old, f64x2.mul(r, f64x2.sub(v128.load(z + o), old)));
    storePair(f + o, mean, pair);
    storePair(R + o, f64x2.mul(c, f64x2.sub(mean, goal)), pair);
  }
}

/** Two numbers, or the last one of an odd row. */
// @ts-ignore: decorator
@inline
function storePair(to: usize, x: v128, pair: bool): void {
  if (pair) v128.store(to, x);
  else v128.store64_lane(to, x, 0);
}
