import { arrivals, columnLinear } from './linear';
import { Events, Net, Projection } from './net';
import { filterRow } from './output';
import { rowOf } from './rows';
import { flushRow } from './tiny';

/** Bytes of one active step in net.actives: step, psi, psi strength, R, c, decay of epsA, decay of eBar after the step. */
const ACTIVE: usize = 32;

/**
 * Eligibility traces onto a population of a whole trial of the streams [b0, b1), neuron by neuron and only at the steps where psi is not 0.
 * In between e is 0, so epsA and eBar only decay, and what eBar adds to the gradient until the next active step is
 * c eBar with c = sum_s L[t+s] kappa^s: exact, up to rounding. The traces of one neuron (one row over all presynaptic
 * neurons) stay in the nearest cache. Dense projections, traces that start at 0. Traces by matrices take every step.
 */
export function postponed(net: Net, b0: i32, b1: i32, steps: i32): void {
  const pre = net.epsWidth;
  for (let b = b0; b < b1; b++) {
    if (net.linear) arrivals(net, b, 0, steps);
    else presynapticSteps(net, b, steps);
    for (let j = 0; j < net.n; j++) {
      if (net.linear) {
        columnLinear(net, b, j, steps);
        addColumn(net, j, pre, 4);
        continue;
      }
      const count = listActive(net, b, j, steps);
      if (!count) continue;
      memory.fill(net.damp, 0, <usize>(3 * ((pre + 3) & ~3)) << 2);
      for (let a = 0; a < count; a++) activeStep(net, net.actives + <usize>a * ACTIVE, pre);
      addColumn(net, j, pre, 2);
    }
  }
}

/** eps_i at every step.   net.epsSteps: [step][epsWidth] */
function presynapticSteps(net: Net, b: i32, steps: i32): void {
  const rowBytes = <usize>net.epsWidth << 2;
  for (let t = 0; t < steps; t++) {
    const row = net.epsSteps + <usize>t * rowBytes;
    if (t == 0) memory.fill(row, 0, rowBytes);
    else memory.copy(row, row - rowBytes, rowBytes);
    const gain = t == 0 && net.dropBorder ? <f32>0 : net.gain;
    for (let at = net.projections; at; at = changetype<Projection>(at).next) {
      const p = changetype<Projection>(at), ev = changetype<Events>(p.events);
      if (p.learns) filterRow(row + (<usize>p.offset << 2), rowOf(ev, net.stride, b, t - p.delay), net.traceDecay, gain, ev.size);
    }
    flushRow(row, net.epsWidth);
  }
}

/** The active steps of neuron j, filled in from the last to the first so that c is known.   @returns how many */
function listActive(net: Net, b: i32, j: i32, steps: i32): i32 {
  const n = net.n;
  const at = <usize>j << 2, bytes = <usize>n << 2;
  const psi = net.psi + <usize>(b * net.stride) * bytes + at;
  const signal = net.signal + <usize>(b * net.signalRows) * bytes + at;
  const rate = net.rateTerm + <usize>(b * net.rateRows) * bytes + at;
  const strength = net.traceStrength ? load<f32>(net.traceStrength + at) : 0;
  let count = 0;
  for (let t = 0; t < steps; t++) if (load<f32>(psi + <usize>t * bytes) != 0) count++;
  let entry = net.actives + <usize>count * ACTIVE;
  let c: f32 = 0, rhoPower: f32 = 1, kappaPower: f32 = 1;
  for (let t = steps - 1; t >= 0; t--) {
    c = load<f32>(signal + <usize>min(t, net.signalRows - 1) * bytes) + net.kappa * c;
    const slope = load<f32>(psi + <usize>t * bytes);
    if (slope == 0) {
      rhoPower *= net.rho;
      kappaPower *= net.kappa;
      continue;
    }
    entry -= ACTIVE;
    store<i32>(entry, t);
    store<f32>(entry, slope, 4);
    store<f32>(entry, slope * strength, 8);
    store<f32>(entry, load<f32>(rate + <usize>min(t, net.rateRows - 1) * bytes), 12);
    store<f32>(entry, c, 16);
    store<f32>(entry, rhoPower, 20);
    store<f32>(entry, kappaPower, 24);
    c = 0;
    rhoPower = 1;
    kappaPower = 1;
  }
  return count;
}

/**
 * e = psi eps - (psi strength) epsA;  epsA = (rho epsA + e) rho^m;  eBar = kappa eBar + gain e;  grad += c eBar + R e;
 * then eBar kappa^m, with m the silent steps that follow.   net.damp: epsA, eBar, grad of one neuron, [3][epsWidth]
 */
function activeStep(net: Net, entry: usize, pre: i32): void {
  const bytes = <usize>((pre + 3) & ~3) << 2;
  const eps = net.epsSteps + <usize>load<i32>(entry) * (<usize>pre << 2);
  const ea = net.damp, eb = ea + bytes, g = eb + bytes;
  const psi = v128.load32_splat(entry, 4), damp = v128.load32_splat(entry, 8), rate = v128.load32_splat(entry, 12);
  const c = v128.load32_splat(entry, 16), rhoPower = v128.load32_splat(entry, 20), kappaPower = v128.load32_splat(entry, 24);
  const rho = f32x4.splat(net.rho), kappa = f32x4.splat(net.kappa), gain = f32x4.splat(net.traceGain);
  for (let o: usize = 0; o < bytes; o += 16) {
    const owed = v128.load(ea + o);
    const e = f32x4.sub(f32x4.mul(psi, v128.load(eps + o)), f32x4.mul(damp, owed));
    v128.store(ea + o, f32x4.mul(rhoPower, f32x4.add(f32x4.mul(rho, owed), e)));
    const bar = f32x4.add(f32x4.mul(kappa, v128.load(eb + o)), f32x4.mul(gain, e));
    v128.store(eb + o, f32x4.mul(kappaPower, bar));
    v128.store(g + o, f32x4.add(v128.load(g + o), f32x4.add(f32x4.mul(c, bar), f32x4.mul(rate, e))));
  }
}

/** grad_ij += the gradient of neuron j, row `row` of net.damp. */
function addColumn(net: Net, j: i32, pre: i32, row: i32): void {
  const n = net.n;
  const g = net.damp + (<usize>(row * ((pre + 3) & ~3)) << 2);
  for (let at = net.projections; at; at = changetype<Projection>(at).next) {
    const p = changetype<Projection>(at);
    if (!p.learns) continue;
    const nPre = changetype<Events>(p.events).size;
    for (let i = 0; i < nPre; i++) {
      const to = p.g + (<usize>(i * n + j) << 2);
      store<f32>(to, load<f32>(to) + load<f32>(g + (<usize>(p.offset + i) << 2)));
    }
  }
}
