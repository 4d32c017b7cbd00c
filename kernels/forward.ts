import { addTimes } from './maps';
import { Events, Net, Projection } from './net';
import { endOf, eventsFrom, eventsTo, listActive, listFour, listOf, listPast, listRest, listStep, rowOf, scatterRows, sumRows } from './rows';
import { FLUSH_EVERY, flushRow } from './tiny';

/** Currents and neurons of the streams [b0, b1) over the steps [t0, t1), and the lists of their events. */
export function forward(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  for (let b = b0; b < b1; b++) {
    for (let t = t0; t < t1; t++) {
      listInputs(net, b, t);
      for (let at = changetype<usize>(net); at; at = changetype<Net>(at).next) step(changetype<Net>(at), b, t);
    }
  }
}

/** Events of the inputs at step t; at step 0 also all of the steps before. */
function listInputs(net: Net, b: i32, t: i32): void {
  if (t == 0) {
    for (let at = changetype<usize>(net); at; at = changetype<Net>(at).next) {
      listPast(changetype<Events>(changetype<Net>(at).events), net.stride, b);
    }
    for (let at = net.sources; at; at = changetype<Events>(at).next) listPast(changetype<Events>(at), net.stride, b);
  }
  for (let at = net.sources; at; at = changetype<Events>(at).next) listStep(changetype<Events>(at), net.stride, b, t);
}

/** One step of one population. */
function step(net: Net, b: i32, t: i32): void {
  const bytes = <usize>net.n << 2;
  const z = net.z + <usize>(b * (net.history + net.stride) + net.history + t) * bytes;
  currents(net, b, t);
  const ev = changetype<Events>(net.events), list = listOf(ev, net.stride, b), end = endOf(ev, net.stride, b, t);
  const first = list + (<usize>load<i32>(end - 4) << 2);
  const at = <usize>b * bytes, psi = net.psi + <usize>(b * net.stride + t) * bytes;
  let last: usize;
  if (net.neuronKind == 0) last = neurons(net, at, z - bytes, z, psi, first);
  else if (net.neuronKind == 1) last = neuronsEach(net, at, z - bytes, z, psi, first);
  else if (net.neuronKind == 2) last = integrators(net, at, z, psi, first);
  else if (net.neuronKind == 3) last = rates(net, at, z - bytes, z, psi, first);
  else last = potentials(net, at, z, psi, first);
  store<i32>(end, <i32>((last - list) >> 2));
  if (t % FLUSH_EVERY == 0) {
    flushRow(net.v + <usize>b * bytes, net.n);
    if (net.a) flushRow(net.a + <usize>b * bytes, net.n);
    if (net.i) flushRow(net.i + <usize>b * bytes, net.n);
  }
}

/** I_j = constant_j + injected_j[t] + sum over the projections that end here of sum_i x_i[t-d] w_ij; none where it is dropped.   net.current: [n] */
function currents(net: Net, b: i32, t: i32): void {
  let add = false, anySparse = false;
  // Dense ones go two by two: one with values, one with spikes.
  let x: usize = 0, x0: usize = 0, x1: usize = 0, wX: usize = 0, z0: usize = 0, z1: usize = 0, wZ: usize = 0;
  const dropped = t == 0 && net.dropBorder != 0;
  for (let at: usize = dropped ? 0 : net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (p.rows) {
      anySparse = true;
      continue;
    }
    const ev = changetype<Events>(p.events), valued = ev.valued != 0;
    if (valued ? wX : wZ) {
      sumRows(net.current, add, x, x0, x1, wX, z0, z1, wZ, net.n);
      add = true;
      x0 = x1 = wX = z0 = z1 = wZ = 0;
    }
    const list = listOf(ev, net.stride, b), last = endOf(ev, net.stride, b, t - p.delay);
    const first = list + (<usize>load<i32>(last - 4) << 2), end = list + (<usize>load<i32>(last) << 2);
    if (valued) {
      x = rowOf(ev, net.stride, b, t - p.delay);
      x0 = first;
      x1 = end;
      wX = p.w;
    } else {
      z0 = first;
      z1 = end;
      wZ = p.w;
    }
  }
  sumRows(net.current, add, x, x0, x1, wX, z0, z1, wZ, net.n);
  if (anySparse) scatter(net, b, t);
  if (net.constant) addTimes(net.current, net.constant, 1, net.n);
  if (net.injected) addTimes(net.current, net.injected + (<usize>((b * net.stride + t) * net.n) << 2), 1, net.n);
}

