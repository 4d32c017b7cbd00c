import { Net } from './net';
import { collectRows, scatterRows, sumRows } from './rows';

/** Currents and neurons of the streams [b0, b1) over the steps [t0, t1). */
export function forward(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const n = net.n, nIn = net.nIn;
  const bytes = <usize>n << 2;
  for (let b = b0; b < b1; b++) {
    for (let t = t0; t < t1; t++) {
      const x = net.x + (<usize>(b * net.stride + t) * nIn << 2);
      const zPrev = net.z + <usize>(b * (net.history + net.stride) + net.history + t - 1) * bytes;
      currents(net, x, zPrev, t == 0 && net.dropBorder != 0);
      const psi = net.psi + <usize>(b * net.stride + t) * bytes;
      neurons(net, <usize>b * bytes, zPrev, zPrev + bytes, psi);
    }
  }
}

/** I_j = sum_i x_i Win_ij + sum_i z_i[t-1] Wrec_ij.   net.current: [rec] */
function currents(net: Net, x: usize, zPrev: usize, dropped: bool): void {
  const n = net.n, nIn = net.nIn;
  const bytes = <usize>n << 2;
  let count = 0;
  if (!dropped) {
    if (!net.rowsIn) count = collectRows(net.list, count, x, nIn, net.wIn, bytes);
    if (!net.rowsRec) count = collectRows(net.list, count, zPrev, n, net.wRec, bytes);
  }
  sumRows(net.current, net.list, count, n);
  if (dropped) return;
  if (net.rowsIn) scatterRows(net.current, x, nIn, net.wIn, net.rowsIn, net.postIn);
  if (net.rowsRec) scatterRows(net.current, zPrev, n, net.wRec, net.rowsRec, net.postRec);
}

/** One step of all neurons of one stream; a last group of fewer than four runs in a copy of its own. */
function neurons(net: Net, at: usize, zPrev: usize, z: usize, psi: usize): void {
  const whole = <usize>(net.n & ~3) << 2;
  const left = <usize>(net.n & 3) << 2;
  const v = net.v + at, r = net.refractory + at;
  const a = net.a ? net.a + at : 0;
  if (a) for (let o: usize = 0; o < whole; o += 16) neurons4(net, v + o, r + o, a + o, zPrev + o, z + o, psi + o, net.current + o, net.strength + o, true);
  else for (let o: usize = 0; o < whole; o += 16) neurons4(net, v + o, r + o, 0, zPrev + o, z + o, psi + o, net.current + o, 0, false);
  if (!left) return;
  const lanes = net.lanes;
  memory.copy(lanes, v + whole, left);
  memory.copy(lanes + 16, r + whole, left);
  memory.copy(lanes + 48, zPrev + whole, left);
  memory.copy(lanes + 96, net.current + whole, left);
  if (a) {
    memory.copy(lanes + 32, a + whole, left);
    memory.copy(lanes + 112, net.strength + whole, left);
    neurons4(net, lanes, lanes + 16, lanes + 32, lanes + 48, lanes + 64, lanes + 80, lanes + 96, lanes + 112, true);
    memory.copy(a + whole, lanes + 32, left);
  } else {
    neurons4(net, lanes, lanes + 16, 0, lanes + 48, lanes + 64, lanes + 80, lanes + 96, 0, false);
  }
  memory.copy(v + whole, lanes, left);
  memory.copy(r + whole, lanes + 16, left);
  memory.copy(z + whole, lanes + 64, left);
  memory.copy(psi + whole, lanes + 80, left);
}

/**
 * a = rho a + z[t-1];  v = decay v + gain I - vTh z[t-1]  (or decay v (1 - z[t-1]) + gain I);  A = vTh + strength a;
 * z = [v > A, not refractory];  psi = height max(0, 1 - |v - A| / width), 0 while refractory;
 * refractory = clip(refractory + nRef z - 1, 0, nRef).   Four neurons.
 */
// @ts-ignore: decorator
@inline
function neurons4(net: Net, v: usize, r: usize, a: usize, zPrev: usize, z: usize, psi: usize, current: usize, strength: usize, adaptive: bool): void {
  const none = f32x4.splat(0), one = f32x4.splat(1);
  const before = v128.load(zPrev);
  const kept = f32x4.mul(f32x4.splat(net.decay), v128.load(v));
  const input = f32x4.mul(f32x4.splat(net.gain), v128.load(current));
  const vNow = net.resetToZero
    ? f32x4.add(f32x4.mul(kept, f32x4.sub(one, before)), input)
    : f32x4.sub(f32x4.add(kept, input), f32x4.mul(f32x4.splat(net.vTh), before));
  v128.store(v, vNow);
  let threshold = f32x4.splat(net.vTh);
  if (adaptive) {
    const aNow = f32x4.add(f32x4.mul(f32x4.splat(net.rho), v128.load(a)), before);
    v128.store(a, aNow);
    threshold = f32x4.add(threshold, f32x4.mul(v128.load(strength), aNow));
  }
  const blocked = v128.load(r);
  const closed = f32x4.gt(blocked, none);
  const above = f32x4.sub(vNow, threshold);
  const over = net.orEqual ? f32x4.ge(above, none) : f32x4.gt(above, none);
  const spike = v128.and(v128.andnot(over, closed), one);
  v128.store(z, spike);
  const slope = f32x4.sub(one, f32x4.div(f32x4.abs(above), f32x4.splat(net.psiWidth)));
  v128.store(psi, v128.andnot(f32x4.mul(f32x4.splat(net.psiHeight), f32x4.max(none, slope)), closed));
  const nRef = f32x4.splat(net.nRef);
  const next = f32x4.sub(f32x4.add(blocked, f32x4.mul(nRef, spike)), one);
  v128.store(r, f32x4.min(f32x4.max(next, none), nRef));
}
