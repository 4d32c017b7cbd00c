import { addArrivals, addStep, backStream, Bptt, keepLater, pullCredit, pullThrough, startBack } from './bptt';
import { addTimes, pullBack } from './maps';
import { Events, Net, Projection } from './net';
import { eventsFrom, eventsTo, rowOf, scatterRows, sumList } from './rows';
import { flush1 } from './tiny';

/**
 * Both sides of the update between the passes of a trial, of one stream; see `models/direct/learnedSignal.ts` for the equations.
 * All fields are four bytes, in this order.
 */
@unmanaged
export class Learned {
  // a Net; populations that go back through the inner trial, the last one first; a list of Taught
  first: usize; list: usize; taught: usize;
  // the module: Bptt; its spikes, filtered [step][n]; what they owe of later steps [n]
  module: usize; filtered: usize; owed: usize;
  // Psi and its gradient [n][columns]; dE/dL [step][columns]
  psi: usize; gradient: usize; credit: usize; columns: i32;
  rate: f32; decay: f32; gain: f32;
}

/** A population that is taught, its columns among all of them. */
@unmanaged
export class Taught {
  // on its way back through the inner trial; its own memory alone, by matrices, with its ends; another population
  bptt: usize; trace: usize; ends: usize; next: usize; column: i32;
  // what the memory makes of L backwards: of one unit of input, and of the spike; change of the distance from the threshold. [step][n]
  drive: usize; total: usize; moved: usize;
  // in the direction of the gradient: state [m][n], what arrives and what leaves [n]
  h: usize; arriving: usize; spike: usize;
  // |dpsi/dx| [n], and z where psi has its peak
  slope: usize; peak: f32;
}

/** A projection whose weights differ from stream to stream in the test trial; pre: Bptt, 0 of the input. */
@unmanaged
export class Adapted {
  projection: usize; pre: usize; weights: usize; debt: usize; next: usize;
}

/** L = Psi^T filtered spikes, then W' = W - rate sum_t L e, where W' holds W before. */
export function learnedAdapt(rule: Learned, b: i32, steps: i32): void {
  tell(rule, b, steps);
  for (let at = rule.taught; at; at = changetype<Taught>(at).next) adapt(rule, changetype<Taught>(at), b, steps);
}

/** What all weights owe for dE/dW' in `debt`. */
export function learnedCredit(rule: Learned, b: i32, steps: i32): void {
  for (let at = rule.taught; at; at = changetype<Taught>(at).next) tangent(rule, changetype<Taught>(at), b, steps);
  learn(rule, steps);
  back(rule, b, steps);
}

/** zf = decay zf + gain z;  L_j = sum_m Psi_mj zf_m, into the rows of the signal.   zf: [step][n] */
function tell(rule: Learned, b: i32, steps: i32): void {
  const net = changetype<Net>(changetype<Bptt>(rule.module).net), ev = changetype<Events>(net.events);
  const bytes = <usize>net.n << 2, width = <usize>rule.columns << 2;
  for (let t = 0; t < steps; t++) {
    const now = rule.filtered + <usize>t * bytes, z = rowOf(ev, net.stride, b, t);
    for (let o: usize = 0; o < bytes; o += 4) {
      const before: f32 = t > 0 ? load<f32>(now - bytes + o) : 0;
      store<f32>(now + o, flush1(rule.decay * before + rule.gain * load<f32>(z + o)));
    }
    for (let at = rule.taught; at; at = changetype<Taught>(at).next) {
      const p = changetype<Taught>(at), post = changetype<Net>(changetype<Bptt>(p.trace).net);
      const signal = post.signal + (<usize>((b * post.signalRows + t) * post.n) << 2);
      memory.fill(signal, 0, <usize>post.n << 2);
      let row = rule.psi + (<usize>p.column << 2);
      for (let o: usize = 0; o < bytes; o += 4, row += width) {
        const spikes = load<f32>(now + o);
        if (spikes != 0) addTimes(signal, row, spikes, post.n);
      }
    }
  }
}

