import { Net } from './net';
import { listActive, scatterRows, sumRows, xFrom, xRow, xTo, zFrom, zTo } from './rows';
import { FLUSH_EVERY, flushRow } from './tiny';

/** Currents and neurons of the streams [b0, b1) over the steps [t0, t1), and the lists of their events. */
export function forward(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const bytes = <usize>net.n << 2;
  for (let b = b0; b < b1; b++) {
    for (let t = t0; t < t1; t++) {
      const zPrev = net.z + <usize>(b * (net.history + net.stride) + net.history + t - 1) * bytes;
      listInputs(net, b, t, zPrev);
      currents(net, b, t);
      neurons(net, <usize>b * bytes, zPrev, zPrev + bytes, net.psi + <usize>(b * net.stride + t) * bytes);
      endSpikes(net, b, t, listActive(zFrom(net, b, t), zPrev + bytes, net.n));
      if (t % FLUSH_EVERY == 0) {
        flushRow(net.v + <usize>b * bytes, net.n);
        if (net.a) flushRow(net.a + <usize>b * bytes, net.n);
      }
    }
  }
}

/** Events of step t; at step 0 also the spikes of the steps before. A step whose spikes are dropped has none of either. */
function listInputs(net: Net, b: i32, t: i32, zPrev: usize): void {
  const ends = net.xEnds + (<usize>(b * (net.stride + 1)) << 2);
  const dropped = t == 0 && net.dropBorder != 0;
  if (t == 0) {
    store<i32>(ends, 0);
    store<i32>(net.zEnds + (<usize>(b * (net.stride + net.history + 1)) << 2), 0);
    for (let before = -net.history; before < 0; before++) {
      const first = zFrom(net, b, before);
      endSpikes(net, b, before, dropped ? first : listActive(first, zPrev + (<usize>(before + 1) * net.n << 2), net.n));
    }
  }
  const from = xFrom(net, b, t);
  const count = dropped ? 0 : <i32>((listActive(from, xRow(net, b, t), net.nIn) - from) >> 2);
  const end = ends + (<usize>t << 2);
  store<i32>(end, load<i32>(end) + count, 4);
}

/** The spikes of step t end at this address. */
function endSpikes(net: Net, b: i32, t: i32, to: usize): void {
  const first = net.zList + (<usize>(b * (net.stride + net.history) * net.n) << 2);
  store<i32>(net.zEnds + (<usize>(b * (net.stride + net.history + 1) + t + net.history + 1) << 2), <i32>((to - first) >> 2));
}

/** I_j = sum_i x_i Win_ij + sum_i z_i[t-d] Wrec_ij, with d = net.history.   net.current: [rec] */
function currents(net: Net, b: i32, t: i32): void {
  const x0 = xFrom(net, b, t), x1 = xTo(net, b, t), z0 = zFrom(net, b, t - net.history), z1 = zTo(net, b, t - net.history);
  const x = xRow(net, b, t);
  sumRows(net.current, x, x0, net.rowsIn ? x0 : x1, net.wIn, z0, net.rowsRec ? z0 : z1, net.wRec, net.n);
  if (net.rowsIn) scatterRows(net.current, x0, x1, x, net.wIn, net.rowsIn, net.postIn, net.narrowIn);
  if (net.rowsRec) scatterRows(net.current, z0, z1, 0, net.wRec, net.rowsRec, net.postRec, net.narrowRec);
}

