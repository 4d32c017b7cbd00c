import { Net } from './net';
import { transposeFeedback } from './signal';

/** Neurons that are taken back through the trial together: their drive stays in the nearest cache. */
const WIDTH: i32 = 32;
const WIDTH_BYTES: usize = 128;

/**
 * The gradient of a whole trial of the streams [b0, b1), backwards in time, without synaptic state:
 * F_k = gain error_k + kappa F_k;  dz = sum_k B_jk F_k + R_j;  D = psi (dz - strength lambda) + decay D;
 * lambda = psi dz + (rho - strength psi) lambda;  grad_i += zeta p_i[t] D[t].
 * Dense projections: all of one block of neurons over time first, then for every presynaptic neuron the sum over its spikes,
 * which touches each row of the gradient once. Sparse ones: a row is added at each spike.
 */
export function gradientOfTrial(net: Net, b0: i32, b1: i32, steps: i32): void {
  transposeFeedback(net);
  for (let b = b0; b < b1; b++) {
    filterErrors(net, b, steps);
    if (!net.rowsIn || !net.rowsRec) {
      const first = net.dropBorder ? 1 : 0;
      const pre = listTimes(net, b, first, steps);
      for (let j = 0; j < net.n; j += WIDTH) {
        backBlock(net, b, steps, j);
        addBlock(net, j, pre);
      }
    }
    if (net.rowsIn || net.rowsRec) backSparse(net, b, steps);
  }
}

/** F_k[t] = gain error_k[t] + kappa F_k[t+1].   net.errorBack: [step][out] */
function filterErrors(net: Net, b: i32, steps: i32): void {
  const nOut = net.nOut;
  const rowBytes = <usize>nOut << 2;
  const error = net.error + <usize>(b * net.stride) * rowBytes;
  for (let k = 0; k < nOut; k++) {
    let filtered: f32 = 0;
    for (let t = steps - 1; t >= 0; t--) {
      const o = <usize>t * rowBytes + (<usize>k << 2);
      filtered = net.traceGain * load<f32>(error + o) + net.kappa * filtered;
      store<f32>(net.errorBack + o, filtered);
    }
  }
}

/** D of the neurons [j, j + WIDTH) at every step.   net.block: [step][WIDTH]; lanes beyond the last neuron are unused */
function backBlock(net: Net, b: i32, steps: i32, j: i32): void {
  const at = <usize>j << 2;
  const psi = net.psi + (<usize>(b * net.stride * net.n) << 2) + at;
  const owed = net.owed, drive = net.drive;
  memory.fill(owed, 0, WIDTH_BYTES);
  memory.fill(drive, 0, WIDTH_BYTES);
  const lanes = <usize>min((net.n - j + 3) & ~3, WIDTH) << 2;
  for (let t = steps - 1; t >= 0; t--) {
    const rate = net.rateTerm + (<usize>((b * net.rateRows + min(t, net.rateRows - 1)) * net.n) << 2) + at;
    back(net, drive, owed, psi + (<usize>(t * net.n) << 2), rate, net.errorBack + (<usize>(t * net.nOut) << 2), at, lanes);
    memory.copy(net.block + <usize>t * WIDTH_BYTES, drive, WIDTH_BYTES);
  }
}

/** One step back for `bytes` / 4 neurons from offset `at`.   drive, owed, psi, rate: at their first neuron; filtered: [out] */
// @ts-ignore: decorator
@inline
function back(net: Net, drive: usize, owed: usize, psi: usize, rate: usize, filtered: usize, at: usize, bytes: usize): void {
  const decay = f32x4.splat(net.decay), rho = f32x4.splat(net.rho);
  const rowBytes = <usize>net.n << 2;
  const nOut = net.nOut;
  const adaptive = net.strength != 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    let dz = v128.load(rate + o);
    let feedback = net.feedbackT + at + o;
    for (let k = 0; k < nOut; k++, feedback += rowBytes) {
      dz = f32x4.add(dz, f32x4.mul(v128.load32_splat(filtered + (<usize>k << 2)), v128.load(feedback)));
    }
    const slope = v128.load(psi + o);
    let now = f32x4.mul(slope, dz);
    if (adaptive) {
      const lambda = v128.load(owed + o);
      const damped = f32x4.mul(f32x4.mul(slope, v128.load(net.strength + at + o)), lambda);
      v128.store(owed + o, f32x4.sub(f32x4.add(now, f32x4.mul(rho, lambda)), damped));
      now = f32x4.sub(now, damped);
    }
    v128.store(drive + o, f32x4.add(now, f32x4.mul(decay, v128.load(drive + o))));
  }
}

