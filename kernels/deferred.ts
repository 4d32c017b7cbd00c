import { backLinear } from './linear';
import { Events, Net, Projection } from './net';
import { endOf, eventsFrom, eventsTo, gatherRows, listOf, rowOf } from './rows';
import { transposeFeedback } from './signal';
import { FLUSH_EVERY, flush1, flushRow } from './tiny';

/** Neurons that are taken back through the trial together; what they owe at every step stays in a cache. */
const WIDTH: i32 = 128;
const WIDTH_BYTES: usize = 512;

/**
 * The gradient onto a population of a whole trial of the streams [b0, b1), backwards in time, without synaptic state:
 * F_k = gain error_k + kappa F_k;  dz = sum_k B_jk F_k + R_j;  D = psi (dz - strength lambda) + decay D;
 * lambda = psi dz + (rho - strength psi) lambda;  grad_i += zeta p_i[t] D[t].
 * Dense projections: all of one block of neurons over time first, then for every presynaptic neuron the sum over its spikes,
 * which touches each row of the gradient once. Sparse ones: a row is added at each spike.
 */
export function gradientOfTrial(net: Net, b0: i32, b1: i32, steps: i32): void {
  transposeFeedback(net);
  for (let b = b0; b < b1; b++) backOf(net, b, steps);
}

function backOf(net: Net, b: i32, steps: i32): void {
  filterErrors(net, b, steps);
  let anyDense = false, anySparse = false;
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (!p.learns) continue;
    if (p.rows) anySparse = true;
    else {
      anyDense = true;
      if (changetype<Events>(p.events).valued) listInputTimes(net, p, b, steps);
      else listSpikeTimes(net, p, b, steps);
    }
  }
  if (anyDense) for (let j = 0; j < net.n; j += WIDTH) {
    if (net.linear) backBlockLinear(net, b, steps, j);
    else backBlock(net, b, steps, j);
    for (let at = net.projections; at; at = changetype<Projection>(at).next) {
      const p = changetype<Projection>(at);
      if (!p.learns || p.rows) continue;
      if (changetype<Events>(p.events).valued) addInputs(net, p, j);
      else addSpikes(net, p, j);
    }
  }
  if (anySparse) backSparse(net, b, steps);
}

/** F_k[t] = gain told_k[t] + kappa F_k[t+1].   net.errorBack: [step][out] */
function filterErrors(net: Net, b: i32, steps: i32): void {
  const nOut = net.nOut;
  const rowBytes = <usize>nOut << 2;
  const error = net.told + <usize>(b * net.stride) * rowBytes;
  for (let k = 0; k < nOut; k++) {
    let filtered: f32 = 0;
    for (let t = steps - 1; t >= 0; t--) {
      const o = <usize>t * rowBytes + (<usize>k << 2);
      filtered = flush1(net.traceGain * load<f32>(error + o) + net.kappa * filtered);
      store<f32>(net.errorBack + o, filtered);
    }
  }
}

/** zeta D of the neurons [j, j + WIDTH) at every step.   net.block: [step][WIDTH]; lanes beyond the last neuron are unused */
function backBlock(net: Net, b: i32, steps: i32, j: i32): void {
  backThrough(net, b, steps, j, false);
}

/** The same by the matrices of each neuron; exported so that it is not put into its caller. */
export function backBlockLinear(net: Net, b: i32, steps: i32, j: i32): void {
  backThrough(net, b, steps, j, true);
}

