import { addRows, addTimes, pullBack } from './maps';
import { Events, Net, Projection, Readout } from './net';
import { eventsFrom, eventsTo, rowOf } from './rows';

/**
 * What the kernel knows of backpropagation through time. All fields are four bytes, in this order; `src/backends/wasm/bptt.ts`
 * has the same names in the same order and a test compares the two.
 */
@unmanaged
export class Bptt {
  // feedback [rec][out]; scratch: F [stream][out], credit, D and lambda [stream][rec], D of the next steps [delay][stream][rec]
  feedback: usize; filtered: usize; credit: usize; drive: usize; owed: usize; later: usize;
  resetGain: f32;
}

/** One population: a projection from the input, then one onto itself. The errors of the steps [s0, s1) of all streams go back to step `from`. See `models/direct/bptt.ts` for the equations. */
export function bpttBack(net: Net, p: Bptt, s0: i32, s1: i32, from: i32): void {
  const rows = <usize>(net.streams * net.n) << 2;
  const wRec = changetype<Projection>(changetype<Projection>(net.projections).next).w;
  memory.fill(p.filtered, 0, <usize>(net.streams * net.nOut) << 2);
  memory.fill(p.drive, 0, rows);
  memory.fill(p.owed, 0, rows);
  memory.fill(p.later, 0, rows * <usize>net.history);
  for (let t = s1 - 1; t >= from; t--) {
    const later = p.later + <usize>(t % net.history) * rows;
    pullBack(p.credit, wRec, later, net.n, net.streams);
    for (let b = 0; b < net.streams; b++) {
      filterError(net, p, b, t, t >= s0);
      addFeedback(net, p, b);
      backNeurons(net, p, b, t, t < s0);
      addStep(net, p, b, t);
    }
    memory.copy(later, p.drive, rows);
  }
}

/** F = gain error + kappa F, without error before the segment. */
function filterError(net: Net, p: Bptt, b: i32, t: i32, inside: bool): void {
  const bytes = <usize>net.nOut << 2;
  const r = changetype<Readout>(net.readouts);
  const f = p.filtered + <usize>b * bytes, error = net.error + <usize>(b * net.stride + t) * bytes;
  for (let k: usize = 0; k < bytes; k += 4) {
    const fresh = inside ? r.gain * load<f32>(error + k) : <f32>0;
    store<f32>(f + k, fresh + r.decay * load<f32>(f + k));
  }
}

/** credit = sum_k B_jk F_k + gain credit: what came through the recurrent weights is not scaled yet. */
function addFeedback(net: Net, p: Bptt, b: i32): void {
  const width = <usize>net.nOut << 2, f = p.filtered + <usize>b * width;
  let row = p.feedback;
  for (let c = p.credit + (<usize>(b * net.n) << 2), end = c + (<usize>net.n << 2); c < end; c += 4) {
    let sum = net.gain * load<f32>(c);
    for (let k: usize = 0; k < width; k += 4) sum += load<f32>(row + k) * load<f32>(f + k);
    store<f32>(c, sum);
    row += width;
  }
}

/** D[t] and lambda[t] of one stream; dz goes to the signal. */
function backNeurons(net: Net, p: Bptt, b: i32, t: i32, more: bool): void {
  const bytes = <usize>net.n << 2;
  const at = <usize>b * bytes, credit = p.credit + at, drive = p.drive + at, owed = p.owed + at;
  const psi = net.psi + <usize>(b * net.stride + t) * bytes;
  const signal = net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes;
  for (let o: usize = 0; o < bytes; o += 4) {
    const slope = load<f32>(psi + o), after = load<f32>(drive + o);
    const dz = load<f32>(credit + o) - p.resetGain * after;
    store<f32>(signal + o, (more ? load<f32>(signal + o) : 0) + dz);
    if (!net.strength) {
      store<f32>(drive + o, slope * dz + net.decay * after);
      continue;
    }
    const strength = load<f32>(net.strength + o), lambda = load<f32>(owed + o);
    store<f32>(owed + o, slope * dz + (net.rho - strength * slope) * lambda);
    store<f32>(drive + o, slope * (dz - strength * lambda) + net.decay * after);
  }
}

/** grad_ij += gain p_i(t) D_j(t). */
function addStep(net: Net, p: Bptt, b: i32, t: i32): void {
  if (t == 0 && net.dropBorder) return;
  const n = net.n, bytes = <usize>n << 2;
  const drive = p.drive + <usize>b * bytes, scaled = net.current;
  memory.fill(scaled, 0, bytes);
  addTimes(scaled, drive, net.gain, n);
  const input = changetype<Projection>(net.projections), own = changetype<Projection>(input.next);
  const ev = changetype<Events>(input.events), spikes = changetype<Events>(own.events);
  const x = rowOf(ev, net.stride, b, t), end = eventsTo(ev, net.stride, b, t);
  for (let e = eventsFrom(ev, net.stride, b, t); e < end; e += 4) {
    addTimes(input.g + <usize>load<u32>(e) * bytes, scaled, load<f32>(x + (<usize>load<u32>(e) << 2)), n);
  }
  addRows(own.g, scaled, eventsFrom(spikes, net.stride, b, t - own.delay), eventsTo(spikes, net.stride, b, t - own.delay), n);
}