/** Adds what comes through sparse projections. */
function scatter(net: Net, b: i32, t: i32): void {
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at), ev = changetype<Events>(p.events);
    if (!p.rows) continue;
    const first = eventsFrom(ev, net.stride, b, t - p.delay), end = eventsTo(ev, net.stride, b, t - p.delay);
    scatterRows(net.current, first, end, ev.valued ? rowOf(ev, net.stride, b, t - p.delay) : 0, p.w, p.rows, p.post, p.narrow);
  }
}

/**
 * One step of all neurons of one stream; a last group of fewer than four runs in a copy of its own. Spikes are appended to the list
 * that ends at `list`, where their lanes are at hand.   @returns the list's new end
 */
function neurons(net: Net, at: usize, zPrev: usize, z: usize, psi: usize, list: usize): usize {
  return groups(net, at, zPrev, z, psi, list, false);
}

/** The same for neurons that differ from each other; exported so that it is not put into its caller. */
export function neuronsEach(net: Net, at: usize, zPrev: usize, z: usize, psi: usize, list: usize): usize {
  return groups(net, at, zPrev, z, psi, list, true);
}

// @ts-ignore: decorator
@inline
function groups(net: Net, at: usize, zPrev: usize, z: usize, psi: usize, list: usize, each: bool): usize {
  const whole = <usize>(net.n & ~3) << 2;
  const left = <usize>(net.n & 3) << 2;
  const v = net.v + at, r = net.refractory + at, current = net.current, cells = net.cells;
  const i = each && net.i ? net.i + at : 0;
  if (!net.a) {
    list = fours(net, v, r, 0, i, zPrev, z, psi, current, 0, cells, whole, false, each, list);
    if (!left) return list;
    enter(net, v + whole, r + whole, zPrev + whole, current + whole, left);
    const l = net.lanes;
    if (i) memory.copy(l + 128, i + whole, left);
    fours(net, l, l + 16, 0, i ? l + 128 : 0, l + 48, l + 64, l + 80, l + 96, 0, cells + whole, 16, false, each, l + 112);
  } else {
    const a = net.a + at;
    list = fours(net, v, r, a, i, zPrev, z, psi, current, net.strength, cells, whole, true, each, list);
    if (!left) return list;
    enter(net, v + whole, r + whole, zPrev + whole, current + whole, left);
    const l = net.lanes;
    memory.copy(l + 32, a + whole, left);
    if (i) memory.copy(l + 128, i + whole, left);
    fours(net, l, l + 16, l + 32, i ? l + 128 : 0, l + 48, l + 64, l + 80, l + 96, net.strength + whole, cells + whole, 16, true, each, l + 112);
    memory.copy(a + whole, l + 32, left);
  }
  memory.copy(v + whole, net.lanes, left);
  memory.copy(r + whole, net.lanes + 16, left);
  memory.copy(z + whole, net.lanes + 64, left);
  memory.copy(psi + whole, net.lanes + 80, left);
  if (i) memory.copy(i + whole, net.lanes + 128, left);
  return listRest(list, z, net.n & ~3, net.n);
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
 * refractory = clip(refractory + nRef z - 1, 0, nRef).   Four neurons at a time, `bytes` / 4 in all; spikes go to the list.
 * `each`: constants are those of every neuron, v also gains leak, and with a synaptic current i = sigma i + I this is the input.
 * cells: decay, gain, leak, vTh, height, 1 / width, rho, sigma, [8][n]
 */
// @ts-ignore: decorator
@inline
function fours(net: Net, v: usize, r: usize, a: usize, i: usize, zPrev: usize, z: usize, psi: usize, current: usize, strength: usize, cells: usize, bytes: usize, adaptive: bool, each: bool, list: usize): usize {
  const none = f32x4.splat(0), one = f32x4.splat(1);
  const rowBytes = <usize>((net.n + 3) & ~3) << 2;
  let decay = f32x4.splat(net.decay), gain = f32x4.splat(net.gain), vTh = f32x4.splat(net.vTh), rho = f32x4.splat(net.rho);
  let perWidth = f32x4.splat(1 / net.psiWidth), height = f32x4.splat(net.psiHeight);
  const nRef = f32x4.splat(net.nRef);
  const highest = f32x4.splat(<f32>net.psiHighest), perHighest = f32x4.splat(net.psiHighest ? 1 / <f32>net.psiHighest : 0), half = f32x4.splat(0.5);
  const levels = net.psiHighest != 0;
  const toZero = net.resetToZero != 0, orEqual = net.orEqual != 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    let drive = v128.load(current + o);
    if (each) {
      let row = cells + o;
      decay = v128.load(row); row += rowBytes;
      gain = v128.load(row); row += rowBytes << 1;
      vTh = v128.load(row); row += rowBytes;
      height = v128.load(row); row += rowBytes;
      perWidth = v128.load(row); row += rowBytes;
      rho = v128.load(row); row += rowBytes;
      if (i) {
        drive = f32x4.add(f32x4.mul(v128.load(row), v128.load(i + o)), drive);
        v128.store(i + o, drive);
      }
    }
    const before = v128.load(zPrev + o);
    let kept = f32x4.mul(decay, v128.load(v + o));
    const input = f32x4.mul(gain, drive);
    if (toZero) kept = f32x4.mul(kept, f32x4.sub(one, before));
    if (each) kept = f32x4.add(kept, v128.load(cells + (rowBytes << 1) + o));
    const now = toZero ? f32x4.add(kept, input) : f32x4.sub(f32x4.add(kept, input), f32x4.mul(vTh, before));
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
    list = listFour(list, i32x4.bitmask(v128.andnot(over, closed)), <i32>(o >> 2));
    let slope = f32x4.max(none, f32x4.sub(one, f32x4.mul(f32x4.abs(above), perWidth)));
    if (levels) slope = f32x4.mul(f32x4.floor(f32x4.add(f32x4.mul(highest, slope), half)), perHighest);
    v128.store(psi + o, v128.andnot(f32x4.mul(height, slope), closed));
    const next = f32x4.sub(f32x4.add(blocked, f32x4.mul(nRef, spike)), one);
    v128.store(r + o, f32x4.min(f32x4.max(next, none), nRef));
  }
  return list;
}

