import { addTimes } from './maps';
import { Events, Net, Read, Readout } from './net';
import { endOf, eventsFrom, eventsTo, listActive, listOf, rowOf } from './rows';
import { FLUSH_EVERY, flush1, flushRow } from './tiny';

/** u_k = kappa u_k + gain (sum_j z_j Wout_jk + injected_k);  y_k = u_k + b_k, over the steps [t0, t1) of the streams [b0, b1). */
export function readout(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  for (let b = b0; b < b1; b++) {
    for (let at = net.readouts; at; at = changetype<Readout>(at).next) {
      const r = changetype<Readout>(at);
      if (r.valued) readValues(net, r, b, t0, t1);
      else for (let t = t0; t < t1; t++) readStep(net, r, b, t, false);
    }
  }
}

/** A readout of values, exported so that it is not put into its caller. */
export function readValues(net: Net, r: Readout, b: i32, t0: i32, t1: i32): void {
  for (let t = t0; t < t1; t++) readStep(net, r, b, t, true);
}

// @ts-ignore: decorator
@inline
function readStep(net: Net, r: Readout, b: i32, t: i32, values: bool): void {
  const nOut = r.nOut;
  const rowBytes = <usize>nOut << 2;
  const y = net.y + (<usize>((b * net.stride + t) * net.nOut + r.column) << 2);
  for (let at = r.reads, begun = false; at; at = changetype<Read>(at).next, begun = true) {
    const read = changetype<Read>(at), ev = changetype<Events>(read.events), w = read.w;
    const list = listOf(ev, net.stride, b), last = endOf(ev, net.stride, b, t);
    const first = list + (<usize>load<i32>(last - 4) << 2), end = list + (<usize>load<i32>(last) << 2);
    const x = values && ev.valued ? rowOf(ev, net.stride, b, t) : 0;
    for (let o: usize = 0; o < rowBytes; o += 4) {
      let sum: f32 = begun ? load<f32>(y + o) : 0;
      for (let event = first; event < end; event += 4) {
        const j = <usize>load<u32>(event), weight = load<f32>(w + o + j * rowBytes);
        sum += values && x ? load<f32>(x + (j << 2)) * weight : weight;
      }
      store<f32>(y + o, sum);
    }
  }
  if (r.injected) addTimes(y, r.injected + (<usize>((b * net.stride + t) * net.nOut + r.column) << 2), 1, nOut);
  const u = r.u + <usize>b * rowBytes;
  for (let o: usize = 0; o < rowBytes; o += 4) {
    const filtered = flush1(r.decay * load<f32>(u + o) + r.gain * load<f32>(y + o));
    store<f32>(u + o, filtered);
    store<f32>(y + o, filtered + load<f32>(r.b + o));
  }
}

/** Errors dE/dy times the weight of the step, of the readout, and the scale of the stream (net.scale: [stream]); 0 where not scored. */
export function errors(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  for (let b = b0; b < b1; b++) {
    const scale = load<f32>(net.scale + (<usize>b << 2));
    for (let t = t0; t < t1; t++) {
      const step = b * net.stride + t;
      const factor = scale * load<f32>(net.weight + (<usize>step << 2));
      for (let at = net.readouts; at; at = changetype<Readout>(at).next) errorsOf(net, changetype<Readout>(at), step, t, factor);
    }
  }
}

function errorsOf(net: Net, r: Readout, step: i32, t: i32, share: f32): void {
  const nOut = r.nOut;
  const row = <usize>(step * net.nOut + r.column) << 2;
  const factor = share * r.weight;
  const y = net.y + row, target = net.target + row, error = net.error + row;
  if (factor == 0 || t < r.start || t >= r.end) noError(error, nOut);
  else if (r.lossKind == 0) squareError(error, y, target, factor, nOut);
  else if (r.lossKind == 1) softmaxError(error, y, target, factor, nOut);
  else logisticError(error, y, target, factor, nOut);
}

/** error = 0; a few numbers, for which a fill is called longer than it works. */
function noError(error: usize, nOut: i32): void {
  for (let k = 0; k < nOut; k++) store<f32>(error + (<usize>k << 2), 0);
}

/** error = factor (y - y*). */
function squareError(error: usize, y: usize, target: usize, factor: f32, nOut: i32): void {
  for (let k = 0; k < nOut; k++) {
    const o = <usize>k << 2;
    store<f32>(error + o, factor * (load<f32>(y + o) - load<f32>(target + o)));
  }
}

/** error = factor (softmax(y) - y*). */
function softmaxError(error: usize, y: usize, target: usize, factor: f32, nOut: i32): void {
  let largest = load<f32>(y);
  for (let k = 1; k < nOut; k++) largest = max<f32>(largest, load<f32>(y + (<usize>k << 2)));
  let sum: f64 = 0;
  for (let k = 0; k < nOut; k++) sum += NativeMath.exp(<f64>load<f32>(y + (<usize>k << 2)) - <f64>largest);
  for (let k = 0; k < nOut; k++) {
    const o = <usize>k << 2;
    const share = <f32>(NativeMath.exp(<f64>load<f32>(y + o) - <f64>largest) / sum);
    store<f32>(error + o, factor * (share - load<f32>(target + o)));
  }
}

