import { addRows, addTimes, pullBack } from './maps';
import { Events, Feedback, Net, Projection, Readout } from './net';
import { eventsFrom, eventsTo, gatherRows, rowOf } from './rows';
import { multiply } from './update';

/**
 * What the kernel knows of a population on the way back through time. All fields are four bytes, in this order; a list goes from
 * the last population to the first.
 */
@unmanaged
export class Bptt {
  net: usize; outgoing: usize; feedback: usize; next: usize;
  // scratch: F [stream][out] of all populations, credit, one projection's part of it, D [stream][n] each, lambda [m][stream][n],
  // D of the next steps [depth][stream][n]
  filtered: usize; credit: usize; part: usize; drive: usize; owed: usize; later: usize; depth: i32;
  // where dz goes, [stream][signalRows][n]
  signal: usize; signalRows: i32;
  // factor on the input, and what a spike takes off its membrane, of a closed form; else rows of transition [m][m], input [m], own [m], reset [m], read [m]
  gain: f32; resetGain: f32; linear: usize; states: i32; gateInput: i32;
}

/** A projection that leaves a population, and where it ends. */
@unmanaged
export class Outgoing {
  projection: usize; to: usize; next: usize;
}

/** The errors of the steps [s0, s1) of all streams go back to step `from`. See `models/direct/bptt.ts` for the equations. */
export function bpttBack(first: Net, list: Bptt, s0: i32, s1: i32, from: i32): void {
  memory.fill(list.filtered, 0, <usize>(first.streams * first.nOut) << 2);
  for (let at = changetype<usize>(list); at; at = changetype<Bptt>(at).next) startBack(changetype<Bptt>(at), 0, first.streams);
  for (let t = s1 - 1; t >= from; t--) {
    for (let at = first.readouts; at; at = changetype<Readout>(at).next) filterErrors(first, changetype<Readout>(at), list.filtered, t, t >= s0);
    for (let at = changetype<usize>(list); at; at = changetype<Bptt>(at).next) backPopulation(changetype<Bptt>(at), t, t < s0);
    if (t == 0 && first.dropBorder) continue;
    for (let at = changetype<usize>(list); at; at = changetype<Bptt>(at).next) addStep(changetype<Bptt>(at), t, 0, first.streams);
  }
}

/** Nothing is owed by what comes after, of the streams [b0, b1). */
export function startBack(p: Bptt, b0: i32, b1: i32): void {
  const net = changetype<Net>(p.net), n = net.n;
  const at = <usize>(b0 * n) << 2, bytes = <usize>((b1 - b0) * n) << 2, rows = <usize>(net.streams * n) << 2;
  memory.fill(p.drive + at, 0, bytes);
  for (let r = 0; r < p.states; r++) memory.fill(p.owed + at + <usize>r * rows, 0, bytes);
  for (let d = 0; d < p.depth; d++) memory.fill(p.later + at + <usize>d * rows, 0, bytes);
}

/** F = gain error + kappa F of one readout, without error before the segment. */
function filterErrors(net: Net, r: Readout, filtered: usize, t: i32, inside: bool): void {
  const bytes = <usize>r.nOut << 2;
  for (let b = 0; b < net.streams; b++) {
    const f = filtered + (<usize>(b * net.nOut + r.column) << 2);
    const error = net.error + (<usize>((b * net.stride + t) * net.nOut + r.column) << 2);
    for (let k: usize = 0; k < bytes; k += 4) {
      const fresh = inside ? r.gain * load<f32>(error + k) : <f32>0;
      store<f32>(f + k, fresh + r.decay * load<f32>(f + k));
    }
  }
}

/** Step t of one population: those behind it have taken theirs. */
function backPopulation(p: Bptt, t: i32, more: bool): void {
  const net = changetype<Net>(p.net);
  pullCredit(net, p, t, 0, net.streams);
  for (let b = 0; b < net.streams; b++) {
    for (let at = p.feedback; at; at = changetype<Feedback>(at).next) addFeedback(net, p, changetype<Feedback>(at), b);
    backStream(net, p, b, t, more);
  }
  keepLater(net, p, t, 0, net.streams);
}