/** v = decay v + gain I;  z = v;  psi = 1.   cells: decay, gain, [2][n]   @returns the list's new end */
function integrators(net: Net, at: usize, z: usize, psi: usize, list: usize): usize {
  const bytes = <usize>net.n << 2, rowBytes = <usize>((net.n + 3) & ~3) << 2;
  const v = net.v + at, decay = net.cells, gain = decay + rowBytes;
  for (let o: usize = 0; o < bytes; o += 4) {
    const now = load<f32>(decay + o) * load<f32>(v + o) + load<f32>(gain + o) * load<f32>(net.current + o);
    store<f32>(v + o, now);
    store<f32>(z + o, now);
    store<f32>(psi + o, 1);
  }
  return listActive(list, z, net.n);
}

/** u = I;  z = decay z[t-1] + (1 - decay) tanh(u);  psi = 1 - tanh(u)^2.   net.v: u   @returns the list's new end */
function rates(net: Net, at: usize, zPrev: usize, z: usize, psi: usize, list: usize): usize {
  const bytes = <usize>net.n << 2;
  for (let o: usize = 0; o < bytes; o += 4) {
    const drive = load<f32>(net.current + o), phi = <f32>NativeMath.tanh(drive);
    store<f32>(net.v + at + o, drive);
    store<f32>(z + o, net.decay * load<f32>(zPrev + o) + net.gain * phi);
    store<f32>(psi + o, 1 - phi * phi);
  }
  return listActive(list, z, net.n);
}

/** u = decay u + gain I;  z = tanh(u);  psi = 1 - z^2.   net.v: u   @returns the list's new end */
function potentials(net: Net, at: usize, z: usize, psi: usize, list: usize): usize {
  const bytes = <usize>net.n << 2;
  for (let o: usize = 0; o < bytes; o += 4) {
    const u = net.decay * load<f32>(net.v + at + o) + net.gain * load<f32>(net.current + o), rate = <f32>NativeMath.tanh(u);
    store<f32>(net.v + at + o, u);
    store<f32>(z + o, rate);
    store<f32>(psi + o, 1 - rate * rate);
  }
  return listActive(list, z, net.n);
}