/** error = factor (1 / (1 + exp(-y)) - y*). */
function logisticError(error: usize, y: usize, target: usize, factor: f32, nOut: i32): void {
  for (let k = 0; k < nOut; k++) {
    const o = <usize>k << 2;
    const share = <f32>(1 / (1 + NativeMath.exp(-<f64>load<f32>(y + o))));
    store<f32>(error + o, factor * (share - load<f32>(target + o)));
  }
}

/** zBar = kappa zBar + gain z;  gOut_jk += error_k zBar_j;  gBias_k += error_k, at step t of the streams [b0, b1). */
export function readoutGradient(net: Net, b0: i32, b1: i32, t: i32): void {
  for (let at = net.readouts; at; at = changetype<Readout>(at).next) {
    const r = changetype<Readout>(at);
    for (let b = b0; b < b1; b++) {
      const error = net.error + (<usize>((b * net.stride + t) * net.nOut + r.column) << 2);
      for (let part = r.reads; part; part = changetype<Read>(part).next) readGradient(net, r, changetype<Read>(part), b, t, error);
      addBias(r, error);
    }
  }
}

function readGradient(net: Net, r: Readout, read: Read, b: i32, t: i32, error: usize): void {
  const zBar = read.zBar + (<usize>(b * read.pre) << 2);
  filterRow(zBar, rowOf(changetype<Events>(read.events), net.stride, b, t), r.decay, r.gain, read.n);
  if (t % FLUSH_EVERY == 0) flushRow(zBar, read.n);
  const end = listActive(net.list, zBar, read.n);
  for (let entry = net.list; entry < end; entry += 4) {
    const j = load<u32>(entry);
    addOutput(read.g, r.nOut, j, load<f32>(zBar + (<usize>j << 2)), error);
  }
}

/** The same for a whole trial: the error is filtered backwards and every event adds it once. */
export function readoutGradientOfTrial(net: Net, b0: i32, b1: i32, steps: i32): void {
  for (let at = net.readouts; at; at = changetype<Readout>(at).next) {
    const r = changetype<Readout>(at);
    for (let b = b0; b < b1; b++) {
      if (r.valued) backOverValues(net, r, b, steps);
      else backOverTrial(net, r, b, steps);
    }
  }
}

function backOverTrial(net: Net, r: Readout, b: i32, steps: i32): void {
  backThrough(net, r, b, steps, false);
}

/** The same where events have values; exported so that it is not put into its caller. */
export function backOverValues(net: Net, r: Readout, b: i32, steps: i32): void {
  backThrough(net, r, b, steps, true);
}

// @ts-ignore: decorator
@inline
function backThrough(net: Net, r: Readout, b: i32, steps: i32, values: bool): void {
  const nOut = r.nOut;
  const back = net.errorBack;
  memory.fill(back, 0, <usize>nOut << 2);
  for (let t = steps - 1; t >= 0; t--) {
    const error = net.error + (<usize>((b * net.stride + t) * net.nOut + r.column) << 2);
    for (let k = 0; k < nOut; k++) {
      const o = <usize>k << 2;
      store<f32>(back + o, flush1(r.gain * load<f32>(error + o) + r.decay * load<f32>(back + o)));
    }
    for (let part = r.reads; part; part = changetype<Read>(part).next) {
      const read = changetype<Read>(part), ev = changetype<Events>(read.events);
      const end = eventsTo(ev, net.stride, b, t);
      const x = values && ev.valued ? rowOf(ev, net.stride, b, t) : 0;
      for (let event = eventsFrom(ev, net.stride, b, t); event < end; event += 4) {
        const j = load<u32>(event);
        addOutput(read.g, nOut, j, values && x ? load<f32>(x + (<usize>j << 2)) : 1, back);
      }
    }
    addBias(r, error);
  }
}

/** f = decay f + gain x.   f, x: [n] */
export function filterRow(f: usize, x: usize, decay: f32, gain: f32, n: i32): void {
  const d = f32x4.splat(decay), g = f32x4.splat(gain);
  const bytes = <usize>n << 2;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(f + o, f32x4.add(f32x4.mul(d, v128.load(f + o)), f32x4.mul(g, v128.load(x + o))));
  for (; o < bytes; o += 4) store<f32>(f + o, decay * load<f32>(f + o) + gain * load<f32>(x + o));
}

/** gOut_jk += factor error_k. */
function addOutput(g: usize, nOut: i32, j: u32, factor: f32, error: usize): void {
  const row = g + (<usize>(j * nOut) << 2);
  for (let k = 0; k < nOut; k++) {
    const o = <usize>k << 2;
    store<f32>(row + o, load<f32>(row + o) + factor * load<f32>(error + o));
  }
}

/** gBias_k += error_k. */
function addBias(r: Readout, error: usize): void {
  if (!r.bias) return;
  for (let k = 0; k < r.nOut; k++) {
    const o = <usize>k << 2;
    store<f32>(r.gBias + o, load<f32>(r.gBias + o) + load<f32>(error + o));
  }
}
