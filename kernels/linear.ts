import { Events, Net, Projection } from './net';
import { rowOf } from './rows';
import { FLUSH_EVERY, flush1, flush4, flushRow } from './tiny';

/**
 * Eligibility traces by the matrices of each neuron, for neurons that differ, filter their input first, or do not spike:
 *
 *   eps_ij = transition_j eps_ij + input_j g p_i + own_j e_ij;   e_ij = f read_j . eps_ij      spike: f = psi, g = 1; input: f = 1, g = psi
 *
 * with one or two states each; one without memory is not kept (eps 0). net.linear: rows of transition [m][m], input [m], own [m], read [m] for all neurons, [..][n];
 * eps: [stream][syn][m]
 */

/** Bytes of one row of `net.linear`. */
// @ts-ignore: decorator
@inline
function constantBytes(net: Net): usize {
  return <usize>((net.n + 3) & ~3) << 2;
}

/** The gradient of the steps [t, t + steps) of stream b, a synapse through all of them while its traces are in registers. */
export function traceLinear(net: Net, b: i32, t: i32, steps: i32, rated: bool): void {
  arrivals(net, b, t, steps);
  packLinear(net, b, t, steps, rated);
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (!p.learns) continue;
    if (p.rows) sparse(net, p, b, t, steps, rated);
    else if (net.states == 1) denseOne(net, p, b, t, steps, rated);
    else denseTwo(net, p, b, t, steps, rated);
  }
}

/** What arrives at every step.   net.epsSteps: [step][epsWidth] */
export function arrivals(net: Net, b: i32, t0: i32, steps: i32): void {
  const rowBytes = <usize>net.epsWidth << 2;
  for (let s = 0; s < steps; s++) {
    const row = net.epsSteps + <usize>s * rowBytes;
    for (let at = net.projections; at; at = changetype<Projection>(at).next) {
      const p = changetype<Projection>(at), ev = changetype<Events>(p.events);
      if (!p.learns) continue;
      const to = row + (<usize>p.offset << 2), bytes = <usize>ev.size << 2;
      if (t0 + s == 0 && net.dropBorder) memory.fill(to, 0, bytes);
      else memory.copy(to, rowOf(ev, net.stride, b, t0 + s - p.delay), bytes);
    }
  }
}

/** net.packed: [n / 4][step] of g, f, L and R, four neurons each. */
function packLinear(net: Net, b: i32, t0: i32, steps: i32, rated: bool): void {
  const bytes = <usize>net.n << 2;
  const none = f32x4.splat(0), one = f32x4.splat(1);
  const gateInput = net.gateInput != 0;
  let to = net.packed;
  for (let o: usize = 0; o + 16 <= bytes; o += 16) {
    for (let t = t0; t < t0 + steps; t++) {
      const psi = v128.load(net.psi + <usize>(b * net.stride + t) * bytes + o);
      v128.store(to, gateInput ? psi : one);
      v128.store(to, gateInput ? one : psi, 16);
      v128.store(to, v128.load(net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes + o), 32);
      v128.store(to, rated ? v128.load(net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes + o) : none, 48);
      to += 64;
    }
  }
}

export function denseOne(net: Net, p: Projection, b: i32, t: i32, steps: i32, rated: bool): void { dense(net, p, b, t, steps, rated, false); }
export function denseTwo(net: Net, p: Projection, b: i32, t: i32, steps: i32, rated: bool): void { dense(net, p, b, t, steps, rated, true); }

