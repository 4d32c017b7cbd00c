import { addRow, addRows, addTimes, pullBack } from './maps';
import { Feedback, Net } from './net';
import { listActive, sumList } from './rows';
import { flush1, nearestPowerOfTwo } from './tiny';

/**
 * What the kernel knows of the segregated-dendrite signal of a population. All fields are four bytes, in this order;
 * `src/backends/wasm/dendrite.ts` has the same names in the same order and a test compares the two.
 */
@unmanaged
export class Dendrite {
  // A [features][n], J [n][n]
  A: usize; J: usize;
  // norms [2] (0: rates as they are), losses [3], features [stream][nF], begun [stream], distal [stream][n],
  // r [stream][n] (0: the spikes themselves)
  norms: usize; losses: usize; features: usize; begun: usize; distal: usize; r: usize;
  // scratch: errors of J and A and the broadcast F, each [stream][n]; V [stream][n]; lists of active features of the
  // step before and of this one [stream][delays n + 4], with their ends [stream]; values and targets of the step before
  miss: usize; broadcast: usize; voltage: usize;
  before: usize; beforeRates: usize; beforeEnds: usize; values: usize; now: usize; nowEnds: usize; label: usize;
  // constants
  // labels: targets from this column on
  nF: i32; delays: i32; nLabel: i32; column: i32; stepsPerPhase: i32; powersOfTwo: i32; decay: f32; readGain: f32; gain: f32; rateA: f32; rateJ: f32; normRate: f32;
}

/** One step of the signal for all streams: J, then V, then A. See `models/signals/dendrite.ts` for the equations. */
export function dendriteStep(net: Net, d: Dendrite, t: i32, rateScale: f32): void {
  if (d.r) filterActivity(net, d, t);
  if ((t + 1) % d.stepsPerPhase != 0) {
    for (let b = 0; b < net.streams; b++) memory.fill(net.signal + (<usize>((b * net.signalRows + min(t, net.signalRows - 1)) * net.n) << 2), 0, <usize>net.n << 2);
    return;
  }
  readFeatures(net, d, t);
  if (d.norms) followNorms(net, d);
  learnJ(net, d, t);
  predictCredit(net, d, t);
  learnA(net, d, rateScale);
  writeSignal(net, d, t);
  const losses = d.losses;
  store<f32>(losses, load<f32>(losses, 8) + 1, 8);
}

/** r = decay r + gain z(t): the activity as the readout sees it. */
function filterActivity(net: Net, d: Dendrite, t: i32): void {
  const bytes = <usize>net.n << 2;
  for (let b = 0; b < net.streams; b++) {
    const r = d.r + <usize>b * bytes, z = net.z + <usize>(b * (net.history + net.stride) + net.history + t) * bytes;
    for (let o: usize = 0; o < bytes; o += 4) store<f32>(r + o, flush1(d.decay * load<f32>(r + o) + d.readGain * load<f32>(z + o)));
  }
}

/** Row of r(t) of stream b. */
function activity(net: Net, d: Dendrite, b: i32, t: i32): usize {
  if (d.r) return d.r + (<usize>(b * net.n) << 2);
  return net.z + (<usize>((b * (net.history + net.stride) + net.history + t) * net.n) << 2);
}

/** Lists of f(t-1) and f(t); f(t) takes the place of f(t-1). The last 1 + nLabel entries of f are in no list. */
function readFeatures(net: Net, d: Dendrite, t: i32): void {
  const n = net.n, spikes = d.delays * n;
  const bytes = <usize>n << 2, listBytes = <usize>(spikes + 4) << 2, older = <usize>(spikes - n) << 2;
  for (let b = 0; b < net.streams; b++) {
    const f = d.features + (<usize>(b * d.nF) << 2);
    const labels = f + (<usize>spikes << 2), target = net.target + (<usize>((b * net.stride + t) * net.nOut + d.column) << 2);
    const kept = d.label + (<usize>(b * d.nLabel) << 2);
    const old = d.before + <usize>b * listBytes;
    store<u32>(d.beforeEnds + (<usize>b << 2), <u32>listActive(old, f, spikes));
    if (d.r) memory.copy(d.values + <usize>b * listBytes, f, <usize>spikes << 2);
    memory.copy(kept, load<f32>(d.begun + (<usize>b << 2)) != 0 ? labels : target, <usize>d.nLabel << 2);
    memory.copy(f + bytes, f, older);
    memory.copy(f, activity(net, d, b, t), bytes);
    memory.copy(labels, target, <usize>d.nLabel << 2);
    store<f32>(labels + (<usize>d.nLabel << 2), 1);
    store<f32>(d.begun + (<usize>b << 2), 1);
    store<u32>(d.nowEnds + (<usize>b << 2), <u32>listActive(d.now + <usize>b * listBytes, f, spikes));
    countRates(d, b, old, n);
  }
}