/** D[t] and lambda[t] of stream b from its credit. @param more dz is added to the signal */
export function backStream(net: Net, p: Bptt, b: i32, t: i32, more: bool): void {
  if (p.linear) backLinear(net, p, b, t, more);
  else backNeurons(net, p, b, t, more);
}

/** D[t] of the streams [b0, b1) waits for the spikes that made it. */
export function keepLater(net: Net, p: Bptt, t: i32, b0: i32, b1: i32): void {
  const at = <usize>(b0 * net.n) << 2, rows = <usize>(net.streams * net.n) << 2;
  memory.copy(p.later + <usize>(t % p.depth) * rows + at, p.drive + at, <usize>((b1 - b0) * net.n) << 2);
}

/** credit_i = sum over the projections that leave of gain sum_j W_ij D_j[t+d], of the streams [b0, b1). */
export function pullCredit(net: Net, p: Bptt, t: i32, b0: i32, b1: i32): void {
  const count = b1 - b0, length = count * net.n, at = <usize>(b0 * net.n) << 2, credit = p.credit + at;
  let more = false;
  for (let o = p.outgoing; o; o = changetype<Outgoing>(o).next) {
    const way = changetype<Outgoing>(o), s = changetype<Projection>(way.projection), to = changetype<Bptt>(way.to);
    if (t == 0 && s.delay == 0 && net.dropBorder) continue;
    const post = changetype<Net>(to.net);
    const later = to.later + (<usize>(((t + s.delay) % to.depth * net.streams + b0) * post.n) << 2);
    const part = more ? p.part + at : credit;
    pullThrough(part, s, s.w, later, net.n, post.n, count);
    if (more) addTimes(credit, part, to.gain, length);
    else if (to.gain != 1) multiply(credit, length, to.gain);
    more = true;
  }
  if (!more) memory.fill(credit, 0, <usize>length << 2);
}

/** out_i = sum_j w_ij g_j for `count` vectors, w on the synapses of a projection.   out: [count][nPre]; g: [count][nPost] */
export function pullThrough(out: usize, s: Projection, w: usize, g: usize, nPre: i32, nPost: i32, count: i32): void {
  if (s.rows) pullSparse(out, s, w, g, nPre, nPost, count);
  else pullBack(out, w, g, nPre, nPost, count);
}

/** out_i = sum_j w_ij g_j for `count` vectors of a sparse projection.   out: [count][nPre]; g: [count][nPost] */
function pullSparse(out: usize, s: Projection, w: usize, g: usize, nPre: i32, nPost: i32, count: i32): void {
  for (let b = 0; b < count; b++, g += <usize>nPost << 2) {
    for (let i = 0; i < nPre; i++, out += 4) {
      const end = load<i32>(s.rows + (<usize>(i + 1) << 2));
      let sum: f32 = 0, from = g;
      for (let k = load<i32>(s.rows + (<usize>i << 2)); k < end; k++) {
        if (s.narrow) from += <usize>load<u16>(s.post + (<usize>k << 1)) << 2;
        else from = g + (<usize>load<i32>(s.post + (<usize>k << 2)) << 2);
        sum += load<f32>(w + (<usize>k << 2)) * load<f32>(from);
      }
      store<f32>(out, sum);
    }
  }
}