/**
 * For every presynaptic neuron of the dense projections, when it was active: net.times[i] is the end of its entries
 * (offset of the step in net.block, zeta p_i).   @returns presynaptic neurons listed, inputs first
 */
function listTimes(net: Net, b: i32, first: i32, steps: i32): i32 {
  const nIn = net.rowsIn ? 0 : net.nIn;
  const nRec = net.rowsRec ? 0 : net.n;
  const total = nIn + nRec;
  const times = net.times;
  memory.fill(times, 0, <usize>(total + 1) << 2);
  for (let t = first; t < steps; t++) {
    if (nIn) count(times, rowOfInput(net, b, t), nIn);
    if (nRec) count(times + (<usize>nIn << 2), rowBefore(net, b, t), nRec);
  }
  let sum = 0;
  for (let i = 0; i <= total; i++) {
    const here = load<i32>(times + (<usize>i << 2));
    store<i32>(times + (<usize>i << 2), sum);
    sum += here;
  }
  for (let t = first; t < steps; t++) {
    if (nIn) enter(net, times, rowOfInput(net, b, t), nIn, t);
    if (nRec) enter(net, times + (<usize>nIn << 2), rowBefore(net, b, t), nRec, t);
  }
  return total;
}

function rowOfInput(net: Net, b: i32, t: i32): usize {
  return net.x + (<usize>((b * net.stride + t) * net.nIn) << 2);
}

function rowBefore(net: Net, b: i32, t: i32): usize {
  return net.z + (<usize>(b * (net.history + net.stride) + net.history + t - 1) * net.n << 2);
}

function count(times: usize, row: usize, n: i32): void {
  const none = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    let mask = i32x4.bitmask(f32x4.ne(v128.load(row + (<usize>i << 2)), none));
    while (mask) {
      const at = times + (<usize>(i + ctz(mask)) << 2);
      mask &= mask - 1;
      store<i32>(at, load<i32>(at) + 1);
    }
  }
  for (; i < n; i++) if (load<f32>(row + (<usize>i << 2)) != 0) store<i32>(times + (<usize>i << 2), load<i32>(times + (<usize>i << 2)) + 1);
}

/** Puts the active neurons of a row behind their earlier entries; `times` moves from each one's begin to its end. */
function enter(net: Net, times: usize, row: usize, n: i32, t: i32): void {
  const none = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    let mask = i32x4.bitmask(f32x4.ne(v128.load(row + (<usize>i << 2)), none));
    while (mask) {
      const at = i + ctz(mask);
      mask &= mask - 1;
      put(net, times + (<usize>at << 2), load<f32>(row + (<usize>at << 2)), t);
    }
  }
  for (; i < n; i++) {
    const value = load<f32>(row + (<usize>i << 2));
    if (value != 0) put(net, times + (<usize>i << 2), value, t);
  }
}

function put(net: Net, place: usize, value: f32, t: i32): void {
  const to = load<i32>(place);
  const entry = net.entries + (<usize>to << 3);
  store<u32>(entry, <u32>(net.block + <usize>t * WIDTH_BYTES));
  store<f32>(entry + 4, net.gain * value);
  store<i32>(place, to + 1);
}

/** grad_i[j..] += sum over the entries of i of (zeta p_i) D. */
function addBlock(net: Net, j: i32, pre: i32): void {
  const at = <usize>j << 2;
  const bytes = <usize>net.n << 2;
  const nIn = net.rowsIn ? 0 : net.nIn;
  let entry = net.entries;
  for (let i = 0; i < pre; i++) {
    const end = net.entries + (<usize>load<i32>(net.times + (<usize>i << 2)) << 3);
    const g = (i < nIn ? net.gIn + <usize>i * bytes : net.gRec + <usize>(i - nIn) * bytes) + at;
    if (entry < end) {
      if (j + WIDTH <= net.n) addWide(g, entry, end);
      else addNarrow(g, entry, end, net.n - j);
    }
    entry = end;
  }
}

