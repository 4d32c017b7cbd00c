import { readoutSizes, signalSizes } from '../../core/bindings.ts';
import { fieldShape, type Real } from '../../core/layout.ts';
import { addOuter, predict } from '../../core/linearMaps.ts';
import type { FastLoops, Loops, Meet } from '../../core/loops.ts';
import { type NetworkSpec, neuronCount } from '../../core/network.ts';
import { take } from '../reference/update.ts';
import type { DoubleKernels } from './kernels.ts';
import type { Filtered, Learn } from './store.ts';

/** Address of entry `at`. */
const to = (x: Real, at: number) => x.byteOffset + 8 * at;

/**
 * The inner loops of a network by kernels. All arrays lie in the kernels' memory, those of the plug-ins by `scratch`.
 * Loops over synapses have none for sparse projections.
 */
export function bindLoops(k: DoubleKernels, spec: NetworkSpec, scratch: Loops['scratch']): FastLoops {
  const { projections, populations } = spec;
  const list = scratch(2 * longestRow(spec)).byteOffset;
  const turned = scratch(8 * populations.reduce((most, { size }) => Math.max(most, size), 0)).byteOffset;
  const meet =
    (gated: number): Meet =>
    (d, psi, signal, rateTerm, at, row, signalRow, rateRow, gain, n) =>
      k.meet(to(d, at), to(psi, row), to(signal, signalRow), to(rateTerm, rateRow), gain, gated, n);
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
  if (projections.some(({ synapses }) => !synapses.dense)) return whole;
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
  const { in: nIn, out, stream } = spec.sizes;
  const n = neuronCount(spec);
  const parts = spec.populations.length + spec.projections.length + spec.readouts.length;
  const pre = spec.projections.reduce((sum, { synapses }) => sum + synapses.nPre + synapses.nPost, 0);
  return state + 9 * longestRow(spec) + stream * (4 * n + 2 * pre + nIn + 16) + 32 * (n + nIn + out + 1) * parts;
}

/** The longest row of a matrix or of what it reads. */
export function longestRow(spec: NetworkSpec): number {
  const { sizes, populations, readouts, projections } = spec;
  const rows = populations.flatMap((population) =>
    population.signals.flatMap(({ layout }, c) =>
      Object.values(layout).map((field) => fieldShape(field, signalSizes(spec, population, c))[0]),
    ),
  );
  const reads = readouts.map((readout) => readoutSizes(spec, readout).pre);
  const ends = projections.flatMap(({ synapses }) => [synapses.nPre, synapses.nPost]);
  return [sizes.in, sizes.stream, ...populations.map(({ size }) => size), ...reads, ...ends, ...rows].reduce(
    (most, length) => Math.max(most, length),
    0,
  );
}