// @ts-ignore: decorator
@inline
function backThrough(net: Net, b: i32, steps: i32, j: i32, linear: bool): void {
  const at = <usize>j << 2;
  const bytes = <usize>net.n << 2, errorBytes = <usize>net.nOut << 2;
  const owed = net.owed, drive = net.drive;
  memory.fill(owed, 0, linear ? <usize>net.states * WIDTH_BYTES : WIDTH_BYTES);
  memory.fill(drive, 0, WIDTH_BYTES);
  const lanes = <usize>min((net.n - j + 3) & ~3, WIDTH) << 2;
  let psi = net.psi + <usize>(b * net.stride + steps - 1) * bytes + at;
  let rate = net.rateTerm + <usize>(b * net.rateRows + min(steps, net.rateRows) - 1) * bytes + at;
  const rateBytes = net.rateRows > 1 ? bytes : 0;
  let filtered = net.errorBack + <usize>(steps - 1) * errorBytes;
  let out = net.block + <usize>(steps - 1) * WIDTH_BYTES;
  const adaptive = net.traceStrength != 0;
  for (let t = steps - 1; t >= 0; t--) {
    if (linear) backLinear(net, out, owed, WIDTH_BYTES, psi, rate, filtered, at, lanes);
    else if (adaptive) back(net, out, drive, owed, psi, rate, filtered, at, lanes, true);
    else back(net, out, drive, owed, psi, rate, filtered, at, lanes, false);
    if (t % FLUSH_EVERY == 0) {
      flushRow(drive, WIDTH);
      flushRow(owed, linear ? net.states * WIDTH : WIDTH);
    }
    out -= WIDTH_BYTES;
    psi -= bytes;
    rate -= rateBytes;
    filtered -= errorBytes;
  }
}

/**
 * One step back for `bytes` / 4 neurons from offset `at`; out is zeta D.
 * out, drive, owed, psi, rate: at their first neuron; filtered: [out]
 */
// @ts-ignore: decorator
@inline
function back(net: Net, out: usize, drive: usize, owed: usize, psi: usize, rate: usize, filtered: usize, at: usize, bytes: usize, adaptive: bool): void {
  const gain = f32x4.splat(net.gain);
  const decay = f32x4.splat(net.traceDecay), rho = f32x4.splat(net.rho);
  const rowBytes = <usize>net.n << 2;
  const nOut = net.nOut;
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
      const damped = f32x4.mul(f32x4.mul(slope, v128.load(net.traceStrength + at + o)), lambda);
      v128.store(owed + o, f32x4.sub(f32x4.add(now, f32x4.mul(rho, lambda)), damped));
      now = f32x4.sub(now, damped);
    }
    const d = f32x4.add(now, f32x4.mul(decay, v128.load(drive + o)));
    v128.store(drive + o, d);
    v128.store(out + o, f32x4.mul(gain, d));
  }
}

/** First step whose arrivals count. */
// @ts-ignore: decorator
@inline
function firstArrival(net: Net): i32 {
  return net.dropBorder ? 1 : 0;
}

/** When every presynaptic unit was active: p.times[i] is the end of its entries (row of net.block, x_i). */
function listInputTimes(net: Net, p: Projection, b: i32, steps: i32): void {
  const ev = changetype<Events>(p.events), times = p.times, entries = p.entries;
  countTimes(net, p, b, steps);
  const list = listOf(ev, net.stride, b), width = <usize>ev.width << 2;
  const start = firstArrival(net), past = start - p.delay;
  let end = endOf(ev, net.stride, b, past), event = eventsFrom(ev, net.stride, b, past);
  let x = rowOf(ev, net.stride, b, past), row = net.block + <usize>start * WIDTH_BYTES;
  for (let t = start; t < steps; t++) {
    const last = list + (<usize>load<i32>(end) << 2);
    for (; event < last; event += 4) {
      const offset = <usize>load<u32>(event) << 2;
      const place = times + offset;
      const entry = entries + (<usize>load<i32>(place) << 3);
      store<u32>(entry, <u32>row);
      store<f32>(entry, load<f32>(x + offset), 4);
      increment(place);
    }
    end += 4;
    x += width;
    row += WIDTH_BYTES;
  }
}

