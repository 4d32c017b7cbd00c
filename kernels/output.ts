import { Net } from './net';
import { listActive, zFrom, zTo } from './rows';
import { FLUSH_EVERY, flush1, flushRow } from './tiny';

/** u_k = kappa u_k + gain sum_j z_j Wout_jk;  y_k = u_k + b_k, over the steps [t0, t1) of the streams [b0, b1). */
export function readout(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const nOut = net.nOut;
  const rowBytes = <usize>nOut << 2;
  for (let b = b0; b < b1; b++) {
    for (let t = t0; t < t1; t++) {
      const first = zFrom(net, b, t), end = zTo(net, b, t);
      for (let k = 0; k < nOut; k++) {
        const o = <usize>k << 2;
        let sum: f32 = 0;
        for (let spike = first; spike < end; spike += 4) sum += load<f32>(net.wOut + <usize>load<u32>(spike) * rowBytes + o);
        const u = net.u + <usize>b * rowBytes + o;
        const filtered = flush1(net.readoutDecay * load<f32>(u) + net.readoutGain * sum);
        store<f32>(u, filtered);
        store<f32>(net.y + <usize>(b * net.stride + t) * rowBytes + o, filtered + load<f32>(net.bOut + o));
      }
    }
  }
}

/** Errors dE/dy times the weight of the step and the scale of the stream (net.scale: [stream]); 0 where not scored. */
export function errors(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const nOut = net.nOut;
  for (let b = b0; b < b1; b++) {
    const scale = load<f32>(net.scale + (<usize>b << 2));
    for (let t = t0; t < t1; t++) {
      const step = b * net.stride + t;
      const row = <usize>(step * nOut) << 2;
      const factor = scale * load<f32>(net.weight + (<usize>step << 2));
      const y = net.y + row, target = net.target + row, error = net.error + row;
      if (factor == 0) memory.fill(error, 0, <usize>nOut << 2);
      else if (net.lossKind == 0) squareError(error, y, target, factor, nOut);
      else if (net.lossKind == 1) softmaxError(error, y, target, factor, nOut);
      else logisticError(error, y, target, factor, nOut);
    }
  }
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
  const n = net.n, nOut = net.nOut;
  for (let b = b0; b < b1; b++) {
    const error = net.error + (<usize>((b * net.stride + t) * nOut) << 2);
    const z = net.z + (<usize>(b * (net.history + net.stride) + net.history + t) * n << 2);
    const zBar = net.zBar + (<usize>(b * n) << 2);
    filterRow(zBar, z, net.readoutDecay, net.readoutGain, n);
    if (t % FLUSH_EVERY == 0) flushRow(zBar, n);
    const end = listActive(net.list, zBar, n);
    for (let entry = net.list; entry < end; entry += 4) {
      const j = load<u32>(entry);
      addOutput(net, j, load<f32>(zBar + (<usize>j << 2)), error);
    }
    addBias(net, error);
  }
}

/** The same for a whole trial: the error is filtered backwards and every spike adds it once. */
export function readoutGradientOfTrial(net: Net, b0: i32, b1: i32, steps: i32): void {
  const nOut = net.nOut;
  const back = net.errorBack;
  for (let b = b0; b < b1; b++) {
    memory.fill(back, 0, <usize>nOut << 2);
    for (let t = steps - 1; t >= 0; t--) {
      const error = net.error + (<usize>((b * net.stride + t) * nOut) << 2);
      for (let k = 0; k < nOut; k++) {
        const o = <usize>k << 2;
        store<f32>(back + o, flush1(net.readoutGain * load<f32>(error + o) + net.readoutDecay * load<f32>(back + o)));
      }
      const end = zTo(net, b, t);
      for (let spike = zFrom(net, b, t); spike < end; spike += 4) addOutput(net, load<u32>(spike), 1, back);
      addBias(net, error);
    }
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
function addOutput(net: Net, j: u32, factor: f32, error: usize): void {
  const nOut = net.nOut;
  const row = net.gOut + (<usize>(j * nOut) << 2);
  for (let k = 0; k < nOut; k++) {
    const o = <usize>k << 2;
    store<f32>(row + o, load<f32>(row + o) + factor * load<f32>(error + o));
  }
}

/** gBias_k += error_k. */
function addBias(net: Net, error: usize): void {
  if (!net.readoutBias) return;
  for (let k = 0; k < net.nOut; k++) {
    const o = <usize>k << 2;
    store<f32>(net.gBias + o, load<f32>(net.gBias + o) + load<f32>(error + o));
  }
}
