import { traceLinear } from './linear';
import { Events, Net, Projection } from './net';
import { filterRow } from './output';
import { rowOf } from './rows';
import { flush4, flushRow } from './tiny';

/** Eligibility traces of a population, streams [b0, b1) at step t, and what they add to the gradient. */
export function traceOuter(net: Net, b0: i32, b1: i32, t: i32): void {
  for (let b = b0; b < b1; b++) {
    gatedSignal(net, b, t);
    presynaptic(net, b, t);
  }
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (p.learns) outer(net, p, b0, b1);
  }
}

/** eps_i = decay eps_i + gain p_i for the projections of one stream; a step whose spikes are dropped only decays. */
function presynaptic(net: Net, b: i32, t: i32): void {
  const gain = t == 0 && net.dropBorder ? <f32>0 : net.gain;
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at), ev = changetype<Events>(p.events);
    if (!p.learns) continue;
    const eps = p.eps + (<usize>(b * ev.size) << 2);
    filterRow(eps, rowOf(ev, net.stride, b, t - p.delay), net.traceDecay, gain, ev.size);
    flushRow(eps, ev.size);
  }
}

/** d_j = psi_j (gain L_j + R_j).   net.drive: [stream][rec] */
function gatedSignal(net: Net, b: i32, t: i32): void {
  const n = net.n;
  const bytes = <usize>n << 2;
  const psi = net.psi + <usize>(b * net.stride + t) * bytes;
  const signal = net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes;
  const rate = net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes;
  const d = net.drive + <usize>b * bytes;
  const gain = f32x4.splat(net.traceGain);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    const told = f32x4.add(f32x4.mul(gain, v128.load(signal + o)), v128.load(rate + o));
    v128.store(d + o, f32x4.mul(v128.load(psi + o), told));
  }
  for (; o < bytes; o += 4) store<f32>(d + o, load<f32>(psi + o) * (net.traceGain * load<f32>(signal + o) + load<f32>(rate + o)));
}

/** grad_ij += sum_b eps_bi d_bj: all streams while a piece of the row is in registers. */
function outer(net: Net, p: Projection, b0: i32, b1: i32): void {
  const n = net.n, nPre = changetype<Events>(p.events).size;
  const grad = p.g, eps = p.eps, rows = p.rows, post = p.post;
  const bytes = <usize>n << 2, preBytes = <usize>nPre << 2;
  const dFirst = net.drive + <usize>b0 * bytes, dEnd = net.drive + <usize>b1 * bytes;
  const epsFirst = eps + <usize>b0 * preBytes;
  for (let i = 0; i < nPre; i++) {
    const e0 = epsFirst + (<usize>i << 2);
    if (rows) {
      const end = load<i32>(rows + (<usize>(i + 1) << 2));
      for (let s = load<i32>(rows + (<usize>i << 2)); s < end; s++) {
        let sum = load<f32>(grad + (<usize>s << 2));
        let e = e0;
        for (let d = dFirst + (<usize>load<i32>(post + (<usize>s << 2)) << 2); d < dEnd; d += bytes, e += preBytes) sum += load<f32>(e) * load<f32>(d);
        store<f32>(grad + (<usize>s << 2), sum);
      }
      continue;
    }
    const g = grad + <usize>i * bytes;
    let o: usize = 0;
    for (; o + 64 <= bytes; o += 64) {
      let s0 = v128.load(g + o), s1 = v128.load(g + o, 16), s2 = v128.load(g + o, 32), s3 = v128.load(g + o, 48);
      let e = e0;
      for (let d = dFirst + o; d < dEnd; d += bytes, e += preBytes) {
        const trace = v128.load32_splat(e);
        s0 = f32x4.add(s0, f32x4.mul(trace, v128.load(d)));
        s1 = f32x4.add(s1, f32x4.mul(trace, v128.load(d, 16)));
        s2 = f32x4.add(s2, f32x4.mul(trace, v128.load(d, 32)));
        s3 = f32x4.add(s3, f32x4.mul(trace, v128.load(d, 48)));
      }
      v128.store(g + o, s0); v128.store(g + o, s1, 16); v128.store(g + o, s2, 32); v128.store(g + o, s3, 48);
    }
    for (; o + 16 <= bytes; o += 16) {
      let sum = v128.load(g + o);
      let e = e0;
      for (let d = dFirst + o; d < dEnd; d += bytes, e += preBytes) sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(e), v128.load(d)));
      v128.store(g + o, sum);
    }
    for (; o < bytes; o += 4) {
      let sum = load<f32>(g + o);
      let e = e0;
      for (let d = dFirst + o; d < dEnd; d += bytes, e += preBytes) sum += load<f32>(e) * load<f32>(d);
      store<f32>(g + o, sum);
    }
  }
}

