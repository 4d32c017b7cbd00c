import { addRow } from './maps';
import { Events, Feedback, Net } from './net';
import { eventsFrom, eventsTo, rowOf } from './rows';
import { FLUSH_EVERY, flushRow } from './tiny';

/** net.feedbackT[k][j] = B_jk: rows that can be added four neurons at a time; 0 for outputs that do not come back to this population. */
export function transposeFeedback(net: Net): void {
  const n = net.n;
  let whole = false;
  if (net.feedback) {
    const first = changetype<Feedback>(net.feedback);
    whole = !first.next && first.size == net.nOut;
  }
  if (!whole) memory.fill(net.feedbackT, 0, <usize>(n * net.nOut) << 2);
  for (let at = net.feedback; at; at = changetype<Feedback>(at).next) {
    const part = changetype<Feedback>(at);
    for (let k = 0; k < part.size; k++) {
      const to = net.feedbackT + (<usize>((part.column + k) * n) << 2);
      for (let j = 0; j < n; j++) store<f32>(to + (<usize>j << 2), load<f32>(part.weights + (<usize>(j * part.size + k) << 2)));
    }
  }
}

/** L_j[t] = sum_k B_jk told_k[t], told the errors or their spikes, over the steps [t0, t1) of the streams [b0, b1). */
export function broadcast(first: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  for (let at = changetype<usize>(first); at; at = changetype<Net>(at).nextTrace) {
    const net = changetype<Net>(at);
    const n = net.n, nOut = net.nOut;
    transposeFeedback(net);
    for (let b = b0; b < b1; b++) {
      for (let t = t0; t < t1; t++) {
        const error = net.told + (<usize>((b * net.stride + t) * nOut) << 2);
        const signal = net.signal + (<usize>((b * net.signalRows + min(t, net.signalRows - 1)) * n) << 2);
        for (let k = 0; k < nOut; k++) addScaled(signal, net.feedbackT + (<usize>(k * n) << 2), load<f32>(error + (<usize>k << 2)), n, k > 0);
      }
    }
  }
}

/** out = (more ? out : 0) + factor x.   out, x: [n] */
function addScaled(out: usize, x: usize, factor: f32, n: i32, more: bool): void {
  const f = f32x4.splat(factor);
  const bytes = <usize>n << 2;
  let o: usize = 0;
  if (more) {
    for (; o + 16 <= bytes; o += 16) v128.store(out + o, f32x4.add(v128.load(out + o), f32x4.mul(f, v128.load(x + o))));
    for (; o < bytes; o += 4) store<f32>(out + o, load<f32>(out + o) + factor * load<f32>(x + o));
  } else {
    for (; o + 16 <= bytes; o += 16) v128.store(out + o, f32x4.mul(f, v128.load(x + o)));
    for (; o < bytes; o += 4) store<f32>(out + o, factor * load<f32>(x + o));
  }
}

/** fBar <- fBar + r (z - fBar);  R = c (fBar - f*), over the steps [t0, t1) of the streams [b0, b1). */
export function rateRunning(first: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  for (let at = changetype<usize>(first); at; at = changetype<Net>(at).next) runningOf(changetype<Net>(at), b0, b1, t0, t1);
}

function runningOf(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const bytes = <usize>net.n << 2;
  const r = f32x4.splat(net.rateRunning), target = f32x4.splat(net.rateTarget);
  for (let b = b0; b < b1; b++) {
    const fBar = net.fBar + <usize>b * bytes;
    for (let t = t0; t < t1; t++) {
      const z = net.z + <usize>(b * (net.history + net.stride) + net.history + t) * bytes;
      const term = net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes;
      if (t % FLUSH_EVERY == 0) flushRow(fBar, net.n);
      const strength = (t + 1) % net.rateEvery == 0 ? net.rateStrength : 0;
      const c = f32x4.splat(strength);
      let o: usize = 0;
      for (; o + 16 <= bytes; o += 16) {
        const mean = v128.load(fBar + o);
        const next = f32x4.add(mean, f32x4.mul(r, f32x4.sub(v128.load(z + o), mean)));
        v128.store(fBar + o, next);
        v128.store(term + o, f32x4.mul(c, f32x4.sub(next, target)));
      }
      for (; o < bytes; o += 4) {
        const mean = load<f32>(fBar + o);
        const next = mean + net.rateRunning * (load<f32>(z + o) - mean);
        store<f32>(fBar + o, next);
        store<f32>(term + o, strength * (next - net.rateTarget));
      }
    }
  }
}

/** R = perStep (f - f*) with f each stream's own mean of the trial: one row, or all rows alike. Streams [b0, b1), t0 is 0. */
export function rateOfStreams(first: Net, b0: i32, b1: i32, t0: i32, steps: i32): void {
  for (let at = changetype<usize>(first); at; at = changetype<Net>(at).next) {
    const net = changetype<Net>(at);
    for (let b = b0; b < b1; b++) {
      memory.fill(net.current, 0, <usize>net.n << 2);
      countSpikes(net, b, steps);
      writeRate(net, b, steps, <f32>steps);
    }
  }
}

/** The same with the mean over all streams. */
export function rateOfBatch(first: Net, steps: i32): void {
  for (let at = changetype<usize>(first); at; at = changetype<Net>(at).next) {
    const net = changetype<Net>(at);
    memory.fill(net.current, 0, <usize>net.n << 2);
    for (let b = 0; b < net.streams; b++) countSpikes(net, b, steps);
    for (let b = 0; b < net.streams; b++) writeRate(net, b, steps, <f32>(steps * net.streams));
  }
}

/** net.current_j += spikes of neuron j in the trial, or its values. */
function countSpikes(net: Net, b: i32, steps: i32): void {
  const ev = changetype<Events>(net.events);
  if (ev.valued) {
    for (let t = 0; t < steps; t++) addRow(net.current, rowOf(ev, net.stride, b, t), <usize>net.n << 2);
    return;
  }
  const end = eventsTo(ev, net.stride, b, steps - 1);
  for (let spike = eventsFrom(ev, net.stride, b, 0); spike < end; spike += 4) {
    const place = net.current + (<usize>load<u32>(spike) << 2);
    store<f32>(place, load<f32>(place) + 1);
  }
}

function writeRate(net: Net, b: i32, steps: i32, count: f32): void {
  const bytes = <usize>net.n << 2;
  const perStep = net.rateStrength / <f32>(steps * net.ratePerStream);
  const first = net.rateTerm + <usize>(b * net.rateRows) * bytes;
  for (let o: usize = 0; o < bytes; o += 4) store<f32>(first + o, perStep * (load<f32>(net.current + o) / count - net.rateTarget));
  for (let t = 1; t < min(steps, net.rateRows); t++) memory.copy(first + <usize>t * bytes, first, bytes);
}
