import type { Real } from '../../core/layout.ts';
import { addOuter, predict } from '../../core/linearMaps.ts';
import type { FastLoops, Loops, Meet } from '../../core/loops.ts';
import type { NetworkSpec } from '../../core/network.ts';
import { take } from '../reference/update.ts';
import type { Filtered, Learn } from './store.ts';

/** How a field is rounded: its record, the numbers of rounding and overflow, and the two keys of the sweep. */
type Rounding = [record: number, rounding: number, wraps: number, key: number, second: number];

/** Exports of `kernels/double/`; addresses in bytes. */
export interface DoubleKernels {
  settle(values: number, kept: number, from: number, n: number, rows: number, stride: number, ...how: Rounding): void;
  integrateSubtract(v: number, z: number, current: number, decay: number, gain: number, vTh: number, n: number): void;
  integrateToZero(v: number, z: number, current: number, decay: number, gain: number, n: number): void;
  triangle(
    psi: number,
    refractory: number,
    v: number,
    threshold: number,
    height: number,
    width: number,
    n: number,
  ): void;
  emit(z: number, refractory: number, v: number, threshold: number, nRef: number, orEqual: number, n: number): void;
  meet(d: number, psi: number, signal: number, rate: number, gain: number, gated: number, n: number): void;
  read(
    y: number,
    u: number,
    z: number,
    W: number,
    b: number,
    decay: number,
    gain: number,
    n: number,
    nOut: number,
  ): void;
  addError(G: number, f: number, error: number, n: number, nOut: number): void;
  project(L: number, B: number, error: number, n: number, nOut: number): void;
  runningTerm(R: number, f: number, z: number, strength: number, target: number, rate: number, n: number): void;
  learnOuter(
    M: number,
    mirror: number,
    x: number,
    stride: number,
    d: number,
    list: number,
    row: number,
    scaled: number,
    rate: number,
    nPre: number,
    n: number,
    pairs: number,
    ...how: Rounding
  ): void;
  learnProducts(
    w: number,
    x: number,
    d: number,
    list: number,
    row: number,
    coarse: number,
    scale: number,
    rate: number,
    unit: number,
    nPre: number,
    n: number,
    pairs: number,
    ...how: Rounding
  ): void;
  takeRounded(
    w: number,
    step: number,
    n: number,
    factor: number,
    row: number,
    list: number,
    length: number,
    ...how: Rounding
  ): void;
  addFilteredRounded(
    grad: number,
    eBar: number,
    e: number,
    signal: number,
    rate: number,
    kappa: number,
    gain: number,
    nPre: number,
    n: number,
    s: number,
    ...how: Rounding
  ): void;
  reflect(mirror: number, values: number, rows: number, n: number, record: number): void;
  addMirrored(
    out: number,
    mirror: number,
    x: number,
    list: number,
    nPre: number,
    n: number,
    step: number,
    limit: number,
  ): number;
  addRows(out: number, M: number, x: number, list: number, nPre: number, n: number): void;
  addOuter(
    M: number,
    x: number,
    stride: number,
    d: number,
    list: number,
    rate: number,
    nPre: number,
    n: number,
    count: number,
  ): void;
  pullBack(out: number, M: number, g: number, turned: number, n: number, count: number): void;
  filter(f: number, x: number, decay: number, gain: number, n: number): void;
  eligibilityLif(e: number, eps: number, psi: number, nPre: number, n: number): void;
  eligibilityPostThenFilter(e: number, pulse: number, psi: number, decay: number, nPre: number, n: number): void;
  addFiltered(
    grad: number,
    eBar: number,
    e: number,
    signal: number,
    rate: number,
    kappa: number,
    gain: number,
    nPre: number,
    n: number,
  ): void;
  addUnfiltered(grad: number, e: number, signal: number, rate: number, gain: number, nPre: number, n: number): void;
  take(w: number, step: number, n: number): void;
  multiply(x: number, factor: number, n: number): void;
}

/** Address of entry `at`. */
const to = (x: Real, at: number) => x.byteOffset + 8 * at;

/**
 * The inner loops of a network by kernels. All arrays lie in the kernels' memory, those of the plug-ins by `scratch`.
 * Loops over synapses have none for sparse projections.
 */