/** Steps that a synapse is taken through while its traces are in registers. */
const CHUNK: i32 = 8;

/** Traces with state per synapse, over the steps [t0, t1) of the streams [b0, b1). The choices are made outside all loops. */
export function traceSynaptic(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  const rate = net.rateAfterTrial ? 2 : net.rateStrength != 0 ? 1 : 0;
  let steps = 0;
  for (let t = t0; t < t1; t += steps) {
    steps = min(CHUNK, t1 - t);
    if (net.restartEvery) {
      steps = min(steps, net.restartEvery - t % net.restartEvery);
      if (t % net.restartEvery == 0) restart(net, b0, b1);
    }
    for (let b = b0; b < b1; b++) {
      if (net.linear) {
        traceLinear(net, b, t, steps, rate == 1);
        continue;
      }
      prepare(net, b, t, steps);
      // Without adaptation and filter the rate term is always in the record: see the last of the choices.
      pack(net, b, t, steps, rate == 1 || (rate == 0 && !net.traceStrength && net.kappa == 0));
      if (net.traceStrength) {
        if (net.kappa != 0) {
          if (rate == 0) alifFiltered(net, b, t, steps);
          else if (rate == 1) alifFilteredRated(net, b, t, steps);
          else alifFilteredSummed(net, b, t, steps);
        } else if (rate == 0) alif(net, b, t, steps);
        else if (rate == 1) alifRated(net, b, t, steps);
        else alifSummed(net, b, t, steps);
      } else if (net.kappa != 0) {
        if (rate == 0) lifFiltered(net, b, t, steps);
        else if (rate == 1) lifFilteredRated(net, b, t, steps);
        else lifFilteredSummed(net, b, t, steps);
      } else if (rate == 2) lifSummed(net, b, t, steps);
      else lifRated(net, b, t, steps);
    }
  }
}

/** eBar of the streams [b0, b1) is 0 again. */
function restart(net: Net, b0: i32, b1: i32): void {
  if (net.kappa == 0) return;
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (p.learns) memory.fill(p.eBar + (<usize>(b0 * p.syn) << 2), 0, <usize>((b1 - b0) * p.syn) << 2);
  }
}

/** Presynaptic traces and psi strength of every step of a chunk.   net.epsSteps: [CHUNK][epsWidth], net.damp: [CHUNK][n] */
function prepare(net: Net, b: i32, t0: i32, steps: i32): void {
  const n = net.n;
  const bytes = <usize>n << 2, rowBytes = <usize>net.epsWidth << 2;
  for (let s = 0; s < steps; s++) {
    presynaptic(net, b, t0 + s);
    const row = net.epsSteps + <usize>s * rowBytes;
    for (let at = net.projections; at; at = changetype<Projection>(at).next) {
      const p = changetype<Projection>(at);
      if (!p.learns) continue;
      const preBytes = <usize>changetype<Events>(p.events).size << 2;
      memory.copy(row + (<usize>p.offset << 2), p.eps + <usize>b * preBytes, preBytes);
    }
    if (net.traceStrength) product(net.damp + <usize>s * bytes, net.psi + <usize>(b * net.stride + t0 + s) * bytes, net.traceStrength, n);
  }
}