/** W'_ij -= rate sum_t p_i(t-d) D_j(t), D = L through the trace's own filter backwards in time: a row for every presynaptic spike.   W': [syn] */
function adapt(rule: Learned, p: Taught, b: i32, steps: i32): void {
  const trace = changetype<Bptt>(p.trace), net = changetype<Net>(trace.net), n = net.n, bytes = <usize>n << 2;
  const width = <usize>((n + 3) & ~3) << 2, m = <usize>trace.states, lambdas = <usize>net.streams * bytes;
  const own = trace.linear + (m * m + m) * width;
  const credit = trace.credit + <usize>b * bytes, owed = trace.owed + <usize>b * bytes, drive = trace.drive + <usize>b * bytes;
  startBack(trace, b, b + 1);
  for (let t = steps - 1; t >= 0; t--) {
    const row = <usize>t * bytes;
    memory.copy(credit, net.signal + (<usize>((b * net.signalRows + t) * n) << 2), bytes);
    for (let o: usize = 0; o < bytes; o += 4) {
      let kept = load<f32>(own + o) * load<f32>(owed + o);
      if (m > 1) kept += load<f32>(own + width + o) * load<f32>(owed + lambdas + o);
      store<f32>(p.total + row + o, load<f32>(credit + o) + kept);
    }
    backStream(net, trace, b, t, false);
    memory.copy(p.drive + row, drive, bytes);
    if (t == 0 && net.dropBorder) continue;
    memory.fill(net.current, 0, bytes);
    addTimes(net.current, drive, -rule.rate, n);
    for (let at = p.ends; at; at = changetype<Adapted>(at).next) {
      const end = changetype<Adapted>(at);
      addArrivals(net, changetype<Projection>(end.projection), end.weights, b, t, net.current);
    }
  }
}

/** h = transition h + input sum_i G'_ij p_i(t-d) + own s(t-1);  moved = read . h;  s = psi moved;  dE/dL = -rate s */
function tangent(rule: Learned, p: Taught, b: i32, steps: i32): void {
  const trace = changetype<Bptt>(p.trace), net = changetype<Net>(trace.net), bytes = <usize>net.n << 2;
  const width = <usize>((net.n + 3) & ~3) << 2, m = <usize>trace.states;
  const second = m > 1;
  memory.fill(p.h, 0, m * bytes);
  memory.fill(p.spike, 0, bytes);
  for (let t = 0; t < steps; t++) {
    memory.fill(p.arriving, 0, bytes);
    if (t > 0 || !net.dropBorder) {
      for (let at = p.ends; at; at = changetype<Adapted>(at).next) addDebt(net, changetype<Adapted>(at), p.arriving, b, t);
    }
    const moved = p.moved + <usize>t * bytes, psi = net.psi + <usize>(b * net.stride + t) * bytes;
    const credit = rule.credit + (<usize>(t * rule.columns + p.column) << 2);
    for (let o: usize = 0; o < bytes; o += 4) {
      const c = trace.linear + o, inputs = c + m * m * width, own = inputs + m * width, read = own + 2 * m * width;
      const x = load<f32>(p.h + o), y: f32 = second ? load<f32>(p.h + bytes + o) : 0;
      const arriving = load<f32>(p.arriving + o), spike = load<f32>(p.spike + o);
      let nextX = load<f32>(c) * x + load<f32>(inputs) * arriving + load<f32>(own) * spike;
      let sum: f32 = 0;
      if (second) {
        nextX += load<f32>(c + width) * y;
        const nextY = flush1(load<f32>(c + 2 * width) * x + load<f32>(c + 3 * width) * y +
          load<f32>(inputs + width) * arriving + load<f32>(own + width) * spike);
        store<f32>(p.h + bytes + o, nextY);
        sum = load<f32>(read + width) * nextY;
      }
      nextX = flush1(nextX);
      store<f32>(p.h + o, nextX);
      sum += load<f32>(read) * nextX;
      store<f32>(moved + o, sum);
      const leaves = load<f32>(psi + o) * sum;
      store<f32>(p.spike + o, leaves);
      store<f32>(credit + o, -rule.rate * leaves);
    }
  }
}

/** arriving_j += sum_i G'_ij p_i(t-d) */
function addDebt(net: Net, end: Adapted, arriving: usize, b: i32, t: i32): void {
  const s = changetype<Projection>(end.projection), ev = changetype<Events>(s.events);
  const first = eventsFrom(ev, net.stride, b, t - s.delay), last = eventsTo(ev, net.stride, b, t - s.delay);
  const x = ev.valued ? rowOf(ev, net.stride, b, t - s.delay) : 0;
  if (s.rows) scatterRows(arriving, first, last, x, end.debt, s.rows, s.post, s.narrow);
  else sumList(arriving, true, x, first, last, end.debt, net.n);
}