/** End of the part of the list of f(t-1) that is r(t-1). */
function countRates(d: Dendrite, b: i32, list: usize, n: i32): void {
  const end = <usize>load<u32>(d.beforeEnds + (<usize>b << 2));
  while (list < end && load<i32>(list) < n) list += 4;
  store<u32>(d.beforeRates + (<usize>b << 2), <u32>list);
}

/** m += rate (mean over the streams of |x|^2 - m), for r(t-1) and f(t): spikes count, labels are squared. */
function followNorms(net: Net, d: Dendrite): void {
  const listBytes = <usize>(d.delays * net.n + 4) << 2;
  let ofR: f32 = 0, ofF: f32 = 0;
  for (let b = 0; b < net.streams; b++) {
    const at = <usize>b << 2;
    const f = d.features + (<usize>(b * d.nF) << 2), labels = f + (<usize>(d.delays * net.n) << 2);
    ofR += squares(d.before + <usize>b * listBytes, <usize>load<u32>(d.beforeRates + at), d.r ? d.values + <usize>b * listBytes : 0);
    ofF += squares(d.now + <usize>b * listBytes, <usize>load<u32>(d.nowEnds + at), d.r ? f : 0) + 1;
    for (let k = 0; k < d.nLabel; k++) {
      const value = load<f32>(labels + (<usize>k << 2));
      ofF += value * value;
    }
  }
  const norms = d.norms, count = <f32>net.streams;
  store<f32>(norms, load<f32>(norms) + d.normRate * (ofR / count - load<f32>(norms)));
  store<f32>(norms, load<f32>(norms, 4) + d.normRate * (ofF / count - load<f32>(norms, 4)), 4);
}

/** Sum of the squares of the listed values; of spikes (no values) their number. */
function squares(list: usize, end: usize, values: usize): f32 {
  if (!values) return <f32>((end - list) >> 2);
  let sum: f32 = 0;
  for (; list < end; list += 4) {
    const value = load<f32>(values + (<usize>load<u32>(list) << 2));
    sum += value * value;
  }
  return sum;
}

/** M_i += value_i x for every i of the list; spikes have no values.   M: rows of [n]; x: [n] */
function addListed(M: usize, x: usize, list: usize, end: usize, values: usize, n: i32): void {
  if (!values) return addRows(M, x, list, end, n);
  const bytes = <usize>n << 2;
  for (; list < end; list += 4) addTimes(M + <usize>load<u32>(list) * bytes, x, load<f32>(values + (<usize>load<u32>(list) << 2)), n);
}

function rateOf(rate: f32, d: Dendrite, which: usize, streams: i32): f32 {
  const now = rate / (d.norms ? 1 + load<f32>(d.norms + which) : 1);
  return (d.powersOfTwo ? nearestPowerOfTwo(now) : now) / <f32>streams;
}

/** J += rate sum (r(t) - J r(t-1)) r(t-1)^T: all streams are predicted with the same J, then it moves. */
function learnJ(net: Net, d: Dendrite, t: i32): void {
  const n = net.n, bytes = <usize>n << 2, listBytes = <usize>(d.delays * n + 4) << 2;
  const rate = rateOf(d.rateJ, d, 0, net.streams);
  let loss: f32 = 0;
  for (let b = 0; b < net.streams; b++) {
    const miss = d.miss + <usize>b * bytes, list = d.before + <usize>b * listBytes;
    sumList(miss, false, d.r ? d.values + <usize>b * listBytes : 0, list, <usize>load<u32>(d.beforeRates + (<usize>b << 2)), d.J, n);
    loss += missed(miss, activity(net, d, b, t), rate, n);
  }
  for (let b = 0; b < net.streams; b++) {
    const end = <usize>load<u32>(d.beforeRates + (<usize>b << 2));
    addListed(d.J, d.miss + <usize>b * bytes, d.before + <usize>b * listBytes, end, d.r ? d.values + <usize>b * listBytes : 0, n);
  }
  store<f32>(d.losses, load<f32>(d.losses, 4) + loss / (2 * <f32>n * <f32>net.streams), 4);
}

/** x = rate (target - x).   @returns the sum of the squares of target - x */
function missed(x: usize, target: usize, rate: f32, n: i32): f32 {
  const bytes = <usize>n << 2, r = f32x4.splat(rate);
  let squares = f32x4.splat(0);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    const error = f32x4.sub(v128.load(target + o), v128.load(x + o));
    squares = f32x4.add(squares, f32x4.mul(error, error));
    v128.store(x + o, f32x4.mul(r, error));
  }
  let sum = f32x4.extract_lane(squares, 0) + f32x4.extract_lane(squares, 1) + f32x4.extract_lane(squares, 2) + f32x4.extract_lane(squares, 3);
  for (; o < bytes; o += 4) {
    const error = load<f32>(target + o) - load<f32>(x + o);
    sum += error * error;
    store<f32>(x + o, rate * error);
  }
  return sum;
}