/** One step of all neurons of one stream; a last group of fewer than four runs in a copy of its own. */
function neurons(net: Net, at: usize, zPrev: usize, z: usize, psi: usize): void {
  const whole = <usize>(net.n & ~3) << 2;
  const left = <usize>(net.n & 3) << 2;
  const v = net.v + at, r = net.refractory + at, current = net.current;
  if (!net.a) {
    fours(net, v, r, 0, zPrev, z, psi, current, 0, whole, false);
    if (!left) return;
    enter(net, v + whole, r + whole, zPrev + whole, current + whole, left);
    const l = net.lanes;
    fours(net, l, l + 16, 0, l + 48, l + 64, l + 80, l + 96, 0, 16, false);
  } else {
    const a = net.a + at;
    fours(net, v, r, a, zPrev, z, psi, current, net.strength, whole, true);
    if (!left) return;
    enter(net, v + whole, r + whole, zPrev + whole, current + whole, left);
    const l = net.lanes;
    memory.copy(l + 32, a + whole, left);
    fours(net, l, l + 16, l + 32, l + 48, l + 64, l + 80, l + 96, net.strength + whole, 16, true);
    memory.copy(a + whole, l + 32, left);
  }
  memory.copy(v + whole, net.lanes, left);
  memory.copy(r + whole, net.lanes + 16, left);
  memory.copy(z + whole, net.lanes + 64, left);
  memory.copy(psi + whole, net.lanes + 80, left);
}

function enter(net: Net, v: usize, r: usize, zPrev: usize, current: usize, bytes: usize): void {
  memory.copy(net.lanes, v, bytes);
  memory.copy(net.lanes + 16, r, bytes);
  memory.copy(net.lanes + 48, zPrev, bytes);
  memory.copy(net.lanes + 96, current, bytes);
}

/**
 * a = rho a + z[t-1];  v = decay v + gain I - vTh z[t-1]  (or decay v (1 - z[t-1]) + gain I);  A = vTh + strength a;
 * z = [v > A, not refractory];  psi = height max(0, 1 - |v - A| / width), 0 while refractory, the share of the height rounded
 * to psiHighest + 1 levels (0: smooth);
 * refractory = clip(refractory + nRef z - 1, 0, nRef).   Four neurons at a time, `bytes` / 4 in all.
 */
// @ts-ignore: decorator
@inline
function fours(net: Net, v: usize, r: usize, a: usize, zPrev: usize, z: usize, psi: usize, current: usize, strength: usize, bytes: usize, adaptive: bool): void {
  const none = f32x4.splat(0), one = f32x4.splat(1);
  const decay = f32x4.splat(net.decay), gain = f32x4.splat(net.gain), vTh = f32x4.splat(net.vTh), rho = f32x4.splat(net.rho);
  const perWidth = f32x4.splat(1 / net.psiWidth), height = f32x4.splat(net.psiHeight), nRef = f32x4.splat(net.nRef);
  const highest = f32x4.splat(<f32>net.psiHighest), perHighest = f32x4.splat(net.psiHighest ? 1 / <f32>net.psiHighest : 0), half = f32x4.splat(0.5);
  const levels = net.psiHighest != 0;
  const toZero = net.resetToZero != 0, orEqual = net.orEqual != 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const before = v128.load(zPrev + o);
    const kept = f32x4.mul(decay, v128.load(v + o));
    const input = f32x4.mul(gain, v128.load(current + o));
    const now = toZero
      ? f32x4.add(f32x4.mul(kept, f32x4.sub(one, before)), input)
      : f32x4.sub(f32x4.add(kept, input), f32x4.mul(vTh, before));
    v128.store(v + o, now);
    let threshold = vTh;
    if (adaptive) {
      const raised = f32x4.add(f32x4.mul(rho, v128.load(a + o)), before);
      v128.store(a + o, raised);
      threshold = f32x4.add(threshold, f32x4.mul(v128.load(strength + o), raised));
    }
    const blocked = v128.load(r + o);
    const closed = f32x4.gt(blocked, none);
    const above = f32x4.sub(now, threshold);
    const over = orEqual ? f32x4.ge(above, none) : f32x4.gt(above, none);
    const spike = v128.and(v128.andnot(over, closed), one);
    v128.store(z + o, spike);
    let slope = f32x4.max(none, f32x4.sub(one, f32x4.mul(f32x4.abs(above), perWidth)));
    if (levels) slope = f32x4.mul(f32x4.floor(f32x4.add(f32x4.mul(highest, slope), half)), perHighest);
    v128.store(psi + o, v128.andnot(f32x4.mul(height, slope), closed));
    const next = f32x4.sub(f32x4.add(blocked, f32x4.mul(nRef, spike)), one);
    v128.store(r + o, f32x4.min(f32x4.max(next, none), nRef));
  }
}