/** Four synapses of a row at a time: x and y are their states. */
// @ts-ignore: decorator
@inline
function dense(net: Net, p: Projection, b: i32, t: i32, steps: i32, rated: bool, two: bool): void {
  const nPre = changetype<Events>(p.events).size;
  const bytes = <usize>net.n << 2, epsBytes = <usize>net.epsWidth << 2, width = constantBytes(net);
  const kappa = f32x4.splat(net.kappa), gain = f32x4.splat(net.traceGain), none = f32x4.splat(0);
  const blockBytes = <usize>steps << 6;
  const first = <usize>b * (<usize>p.syn << 2);
  for (let i = 0; i < nPre; i++) {
    const row = <usize>i * bytes;
    const trace = net.epsSteps + (<usize>(p.offset + i) << 2);
    let block = net.packed;
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16, block += blockBytes) {
      const s = first + row + o;
      const eps = p.eps + (two ? s << 1 : s), c = net.linear + o;
      const xx = v128.load(c);
      let xy = none, yx = none, yy = none, inX: v128, inY = none, ownX: v128, ownY = none, readX: v128, readY = none;
      let x = p.eps ? v128.load(eps) : none, y = none;
      if (two) {
        const more = v128.load(eps, 16);
        y = i8x16.shuffle(x, more, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
        x = i8x16.shuffle(x, more, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
        xy = v128.load(c + width); yx = v128.load(c + 2 * width); yy = v128.load(c + 3 * width);
        inX = v128.load(c + 4 * width); inY = v128.load(c + 5 * width);
        ownX = v128.load(c + 6 * width); ownY = v128.load(c + 7 * width);
        readX = v128.load(c + 8 * width); readY = v128.load(c + 9 * width);
      } else {
        inX = v128.load(c + width); ownX = v128.load(c + 2 * width); readX = v128.load(c + 3 * width);
      }
      let e = p.e ? v128.load(p.e + s) : none, bar = p.eBar ? v128.load(p.eBar + s) : none, total = none;
      let add = v128.load(p.g + row + o);
      let pre = trace;
      for (let at = block; at < block + blockBytes; at += 64, pre += epsBytes) {
        const arriving = f32x4.mul(v128.load(at), v128.load32_splat(pre));
        let nextX = f32x4.add(f32x4.mul(xx, x), f32x4.add(f32x4.mul(inX, arriving), f32x4.mul(ownX, e)));
        if (two) {
          const nextY = f32x4.add(f32x4.add(f32x4.mul(yx, x), f32x4.mul(yy, y)), f32x4.add(f32x4.mul(inY, arriving), f32x4.mul(ownY, e)));
          nextX = f32x4.add(nextX, f32x4.mul(xy, y));
          y = nextY;
        }
        x = nextX;
        let sum = f32x4.mul(readX, x);
        if (two) sum = f32x4.add(sum, f32x4.mul(readY, y));
        e = f32x4.mul(v128.load(at, 16), sum);
        bar = f32x4.add(f32x4.mul(kappa, bar), f32x4.mul(gain, e));
        add = f32x4.add(add, f32x4.add(f32x4.mul(v128.load(at, 32), bar), f32x4.mul(v128.load(at, 48), e)));
        total = f32x4.add(total, e);
      }
      x = flush4(x);
      if (two) {
        y = flush4(y);
        v128.store(eps, i8x16.shuffle(x, y, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23));
        v128.store(eps, i8x16.shuffle(x, y, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31), 16);
      } else if (p.eps) v128.store(eps, x);
      if (p.e) v128.store(p.e + s, e);
      if (p.eBar) v128.store(p.eBar + s, flush4(bar));
      if (p.sum) v128.store(p.sum + s, f32x4.add(v128.load(p.sum + s), total));
      v128.store(p.g + row + o, add);
    }
    for (; o < bytes; o += 4) synapse(net, p, first, row + o, o, trace, b, t, steps, rated);
  }
}

function sparse(net: Net, p: Projection, b: i32, t: i32, steps: i32, rated: bool): void {
  const nPre = changetype<Events>(p.events).size;
  const first = <usize>b * (<usize>p.syn << 2);
  for (let i = 0; i < nPre; i++) {
    const trace = net.epsSteps + (<usize>(p.offset + i) << 2);
    const end = load<i32>(p.rows + (<usize>(i + 1) << 2));
    for (let s = load<i32>(p.rows + (<usize>i << 2)); s < end; s++) {
      const o = <usize>s << 2;
      synapse(net, p, first, o, <usize>load<i32>(p.post + o) << 2, trace, b, t, steps, rated);
    }
  }
}

/** One synapse of `dense`, onto the neuron at offset j; `first`: offset of the stream. */
function synapse(net: Net, p: Projection, first: usize, o: usize, j: usize, trace: usize, b: i32, t0: i32, steps: i32, rated: bool): void {
  const bytes = <usize>net.n << 2, epsBytes = <usize>net.epsWidth << 2, width = constantBytes(net);
  const two = net.states == 2, gateInput = net.gateInput != 0;
  const s = first + o, eps = p.eps + (two ? s << 1 : s), c = net.linear + j;
  const inputs = c + (two ? 4 : 1) * width, own = inputs + (two ? 2 : 1) * width, read = own + (two ? 2 : 1) * width;
  let x: f32 = p.eps ? load<f32>(eps) : 0, y: f32 = two ? load<f32>(eps, 4) : 0;
  let e: f32 = p.e ? load<f32>(p.e + s) : 0, bar: f32 = p.eBar ? load<f32>(p.eBar + s) : 0, total: f32 = 0;
  let add = load<f32>(p.g + o), pre = trace;
  for (let t = t0; t < t0 + steps; t++, pre += epsBytes) {
    const psi = load<f32>(net.psi + <usize>(b * net.stride + t) * bytes + j);
    const arriving: f32 = gateInput ? psi * load<f32>(pre) : load<f32>(pre);
    const before = x;
    x = load<f32>(c) * before + (load<f32>(inputs) * arriving + load<f32>(own) * e);
    let sum: f32 = 0;
    if (two) {
      const nextY = load<f32>(c + 2 * width) * before + load<f32>(c + 3 * width) * y + (load<f32>(inputs + width) * arriving + load<f32>(own + width) * e);
      x += load<f32>(c + width) * y;
      y = nextY;
      sum = load<f32>(read + width) * y;
    }
    sum += load<f32>(read) * x;
    e = gateInput ? sum : psi * sum;
    bar = net.kappa * bar + net.traceGain * e;
    const rate: f32 = rated ? load<f32>(net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes + j) : 0;
    add += load<f32>(net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes + j) * bar + rate * e;
    total += e;
  }
  if (p.eps) store<f32>(eps, flush1(x));
  if (two) store<f32>(eps, flush1(y), 4);
  if (p.e) store<f32>(p.e + s, e);
  if (p.eBar) store<f32>(p.eBar + s, flush1(bar));
  if (p.sum) store<f32>(p.sum + s, load<f32>(p.sum + s) + total);
  store<f32>(p.g + o, add);
}

/**
 * The same of a whole trial, neuron by neuron: the gradient of the synapses onto neuron j of stream b, whose traces start at 0 and
 * stay in the nearest cache.   net.epsSteps: what arrives, [step][epsWidth]; net.damp: x, y, e, eBar, grad, [5][epsWidth]
 */
export function columnLinear(net: Net, b: i32, j: i32, steps: i32): void {
  const bytes = <usize>net.n << 2, at = <usize>j << 2, epsBytes = <usize>net.epsWidth << 2;
  const length = <usize>((net.epsWidth + 3) & ~3) << 2;
  memory.fill(net.damp, 0, 5 * length);
  for (let t = 0; t < steps; t++) {
    const psi = load<f32>(net.psi + <usize>(b * net.stride + t) * bytes + at);
    const signal = load<f32>(net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes + at);
    const rate = load<f32>(net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes + at);
    columnStep(net, net.epsSteps + <usize>t * epsBytes, at, length, psi, signal, rate);
    if (t % FLUSH_EVERY == 0) flushRow(net.damp, <i32>length);
  }
}

/** One step of all synapses onto the neuron at offset j.   pre: [epsWidth] */
function columnStep(net: Net, pre: usize, j: usize, length: usize, psi: f32, signal: f32, rate: f32): void {
  const width = constantBytes(net), two = net.states == 2, gateInput = net.gateInput != 0;
  const c = net.linear + j, inputs = c + (two ? 4 : 1) * width, own = inputs + (two ? 2 : 1) * width, read = own + (two ? 2 : 1) * width;
  const none = f32x4.splat(0), g = f32x4.splat(gateInput ? psi : 1), f = f32x4.splat(gateInput ? 1 : psi);
  const xx = v128.load32_splat(c), inX = v128.load32_splat(inputs), ownX = v128.load32_splat(own), readX = v128.load32_splat(read);
  let xy = none, yx = none, yy = none, inY = none, ownY = none, readY = none;
  if (two) {
    xy = v128.load32_splat(c + width); yx = v128.load32_splat(c + 2 * width); yy = v128.load32_splat(c + 3 * width);
    inY = v128.load32_splat(inputs + width); ownY = v128.load32_splat(own + width); readY = v128.load32_splat(read + width);
  }
  const kappa = f32x4.splat(net.kappa), gain = f32x4.splat(net.traceGain), L = f32x4.splat(signal), R = f32x4.splat(rate);
  const xs = net.damp, ys = xs + length, es = ys + length, bars = es + length, grads = bars + length;
  for (let o: usize = 0; o < length; o += 16) {
    const x = v128.load(xs + o), y = v128.load(ys + o), arriving = f32x4.mul(g, v128.load(pre + o));
    let e = v128.load(es + o);
    const nextX = f32x4.add(f32x4.add(f32x4.mul(xx, x), f32x4.mul(xy, y)), f32x4.add(f32x4.mul(inX, arriving), f32x4.mul(ownX, e)));
    const nextY = f32x4.add(f32x4.add(f32x4.mul(yx, x), f32x4.mul(yy, y)), f32x4.add(f32x4.mul(inY, arriving), f32x4.mul(ownY, e)));
    e = f32x4.mul(f, f32x4.add(f32x4.mul(readX, nextX), f32x4.mul(readY, nextY)));
    const bar = f32x4.add(f32x4.mul(kappa, v128.load(bars + o)), f32x4.mul(gain, e));
    v128.store(xs + o, nextX);
    v128.store(ys + o, nextY);
    v128.store(es + o, e);
    v128.store(bars + o, bar);
    v128.store(grads + o, f32x4.add(v128.load(grads + o), f32x4.add(f32x4.mul(L, bar), f32x4.mul(R, e))));
  }
}

/**
 * One step back for `bytes` / 4 neurons from offset `at`:
 *   dz = sum_k B_jk F_k + R_j + own . lambda;   lambda = transition^T lambda + read f dz;   out = g input . lambda
 * out, psi, rate: at their first neuron; owed (lambda): [m] rows of owedBytes; filtered F: [out]
 */
export function backLinear(net: Net, out: usize, owed: usize, owedBytes: usize, psi: usize, rate: usize, filtered: usize, at: usize, bytes: usize): void {
  const rowBytes = <usize>net.n << 2, width = constantBytes(net), two = net.states == 2, gateInput = net.gateInput != 0;
  const none = f32x4.splat(0), one = f32x4.splat(1);
  for (let o: usize = 0; o < bytes; o += 16) {
    const c = net.linear + at + o, inputs = c + (two ? 4 : 1) * width, own = inputs + (two ? 2 : 1) * width, read = own + (two ? 2 : 1) * width;
    const x = v128.load(owed + o), y = two ? v128.load(owed + owedBytes + o) : none;
    let dz = f32x4.add(v128.load(rate + o), f32x4.mul(v128.load(own), x));
    if (two) dz = f32x4.add(dz, f32x4.mul(v128.load(own + width), y));
    let feedback = net.feedbackT + at + o;
    for (let k = 0; k < net.nOut; k++, feedback += rowBytes) {
      dz = f32x4.add(dz, f32x4.mul(v128.load32_splat(filtered + (<usize>k << 2)), v128.load(feedback)));
    }
    const slope = v128.load(psi + o);
    const falls = f32x4.mul(gateInput ? one : slope, dz);
    let nextX = f32x4.add(f32x4.mul(v128.load(c), x), f32x4.mul(v128.load(read), falls)), drive = none;
    if (two) {
      nextX = f32x4.add(nextX, f32x4.mul(v128.load(c + 2 * width), y));
      const nextY = f32x4.add(f32x4.add(f32x4.mul(v128.load(c + width), x), f32x4.mul(v128.load(c + 3 * width), y)), f32x4.mul(v128.load(read + width), falls));
      v128.store(owed + owedBytes + o, nextY);
      drive = f32x4.mul(v128.load(inputs + width), nextY);
    }
    drive = f32x4.add(f32x4.mul(v128.load(inputs), nextX), drive);
    v128.store(owed + o, nextX);
    v128.store(out + o, f32x4.mul(gateInput ? slope : one, drive));
  }
}