/** When every neuron's spike arrived: p.times[i] is the end of its entries (row of net.block). */
function listSpikeTimes(net: Net, p: Projection, b: i32, steps: i32): void {
  const ev = changetype<Events>(p.events), times = p.times, entries = p.entries;
  countTimes(net, p, b, steps);
  const list = listOf(ev, net.stride, b), start = firstArrival(net), past = start - p.delay;
  let end = endOf(ev, net.stride, b, past), spike = eventsFrom(ev, net.stride, b, past), row = net.block + <usize>start * WIDTH_BYTES;
  for (let t = start; t < steps; t++) {
    const last = list + (<usize>load<i32>(end) << 2);
    for (; spike < last; spike += 4) {
      const place = times + (<usize>load<u32>(spike) << 2);
      store<u32>(entries + (<usize>load<i32>(place) << 2), <u32>row);
      increment(place);
    }
    end += 4;
    row += WIDTH_BYTES;
  }
}

/** Events that arrive within the trial, counted by presynaptic unit; then where each one's entries begin. */
function countTimes(net: Net, p: Projection, b: i32, steps: i32): void {
  const ev = changetype<Events>(p.events);
  memory.fill(p.times, 0, <usize>(ev.size + 1) << 2);
  const end = eventsTo(ev, net.stride, b, steps - 1 - p.delay);
  for (let event = eventsFrom(ev, net.stride, b, firstArrival(net) - p.delay); event < end; event += 4) {
    increment(p.times + (<usize>load<u32>(event) << 2));
  }
  accumulate(p.times, ev.size);
}

function increment(place: usize): void {
  store<i32>(place, load<i32>(place) + 1);
}

/** Counts become the begins of the entries. */
function accumulate(times: usize, n: i32): void {
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    const place = times + (<usize>i << 2);
    const here = load<i32>(place);
    store<i32>(place, sum);
    sum += here;
  }
}

/** grad_i[j..] += sum over the entries of input i of x_i zeta D. */
function addInputs(net: Net, p: Projection, j: i32): void {
  const bytes = <usize>net.n << 2;
  const lanes = min(net.n - j, WIDTH), nPre = changetype<Events>(p.events).size;
  let first = p.entries;
  for (let i = 0; i < nPre; i++) {
    const end = p.entries + (<usize>load<i32>(p.times + (<usize>i << 2)) << 3);
    const g = p.g + <usize>i * bytes + (<usize>j << 2);
    if (first < end) {
      let l = 0;
      for (; l + 16 <= lanes; l += 16) addWeighted(g, first, end, <usize>l << 2);
      for (; l < lanes; l++) {
        const o = <usize>l << 2;
        let sum = load<f32>(g + o);
        for (let entry = first; entry < end; entry += 8) sum += load<f32>(entry, 4) * load<f32>(<usize>load<u32>(entry) + o);
        store<f32>(g + o, sum);
      }
    }
    first = end;
  }
}

function addWeighted(grad: usize, first: usize, end: usize, o: usize): void {
  const g = grad + o;
  let s0 = v128.load(g), s1 = v128.load(g, 16), s2 = v128.load(g, 32), s3 = v128.load(g, 48);
  for (let entry = first; entry < end; entry += 8) {
    const d = <usize>load<u32>(entry) + o;
    const p = v128.load32_splat(entry, 4);
    s0 = f32x4.add(s0, f32x4.mul(p, v128.load(d)));
    s1 = f32x4.add(s1, f32x4.mul(p, v128.load(d, 16)));
    s2 = f32x4.add(s2, f32x4.mul(p, v128.load(d, 32)));
    s3 = f32x4.add(s3, f32x4.mul(p, v128.load(d, 48)));
  }
  v128.store(g, s0); v128.store(g, s1, 16); v128.store(g, s2, 32); v128.store(g, s3, 48);
}

/** grad_i[j..] += sum over the spikes of neuron i of zeta D. */
function addSpikes(net: Net, p: Projection, j: i32): void {
  const bytes = <usize>net.n << 2;
  const lanes = min(net.n - j, WIDTH), nPre = changetype<Events>(p.events).size;
  let first = p.entries;
  for (let i = 0; i < nPre; i++) {
    const end = p.entries + (<usize>load<i32>(p.times + (<usize>i << 2)) << 2);
    const g = p.g + <usize>i * bytes + (<usize>j << 2);
    if (first < end) {
      let l = 0;
      for (; l + 32 <= lanes; l += 32) addWide(g, first, end, <usize>l << 2);
      for (; l + 4 <= lanes; l += 4) addFour(g, first, end, <usize>l << 2);
      for (; l < lanes; l++) addOne(g, first, end, <usize>l << 2);
    }
    first = end;
  }
}