/** net.packed: [n / 4][step] of gain psi, psi strength, L and (rated) R / gain, four neurons each. */
function pack(net: Net, b: i32, t0: i32, steps: i32, rated: bool): void {
  const bytes = <usize>net.n << 2;
  const gain = f32x4.splat(net.traceGain), perGain = f32x4.splat(1 / net.traceGain);
  let to = net.packed;
  for (let o: usize = 0; o + 16 <= bytes; o += 16) {
    for (let s = 0; s < steps; s++) {
      const t = t0 + s;
      v128.store(to, f32x4.mul(gain, v128.load(net.psi + <usize>(b * net.stride + t) * bytes + o)));
      v128.store(to, v128.load(net.damp + <usize>s * bytes + o), 16);
      v128.store(to, v128.load(net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes + o), 32);
      to += 48;
      if (!rated) continue;
      const rate = net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes + o;
      v128.store(to, f32x4.mul(perGain, v128.load(rate)));
      to += 16;
    }
  }
}

/** out = x y.   [n] */
function product(out: usize, x: usize, y: usize, n: i32): void {
  for (let o: usize = 0; o < <usize>n << 2; o += 4) store<f32>(out + o, load<f32>(x + o) * load<f32>(y + o));
}

// One function for each choice, and exported so that they are not put back into one: V8 gives registers to values well in
// functions of this size and badly in the whole, which was measured to cost 13 % of the speed.
export function alifFiltered(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, true, true, false, false); }
export function alifFilteredRated(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, true, true, true, false); }
export function alifFilteredSummed(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, true, true, false, true); }
export function alif(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, true, false, false, false); }
export function alifRated(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, true, false, true, false); }
export function alifSummed(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, true, false, false, true); }
export function lifFiltered(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, false, true, false, false); }
export function lifFilteredRated(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, false, true, true, false); }
export function lifFilteredSummed(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, false, true, false, true); }
export function lifRated(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, false, false, true, false); }
export function lifSummed(net: Net, b: i32, t: i32, steps: i32): void { pass(net, b, t, steps, false, false, false, true); }

// @ts-ignore: decorator
@inline
function pass(net: Net, b: i32, t: i32, steps: i32, adaptive: bool, filtered: bool, rated: bool, summed: bool): void {
  const bytes = <usize>net.n << 2;
  const psi = net.psi + <usize>(b * net.stride + t) * bytes;
  const signal = net.signal + <usize>(b * net.signalRows + min(t, net.signalRows - 1)) * bytes;
  const rate = net.rateTerm + <usize>(b * net.rateRows + min(t, net.rateRows - 1)) * bytes;
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (!p.learns) continue;
    const nPre = changetype<Events>(p.events).size;
    const own = <usize>b * (<usize>p.syn << 2);
    const eps = net.epsSteps + (<usize>p.offset << 2);
    if (p.rows) sparse(net, p.g, p.epsA + own, p.eBar + own, p.sum + own, eps, psi, signal, rate, nPre, steps, p.rows, p.post, adaptive, filtered, rated, summed);
    else dense(net, p.g, p.epsA + own, p.eBar + own, p.sum + own, eps, psi, signal, rate, nPre, steps, adaptive, filtered, rated, summed);
  }
}

/**
 * e_ij = psi_j eps_i - (psi_j strength_j) epsA_ij;  epsA_ij = rho epsA_ij + e_ij;  eBar_ij = kappa eBar_ij + gain e_ij;
 * grad_ij += L_j eBar_ij + R_j e_ij  (unfiltered: gain L_j e_ij;  summed: sum_ij += e_ij in place of the rate term),
 * `steps` steps for each group of four synapses in two rows, whose state stays in registers. There e, epsA and sum are
 * kept times gain, which saves a multiplication a step.
 * epsA, eBar, sum, grad: [pre][post] of this stream (grad of all);  eps: [step][epsWidth];  psi, signal, rate: [step][rec];
 * net.packed: what the steps of each group of four neurons need, side by side
 */