export function bindLoops(k: DoubleKernels, spec: NetworkSpec, scratch: Loops['scratch']): FastLoops {
  const { sizes, projections } = spec;
  const list = scratch(2 * longestRow(spec)).byteOffset;
  const turned = scratch(8 * sizes.rec).byteOffset;
  const meet =
    (gated: number): Meet =>
    (d, psi, signal, rateTerm, at, row, signalRow, gain, n) =>
      k.meet(to(d, at), to(psi, row), to(signal, signalRow), to(rateTerm, row), gain, gated, n);
  const whole: FastLoops = {
    scratch,
    integrateSubtract: (v, z, current, at, prev, decay, gain, vTh, n) =>
      k.integrateSubtract(to(v, at), to(z, prev), current.byteOffset, decay, gain, vTh, n),
    integrateToZero: (v, z, current, at, prev, decay, gain, n) =>
      k.integrateToZero(to(v, at), to(z, prev), current.byteOffset, decay, gain, n),
    triangle: (psi, refractory, v, threshold, row, at, height, width, n) =>
      k.triangle(to(psi, row), to(refractory, at), to(v, at), threshold.byteOffset, height, width, n),
    emit: (z, refractory, v, threshold, from, at, nRef, orEqual, n) =>
      k.emit(to(z, from), to(refractory, at), to(v, at), threshold.byteOffset, nRef, orEqual ? 1 : 0, n),
    runningTerm: (rateTerm, fBar, z, row, at, from, strength, target, rate, n) =>
      k.runningTerm(to(rateTerm, row), to(fBar, at), to(z, from), strength, target, rate, n),
    read: (y, u, z, wOut, bOut, start, at, from, decay, gain, n, nOut) =>
      k.read(to(y, start), to(u, at), to(z, from), wOut.byteOffset, bOut.byteOffset, decay, gain, n, nOut),
    addError: (grad, f, error, at, row, n, nOut) => k.addError(grad.byteOffset, to(f, at), to(error, row), n, nOut),
    project: (signal, B, error, start, from, n, nOut) =>
      k.project(to(signal, start), B.byteOffset, to(error, from), n, nOut),
    gatedSignal: meet(1),
    ungatedSignal: meet(0),
    predict: (out, at, M, x, from, nPre, nPost) => k.addRows(to(out, at), M.byteOffset, to(x, from), list, nPre, nPost),
    addOuter: (M, x, from, stride, d, rate, nPre, nPost, count) =>
      k.addOuter(M.byteOffset, to(x, from), stride, d.byteOffset, list, rate, nPre, nPost, count),
    pullBack: (out, M, g, n, count) => k.pullBack(out.byteOffset, M.byteOffset, g.byteOffset, turned, n, count),
    filter: (f, x, at, from, decay, gain, n) => k.filter(to(f, at), to(x, from), decay, gain, n),
    take: (w, step) => k.take(w.byteOffset, step.byteOffset, w.length),
    multiply: (x, factor) => k.multiply(x.byteOffset, factor, x.length),
  };
  if (!projections.in.dense || !projections.rec.dense) return whole;
  return { ...whole, ...synaptic(k, list) };
}

/** Loops over the synapses of a dense projection. */
function synaptic(k: DoubleKernels, list: number): FastLoops {
  return {
    addCurrent: (current, w, p, { nPre, nPost }, from) =>
      k.addRows(current.byteOffset, w.byteOffset, to(p, from), list, nPre, nPost),
    addTimes: (grad, eps, d, { nPre, nPost }, nStream) =>
      k.addOuter(grad.byteOffset, eps.byteOffset, nPre, d.byteOffset, list, 1, nPre, nPost, nStream),
    eligibilityLif: (e, eps, psi, { nPre, nPost }, syn, at, row) =>
      k.eligibilityLif(to(e, syn), to(eps, at), to(psi, row), nPre, nPost),
    eligibilityPostThenFilter: (e, pulse, psi, { nPre, nPost }, syn, row, decay) =>
      k.eligibilityPostThenFilter(to(e, syn), pulse.byteOffset, to(psi, row), decay, nPre, nPost),
    addFiltered: (grad, eBar, e, signal, rate, { nPre, nPost }, syn, row, rateRow, kappa, gain) =>
      k.addFiltered(
        grad.byteOffset,
        to(eBar, syn),
        to(e, syn),
        to(signal, row),
        to(rate, rateRow),
        kappa,
        gain,
        nPre,
        nPost,
      ),
    addUnfiltered: (grad, e, signal, rate, { nPre, nPost }, syn, row, rateRow, gain) =>
      k.addUnfiltered(grad.byteOffset, to(e, syn), to(signal, row), to(rate, rateRow), gain, nPre, nPost),
  };
}

/** The store of a field that rounds its changes itself. */
export type LearnOf = (field: Real) => Learn | null;

/** What the plug-ins call: fields that are rounded on the way go to their store, everything else to the given loops. */
export function throughStores(
  loops: FastLoops,
  learnOf: LearnOf,
  filteredOf: (field: Real) => Filtered | null,
): FastLoops {
  const { addFiltered } = loops;
  const plainOuter = loops.addOuter ?? addOuter;
  const plainTake = loops.take ?? take;
  const plainPredict = loops.predict ?? predict;
  return {
    ...loops,
    ...(addFiltered && {
      addFiltered(grad, eBar, e, signal, rate, projection, syn, row, rateRow, kappa, gain) {
        const add = filteredOf(eBar)?.addFiltered ?? addFiltered;
        add(grad, eBar, e, signal, rate, projection, syn, row, rateRow, kappa, gain);
      },
    }),
    predict(out, to, M, x, from, nPre, nPost) {
      if (learnOf(M)?.predict?.(out, to, x, from, nPre, nPost)) return;
      plainPredict(out, to, M, x, from, nPre, nPost);
    },
    addOuter(M, x, from, stride, d, rate, nPre, nPost, count) {
      const add = learnOf(M)?.addOuter ?? plainOuter;
      add(M, x, from, stride, d, rate, nPre, nPost, count);
    },
    take(w, step) {
      const change = learnOf(w)?.take ?? plainTake;
      change(w, step);
    },
  };
}

/** Numbers of work space that the parts of a network and its loops ask for, at most. */
export function scratchLength(spec: NetworkSpec, state: number): number {
  const { rec, in: nIn, out, stream } = spec.sizes;
  return state + 9 * longestRow(spec) + stream * (4 * rec + nIn + 16) + 32 * (rec + nIn + out + 1);
}

/** The longest row of a matrix or of what it reads. */
export function longestRow({ rule, sizes }: NetworkSpec): number {
  const rows = Object.values(rule?.signal.layout ?? {}).map(({ shape }) => shape[0]);
  return Math.max(
    sizes.in,
    sizes.rec,
    sizes.stream,
    ...rows.map((dim) => (typeof dim === 'number' ? dim : sizes[dim])),
  );
}