/** dE/dPsi_mj += sum_t zf_m(t) dE/dL_j(t).   Psi: [n][columns] */
function learn(rule: Learned, steps: i32): void {
  const n = changetype<Net>(changetype<Bptt>(rule.module).net).n, width = <usize>rule.columns << 2;
  let x = rule.filtered;
  for (let t = 0; t < steps; t++) {
    let row = rule.gradient;
    for (let m = 0; m < n; m++, x += 4, row += width) {
      const spikes = load<f32>(x);
      if (spikes != 0) addTimes(row, rule.credit + <usize>t * width, spikes, rule.columns);
    }
  }
}

/** Backwards through the inner trial: what populations owe, then dE/dW_ij += gain p_i(t-d) D_j(t). */
function back(rule: Learned, b: i32, steps: i32): void {
  const first = changetype<Net>(rule.first);
  for (let at = rule.list; at; at = changetype<Bptt>(at).next) startBack(changetype<Bptt>(at), b, b + 1);
  memory.fill(rule.owed, 0, <usize>changetype<Net>(changetype<Bptt>(rule.module).net).n << 2);
  for (let t = steps - 1; t >= 0; t--) {
    for (let at = rule.list; at; at = changetype<Bptt>(at).next) {
      const p = changetype<Bptt>(at), net = changetype<Net>(p.net);
      pullCredit(net, p, t, b, b + 1);
      if (at == rule.module) bringSignal(rule, net, p, b, t);
      else bringTrace(rule, net, p, b, t, steps);
      backStream(net, p, b, t, false);
      keepLater(net, p, t, b, b + 1);
    }
    if (t == 0 && first.dropBorder) continue;
    for (let at = rule.list; at; at = changetype<Bptt>(at).next) addStep(changetype<Bptt>(at), t, b, b + 1);
  }
}

/** F_m(t) = gain sum_j Psi_mj dE/dL_j(t) + decay F_m(t+1), which the spike of the module owes. */
function bringSignal(rule: Learned, net: Net, p: Bptt, b: i32, t: i32): void {
  const bytes = <usize>net.n << 2, part = p.part + <usize>b * bytes, credit = p.credit + <usize>b * bytes;
  pullBack(part, rule.psi, rule.credit + (<usize>(t * rule.columns) << 2), net.n, rule.columns, 1);
  for (let o: usize = 0; o < bytes; o += 4) {
    const owed = flush1(rule.gain * load<f32>(part + o) + rule.decay * load<f32>(rule.owed + o));
    store<f32>(rule.owed + o, owed);
    store<f32>(credit + o, load<f32>(credit + o) + owed);
  }
}

/**
 * What the spike of a population that is taught owes besides, as presynaptic spike of the traces that it acts on later and through psi of its
 * own trace:   credit_i -= rate (sum_j G'_ij D_j(t+d) + total_i moved_i dpsi/dx / psi).   credit: [stream][n]
 */
function bringTrace(rule: Learned, net: Net, p: Bptt, b: i32, t: i32, steps: i32): void {
  const n = net.n, bytes = <usize>n << 2, credit = p.credit + <usize>b * bytes, part = p.part + <usize>b * bytes;
  let own: usize = 0;
  for (let at = rule.taught; at; at = changetype<Taught>(at).next) {
    const to = changetype<Taught>(at), nPost = changetype<Net>(changetype<Bptt>(to.trace).net).n;
    if (to.bptt == changetype<usize>(p)) own = at;
    for (let e = to.ends; e; e = changetype<Adapted>(e).next) {
      const end = changetype<Adapted>(e), s = changetype<Projection>(end.projection);
      if (end.pre != changetype<usize>(p) || t + s.delay >= steps) continue;
      if (s.delay == 0 && t == 0 && net.dropBorder) continue;
      pullThrough(part, s, end.debt, to.drive + (<usize>((t + s.delay) * nPost) << 2), n, nPost, 1);
      addTimes(credit, part, -rule.rate, n);
    }
  }
  const u = changetype<Taught>(own), row = <usize>t * bytes;
  const psi = net.psi + <usize>(b * net.stride + t) * bytes, z = rowOf(changetype<Events>(net.events), net.stride, b, t);
  for (let o: usize = 0; o < bytes; o += 4) {
    const height = load<f32>(psi + o);
    if (height == 0) continue;
    const slope = load<f32>(u.slope + o), side = load<f32>(z + o) > u.peak ? -slope : slope;
    store<f32>(credit + o, load<f32>(credit + o) - (rule.rate * load<f32>(u.total + row + o) * load<f32>(u.moved + row + o) * side) / height);
  }
}