// @ts-ignore: decorator
@inline
function dense(net: Net, grad: usize, epsA: usize, eBar: usize, sum: usize, eps: usize, psi: usize, signal: usize, rate: usize, nPre: i32, steps: i32, adaptive: bool, filtered: bool, rated: bool, summed: bool): void {
  const bytes = <usize>net.n << 2, epsBytes = <usize>net.epsWidth << 2;
  const rho = f32x4.splat(net.rho), kappa = f32x4.splat(net.kappa), none = f32x4.splat(0);
  const gain = f32x4.splat(net.traceGain), perGain = f32x4.splat(1 / net.traceGain);
  const stepBytes: usize = rated ? 64 : 48;
  const blockBytes = <usize>steps * stepBytes;
  const duration = <usize>steps * bytes;
  const damp = net.damp;
  for (let i = 0; i < nPre; i += 2) {
    const row = <usize>i * bytes;
    const trace = eps + (<usize>i << 2);
    const g = grad + row, ea = epsA + row, eb = eBar + row, su = sum + row;
    // A last row without a partner is paired with rows that nobody reads.
    const alone = i + 1 == nPre;
    const gB = alone ? net.spare : g + bytes, eaB = alone ? net.spare : ea + bytes;
    const ebB = alone ? net.spare : eb + bytes, suB = alone ? net.spare : su + bytes;
    let o: usize = 0;
    let block = net.packed;
    // Two rows at a time: the recursion of one waits for itself, two hide each other's waiting and share what the neurons say.
    for (; o + 16 <= bytes; o += 16, block += blockBytes) {
      let owedA = gain, owedB = gain, barA = gain, barB = gain, totalA = none, totalB = none;
      if (adaptive) {
        owedA = f32x4.mul(gain, v128.load(ea + o));
        owedB = f32x4.mul(gain, v128.load(eaB + o));
      }
      if (filtered) {
        barA = v128.load(eb + o);
        barB = v128.load(ebB + o);
      }
      let addA = v128.load(g + o), addB = v128.load(gB + o);
      let pre = trace;
      const end = block + blockBytes;
      for (let at = block; at < end; at += stepBytes, pre += epsBytes) {
        const psi4 = v128.load(at);
        const pulseA = f32x4.mul(psi4, v128.load32_splat(pre)), pulseB = f32x4.mul(psi4, v128.load32_splat(pre, 4));
        let eA = pulseA, eB = pulseB;
        if (adaptive) {
          const damp4 = v128.load(at, 16);
          // rho epsA + e as (rho - psi strength) epsA + psi eps: two operations wait for the last epsA instead of three.
          const keep4 = f32x4.sub(rho, damp4);
          eA = f32x4.sub(pulseA, f32x4.mul(damp4, owedA));
          eB = f32x4.sub(pulseB, f32x4.mul(damp4, owedB));
          owedA = f32x4.add(f32x4.mul(keep4, owedA), pulseA);
          owedB = f32x4.add(f32x4.mul(keep4, owedB), pulseB);
        }
        const signal4 = v128.load(at, 32);
        if (filtered) {
          barA = f32x4.add(f32x4.mul(kappa, barA), eA);
          barB = f32x4.add(f32x4.mul(kappa, barB), eB);
          addA = f32x4.add(addA, f32x4.mul(signal4, barA));
          addB = f32x4.add(addB, f32x4.mul(signal4, barB));
        } else {
          addA = f32x4.add(addA, f32x4.mul(signal4, eA));
          addB = f32x4.add(addB, f32x4.mul(signal4, eB));
        }
        if (rated) {
          const rate4 = v128.load(at, 48);
          addA = f32x4.add(addA, f32x4.mul(rate4, eA));
          addB = f32x4.add(addB, f32x4.mul(rate4, eB));
        }
        if (summed) {
          totalA = f32x4.add(totalA, eA);
          totalB = f32x4.add(totalB, eB);
        }
      }
      if (adaptive) {
        v128.store(ea + o, flush4(f32x4.mul(perGain, owedA)));
        v128.store(eaB + o, flush4(f32x4.mul(perGain, owedB)));
      }
      if (filtered) {
        v128.store(eb + o, flush4(barA));
        v128.store(ebB + o, flush4(barB));
      }
      if (summed) {
        v128.store(su + o, f32x4.add(v128.load(su + o), f32x4.mul(perGain, totalA)));
        v128.store(suB + o, f32x4.add(v128.load(suB + o), f32x4.mul(perGain, totalB)));
      }
      v128.store(g + o, addA);
      v128.store(gB + o, addB);
    }
    for (; o < bytes; o += 4) {
      let pre = trace;
      for (let at = o; at < duration; at += bytes, pre += epsBytes) {
        synapse(net, g + o, ea + o, eb + o, su + o, load<f32>(pre), psi + at, damp + at, signal + at, rate + at, adaptive, filtered, rated, summed);
        synapse(net, gB + o, eaB + o, ebB + o, suB + o, load<f32>(pre, 4), psi + at, damp + at, signal + at, rate + at, adaptive, filtered, rated, summed);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function sparse(net: Net, grad: usize, epsA: usize, eBar: usize, sum: usize, eps: usize, psi: usize, signal: usize, rate: usize, nPre: i32, steps: i32, rows: usize, post: usize, adaptive: bool, filtered: bool, rated: bool, summed: bool): void {
  const bytes = <usize>net.n << 2, epsBytes = <usize>net.epsWidth << 2;
  const duration = <usize>steps * bytes;
  for (let i = 0; i < nPre; i++) {
    const trace = eps + (<usize>i << 2);
    const end = load<i32>(rows + (<usize>(i + 1) << 2));
    for (let s = load<i32>(rows + (<usize>i << 2)); s < end; s++) {
      const o = <usize>s << 2;
      let pre = trace;
      for (let at = <usize>load<i32>(post + o) << 2; at < duration; at += bytes, pre += epsBytes) {
        synapse(net, grad + o, epsA + o, eBar + o, sum + o, load<f32>(pre), psi + at, net.damp + at, signal + at, rate + at, adaptive, filtered, rated, summed);
      }
    }
  }
}

/** One synapse of `dense`. */
// @ts-ignore: decorator
@inline
function synapse(net: Net, grad: usize, epsA: usize, eBar: usize, sum: usize, trace: f32, psi: usize, damp: usize, signal: usize, rate: usize, adaptive: bool, filtered: bool, rated: bool, summed: bool): void {
  let e = load<f32>(psi) * trace;
  if (adaptive) {
    const owed = load<f32>(epsA);
    e -= load<f32>(damp) * owed;
    store<f32>(epsA, net.rho * owed + e);
  }
  let add: f32;
  if (filtered) {
    const bar = net.kappa * load<f32>(eBar) + net.traceGain * e;
    store<f32>(eBar, bar);
    add = load<f32>(signal) * bar;
  } else add = net.traceGain * load<f32>(signal) * e;
  if (rated) add += load<f32>(rate) * e;
  if (summed) store<f32>(sum, load<f32>(sum) + e);
  store<f32>(grad, load<f32>(grad) + add);
}

/** After a trial: grad_ij += R_j sum_ij with the trial's rate term; the sums start again from 0. */
export function traceEnd(first: Net): void {
  for (let each = changetype<usize>(first); each; each = changetype<Net>(each).next) {
    const net = changetype<Net>(each);
    for (let b = 0; b < net.streams; b++) {
      const rate = net.rateTerm + (<usize>(b * net.rateRows * net.n) << 2);
      for (let at = net.projections; at; at = changetype<Projection>(at).next) {
        const p = changetype<Projection>(at);
        if (p.learns) addTrialRate(net, p.g, p.sum + (<usize>(b * p.syn) << 2), rate, changetype<Events>(p.events).size, p.rows, p.post, p.syn);
      }
    }
  }
}

/** grad_ij += R_j sum_ij: the rate term of a whole trial on what eligibilities added up to.   [pre][n] or CSR */
function addTrialRate(net: Net, grad: usize, sum: usize, rate: usize, nPre: i32, rows: usize, post: usize, nSyn: i32): void {
  if (rows) {
    for (let s = 0; s < nSyn; s++) {
      const o = <usize>s << 2;
      const j = <usize>load<i32>(post + o) << 2;
      store<f32>(grad + o, load<f32>(grad + o) + load<f32>(rate + j) * load<f32>(sum + o));
    }
  } else {
    const bytes = <usize>net.n << 2;
    for (let i = 0; i < nPre; i++) {
      const row = <usize>i * bytes;
      for (let o: usize = 0; o < bytes; o += 4) store<f32>(grad + row + o, load<f32>(grad + row + o) + load<f32>(rate + o) * load<f32>(sum + row + o));
    }
  }
  memory.fill(sum, 0, <usize>nSyn << 2);
}
