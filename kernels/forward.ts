import { Net } from './net';
import { listSpikes, listValues, scatterRow, sumRows, xFrom, xTo, zFrom, zTo } from './rows';

/** Currents and neurons of the streams [b0, b1) over the steps [t0, t1), and the lists of their events. */
export function forward(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const bytes = <usize>net.n << 2;
  for (let b = b0; b < b1; b++) {
    for (let t = t0; t < t1; t++) {
      const zPrev = net.z + <usize>(b * (net.history + net.stride) + net.history + t - 1) * bytes;
      listInputs(net, b, t, zPrev);
      currents(net, b, t);
      neurons(net, <usize>b * bytes, zPrev, zPrev + bytes, net.psi + <usize>(b * net.stride + t) * bytes);
      endSpikes(net, b, t, listSpikes(zFrom(net, b, t), zPrev + bytes, net.n));
    }
  }
}

/** Events of step t; at step 0 also the spikes of the step before. A step whose spikes are dropped has none of either. */
function listInputs(net: Net, b: i32, t: i32, zPrev: usize): void {
  const ends = net.xEnds + (<usize>(b * (net.stride + 1)) << 2);
  const dropped = t == 0 && net.dropBorder != 0;
  if (t == 0) {
    store<i32>(ends, 0);
    store<i32>(net.zEnds + (<usize>(b * (net.stride + 2)) << 2), 0);
    const first = zFrom(net, b, -1);
    endSpikes(net, b, -1, dropped ? first : listSpikes(first, zPrev, net.n));
  }
  const from = xFrom(net, b, t);
  const x = net.x + (<usize>((b * net.stride + t) * net.nIn) << 2);
  const count = dropped ? 0 : <i32>((listValues(from, x, net.nIn) - from) >> 3);
  const end = ends + (<usize>t << 2);
  store<i32>(end, load<i32>(end) + count, 4);
}

/** The spikes of step t end at this address. */
function endSpikes(net: Net, b: i32, t: i32, to: usize): void {
  const first = net.zList + (<usize>(b * (net.stride + 1) * net.n) << 2);
  store<i32>(net.zEnds + (<usize>(b * (net.stride + 2) + t + 2) << 2), <i32>((to - first) >> 2));
}

/** I_j = sum_i x_i Win_ij + sum_i z_i[t-1] Wrec_ij.   net.current: [rec] */
function currents(net: Net, b: i32, t: i32): void {
  const x0 = xFrom(net, b, t), x1 = xTo(net, b, t), z0 = zFrom(net, b, t - 1), z1 = zTo(net, b, t - 1);
  sumRows(net.current, x0, net.rowsIn ? x0 : x1, net.wIn, z0, net.rowsRec ? z0 : z1, net.wRec, net.n);
  if (net.rowsIn) for (let e = x0; e < x1; e += 8) scatterRow(net.current, load<i32>(e), load<f32>(e, 4), net.wIn, net.rowsIn, net.postIn);
  if (net.rowsRec) for (let e = z0; e < z1; e += 4) scatterRow(net.current, load<i32>(e), 1, net.wRec, net.rowsRec, net.postRec);
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