function addWide(g: usize, first: usize, end: usize): void {
  let s0 = v128.load(g), s1 = v128.load(g, 16), s2 = v128.load(g, 32), s3 = v128.load(g, 48);
  let s4 = v128.load(g, 64), s5 = v128.load(g, 80), s6 = v128.load(g, 96), s7 = v128.load(g, 112);
  for (let entry = first; entry < end; entry += 8) {
    const d = <usize>load<u32>(entry);
    const p = v128.load32_splat(entry, 4);
    s0 = f32x4.add(s0, f32x4.mul(p, v128.load(d)));
    s1 = f32x4.add(s1, f32x4.mul(p, v128.load(d, 16)));
    s2 = f32x4.add(s2, f32x4.mul(p, v128.load(d, 32)));
    s3 = f32x4.add(s3, f32x4.mul(p, v128.load(d, 48)));
    s4 = f32x4.add(s4, f32x4.mul(p, v128.load(d, 64)));
    s5 = f32x4.add(s5, f32x4.mul(p, v128.load(d, 80)));
    s6 = f32x4.add(s6, f32x4.mul(p, v128.load(d, 96)));
    s7 = f32x4.add(s7, f32x4.mul(p, v128.load(d, 112)));
  }
  v128.store(g, s0); v128.store(g, s1, 16); v128.store(g, s2, 32); v128.store(g, s3, 48);
  v128.store(g, s4, 64); v128.store(g, s5, 80); v128.store(g, s6, 96); v128.store(g, s7, 112);
}

function addNarrow(g: usize, first: usize, end: usize, lanes: i32): void {
  let l = 0;
  for (; l + 4 <= lanes; l += 4) {
    const o = <usize>l << 2;
    let sum = v128.load(g + o);
    for (let entry = first; entry < end; entry += 8) sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(entry, 4), v128.load(<usize>load<u32>(entry) + o)));
    v128.store(g + o, sum);
  }
  for (; l < lanes; l++) {
    const o = <usize>l << 2;
    let sum = load<f32>(g + o);
    for (let entry = first; entry < end; entry += 8) sum += load<f32>(entry + 4) * load<f32>(<usize>load<u32>(entry) + o);
    store<f32>(g + o, sum);
  }
}

/** All neurons of one stream back through the trial, with a row of sparse synapses added at each spike. */
function backSparse(net: Net, b: i32, steps: i32): void {
  const n = net.n;
  const bytes = <usize>((n + 3) & ~3) << 2;
  memory.fill(net.owed, 0, bytes);
  memory.fill(net.drive, 0, bytes);
  for (let t = steps - 1; t >= 0; t--) {
    const psi = net.psi + (<usize>(b * net.stride + t) * n << 2);
    const rate = net.rateTerm + (<usize>(b * net.rateRows + min(t, net.rateRows - 1)) * n << 2);
    back(net, net.drive, net.owed, psi, rate, net.errorBack + (<usize>(t * net.nOut) << 2), 0, bytes);
    if (t == 0 && net.dropBorder) break;
    if (net.rowsIn) gather(net, net.gIn, rowOfInput(net, b, t), net.nIn, net.rowsIn, net.postIn);
    if (net.rowsRec) gather(net, net.gRec, rowBefore(net, b, t), n, net.rowsRec, net.postRec);
  }
}

/** grad_s += zeta p_i D_post[s] over the synapses of every active i. */
function gather(net: Net, grad: usize, p: usize, nPre: i32, rows: usize, post: usize): void {
  const none = f32x4.splat(0);
  const drive = net.drive;
  for (let i = 0; i < nPre; i += 4) {
    const left = nPre - i;
    let mask = left >= 4 ? i32x4.bitmask(f32x4.ne(v128.load(p + (<usize>i << 2)), none)) : (1 << left) - 1;
    while (mask) {
      const at = i + ctz(mask);
      mask &= mask - 1;
      const value = net.gain * load<f32>(p + (<usize>at << 2));
      if (value == 0) continue;
      const end = load<i32>(rows + (<usize>(at + 1) << 2));
      for (let s = load<i32>(rows + (<usize>at << 2)); s < end; s++) {
        const o = <usize>s << 2;
        store<f32>(grad + o, load<f32>(grad + o) + value * load<f32>(drive + (<usize>load<i32>(post + o) << 2)));
      }
    }
  }
}