/** out = A f: rows of the list, the labels and the constant.   out: [n]; labels: [nLabel] */
function predictA(net: Net, d: Dendrite, out: usize, list: usize, end: usize, values: usize, labels: usize): void {
  const n = net.n, bytes = <usize>n << 2;
  sumList(out, false, values, list, end, d.A, n);
  const row = d.A + <usize>(d.delays * n) * bytes;
  for (let k = 0; k < d.nLabel; k++) addTimes(out, row + <usize>k * bytes, load<f32>(labels + (<usize>k << 2)), n);
  addRow(out, row + <usize>d.nLabel * bytes, bytes);
}

/** F = A f(t);  V = B error + J^T F. */
function predictCredit(net: Net, d: Dendrite, t: i32): void {
  const n = net.n, bytes = <usize>n << 2, listBytes = <usize>(d.delays * n + 4) << 2;
  for (let b = 0; b < net.streams; b++) {
    const f = d.features + (<usize>(b * d.nF) << 2), list = d.now + <usize>b * listBytes;
    predictA(net, d, d.broadcast + <usize>b * bytes, list, <usize>load<u32>(d.nowEnds + (<usize>b << 2)), d.r ? f : 0, f + (<usize>(d.delays * n) << 2));
  }
  pullBack(d.voltage, d.J, d.broadcast, n, n, net.streams);
  for (let b = 0; b < net.streams; b++) addFeedback(net, d, b, t);
}

/** V_j += sum_k B_jk told_k. */
function addFeedback(net: Net, d: Dendrite, b: i32, t: i32): void {
  for (let at = net.feedback; at; at = changetype<Feedback>(at).next) {
    const part = changetype<Feedback>(at), width = <usize>part.size << 2;
    const error = net.told + (<usize>((b * net.stride + t) * net.nOut + part.column) << 2);
    let row = part.weights;
    for (let v = d.voltage + (<usize>(b * net.n) << 2), end = v + (<usize>net.n << 2); v < end; v += 4) {
      let sum = load<f32>(v);
      for (let k: usize = 0; k < width; k += 4) sum += load<f32>(row + k) * load<f32>(error + k);
      store<f32>(v, sum);
      row += width;
    }
  }
}

/** A -= rate sum (A f(t-1) - V(t)) f(t-1)^T, and the loss of A. */
function learnA(net: Net, d: Dendrite, rateScale: f32): void {
  const n = net.n, bytes = <usize>n << 2, listBytes = <usize>(d.delays * n + 4) << 2;
  const rate = rateOf(rateScale * d.rateA, d, 4, net.streams);
  let loss: f32 = 0;
  for (let b = 0; b < net.streams; b++) {
    const miss = d.miss + <usize>b * bytes;
    const values = d.r ? d.values + <usize>b * listBytes : 0, labels = d.label + (<usize>(b * d.nLabel) << 2);
    predictA(net, d, miss, d.before + <usize>b * listBytes, <usize>load<u32>(d.beforeEnds + (<usize>b << 2)), values, labels);
    loss += missed(miss, d.voltage + <usize>b * bytes, rate, n);
  }
  const constant = d.A + <usize>(d.delays * n) * bytes;
  for (let b = 0; b < net.streams; b++) {
    const miss = d.miss + <usize>b * bytes;
    const list = d.before + <usize>b * listBytes;
    addListed(d.A, miss, list, <usize>load<u32>(d.beforeEnds + (<usize>b << 2)), d.r ? d.values + <usize>b * listBytes : 0, n);
    for (let k = 0; k < d.nLabel; k++) addTimes(constant + <usize>k * bytes, miss, load<f32>(d.label + (<usize>(b * d.nLabel + k) << 2)), n);
    addRow(constant + <usize>d.nLabel * bytes, miss, bytes);
  }
  store<f32>(d.losses, load<f32>(d.losses) + loss / (2 * <f32>n * <f32>net.streams));
}

/** signal = gain V, and V is kept as the distal voltage. */
function writeSignal(net: Net, d: Dendrite, t: i32): void {
  const bytes = <usize>net.n << 2, g = f32x4.splat(d.gain);
  memory.copy(d.distal, d.voltage, <usize>net.streams * bytes);
  for (let b = 0; b < net.streams; b++) {
    const from = d.voltage + <usize>b * bytes, to = net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes;
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) v128.store(to + o, f32x4.mul(g, v128.load(from + o)));
    for (; o < bytes; o += 4) store<f32>(to + o, d.gain * load<f32>(from + o));
  }
}