function addWide(grad: usize, first: usize, end: usize, o: usize): void {
  const g = grad + o;
  let s0 = v128.load(g), s1 = v128.load(g, 16), s2 = v128.load(g, 32), s3 = v128.load(g, 48);
  let s4 = v128.load(g, 64), s5 = v128.load(g, 80), s6 = v128.load(g, 96), s7 = v128.load(g, 112);
  for (let entry = first; entry < end; entry += 4) {
    const d = <usize>load<u32>(entry) + o;
    s0 = f32x4.add(s0, v128.load(d));
    s1 = f32x4.add(s1, v128.load(d, 16));
    s2 = f32x4.add(s2, v128.load(d, 32));
    s3 = f32x4.add(s3, v128.load(d, 48));
    s4 = f32x4.add(s4, v128.load(d, 64));
    s5 = f32x4.add(s5, v128.load(d, 80));
    s6 = f32x4.add(s6, v128.load(d, 96));
    s7 = f32x4.add(s7, v128.load(d, 112));
  }
  v128.store(g, s0); v128.store(g, s1, 16); v128.store(g, s2, 32); v128.store(g, s3, 48);
  v128.store(g, s4, 64); v128.store(g, s5, 80); v128.store(g, s6, 96); v128.store(g, s7, 112);
}

function addFour(grad: usize, first: usize, end: usize, o: usize): void {
  let sum = v128.load(grad + o);
  for (let entry = first; entry < end; entry += 4) sum = f32x4.add(sum, v128.load(<usize>load<u32>(entry) + o));
  v128.store(grad + o, sum);
}

function addOne(grad: usize, first: usize, end: usize, o: usize): void {
  let sum = load<f32>(grad + o);
  for (let entry = first; entry < end; entry += 4) sum += load<f32>(<usize>load<u32>(entry) + o);
  store<f32>(grad + o, sum);
}

/** All neurons of one stream back through the trial, with a row of sparse synapses added at each spike. */
function backSparse(net: Net, b: i32, steps: i32): void {
  const n = net.n;
  const bytes = <usize>((n + 3) & ~3) << 2;
  const adaptive = net.traceStrength != 0;
  memory.fill(net.owed, 0, <usize>net.states * bytes);
  memory.fill(net.drive, 0, bytes);
  for (let t = steps - 1; t >= 0; t--) {
    const psi = net.psi + (<usize>(b * net.stride + t) * n << 2);
    const rate = net.rateTerm + (<usize>(b * net.rateRows + min(t, net.rateRows - 1)) * n << 2);
    const filtered = net.errorBack + (<usize>(t * net.nOut) << 2);
    if (net.linear) backLinear(net, net.damp, net.owed, bytes, psi, rate, filtered, 0, bytes);
    else if (adaptive) back(net, net.damp, net.drive, net.owed, psi, rate, filtered, 0, bytes, true);
    else back(net, net.damp, net.drive, net.owed, psi, rate, filtered, 0, bytes, false);
    if (t % FLUSH_EVERY == 0) {
      flushRow(net.drive, n);
      flushRow(net.owed, net.states * <i32>(bytes >> 2));
    }
    if (t < firstArrival(net)) continue;
    for (let at = net.projections; at; at = changetype<Projection>(at).next) {
      const p = changetype<Projection>(at), ev = changetype<Events>(p.events);
      if (!p.learns || !p.rows) continue;
      const first = eventsFrom(ev, net.stride, b, t - p.delay), end = eventsTo(ev, net.stride, b, t - p.delay);
      gatherRows(p.g, first, end, ev.valued ? rowOf(ev, net.stride, b, t - p.delay) : 0, net.damp, p.rows, p.post, p.narrow);
    }
  }
}