/** credit_j += sum_k B_jk F_k of one part of the feedback. */
function addFeedback(net: Net, p: Bptt, part: Feedback, b: i32): void {
  const width = <usize>part.size << 2, f = p.filtered + (<usize>(b * net.nOut + part.column) << 2);
  let row = part.weights;
  for (let c = p.credit + (<usize>(b * net.n) << 2), end = c + (<usize>net.n << 2); c < end; c += 4) {
    let sum = load<f32>(c);
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
  const signal = p.signal + <usize>(b * p.signalRows + min(t, p.signalRows - 1)) * bytes;
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

/** The same by matrices: dz = credit - reset . lambda;  lambda = transition^T lambda + read f (dz + own . lambda);  D = g input . lambda */
function backLinear(net: Net, p: Bptt, b: i32, t: i32, more: bool): void {
  const bytes = <usize>net.n << 2, width = <usize>((net.n + 3) & ~3) << 2, lambdas = <usize>net.streams * bytes;
  const gateInput = p.gateInput != 0;
  const m = <usize>p.states, at = <usize>b * bytes, credit = p.credit + at, drive = p.drive + at;
  const psi = net.psi + <usize>(b * net.stride + t) * bytes;
  const signal = p.signal + <usize>(b * p.signalRows + min(t, p.signalRows - 1)) * bytes;
  for (let o: usize = 0; o < bytes; o += 4) {
    const c = p.linear + o, inputs = c + m * m * width, own = inputs + m * width, reset = own + m * width, read = reset + m * width;
    const slope = load<f32>(psi + o), x = load<f32>(p.owed + at + o), y: f32 = m > 1 ? load<f32>(p.owed + lambdas + at + o) : 0;
    let dz = load<f32>(credit + o) - load<f32>(reset) * x, kept = load<f32>(own) * x;
    if (m > 1) {
      dz -= load<f32>(reset + width) * y;
      kept += load<f32>(own + width) * y;
    }
    store<f32>(signal + o, (more ? load<f32>(signal + o) : 0) + dz);
    const falls = (gateInput ? <f32>1 : slope) * (dz + kept);
    let nextX = load<f32>(c) * x + load<f32>(read) * falls;
    let sum: f32 = 0;
    if (m > 1) {
      nextX += load<f32>(c + 2 * width) * y;
      const nextY = load<f32>(c + width) * x + load<f32>(c + 3 * width) * y + load<f32>(read + width) * falls;
      store<f32>(p.owed + lambdas + at + o, nextY);
      sum = load<f32>(inputs + width) * nextY;
    }
    store<f32>(p.owed + at + o, nextX);
    store<f32>(drive + o, (gateInput ? slope : <f32>1) * (load<f32>(inputs) * nextX + sum));
  }
}

/** grad_ij += gain p_i(t-d) D_j(t) of all projections that end on a population, of the streams [b0, b1). */
export function addStep(p: Bptt, t: i32, b0: i32, b1: i32): void {
  const net = changetype<Net>(p.net), n = net.n, bytes = <usize>n << 2;
  const scaled = net.current;
  for (let b = b0; b < b1; b++) {
    memory.fill(scaled, 0, bytes);
    addTimes(scaled, p.drive + <usize>b * bytes, p.gain, n);
    for (let at = net.projections; at; at = changetype<Projection>(at).next) {
      const s = changetype<Projection>(at);
      addArrivals(net, s, s.g, b, t, scaled);
    }
  }
}

/** sum_ij += p_i(t-d) x_j on the synapses of a projection.   x: [n] */
export function addArrivals(net: Net, s: Projection, sum: usize, b: i32, t: i32, x: usize): void {
  const ev = changetype<Events>(s.events), bytes = <usize>net.n << 2;
  const first = eventsFrom(ev, net.stride, b, t - s.delay), end = eventsTo(ev, net.stride, b, t - s.delay);
  const values = ev.valued ? rowOf(ev, net.stride, b, t - s.delay) : 0;
  if (s.rows) gatherRows(sum, first, end, values, x, s.rows, s.post, s.narrow);
  else if (!values) addRows(sum, x, first, end, net.n);
  else for (let e = first; e < end; e += 4) {
    addTimes(sum + <usize>load<u32>(e) * bytes, x, load<f32>(values + (<usize>load<u32>(e) << 2)), net.n);
  }
}
