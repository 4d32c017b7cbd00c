import type { Real } from './layout.ts';
import type { addOuter, predict, pullBack } from './linearMaps.ts';
import type { Projection } from './projection.ts';

/**
 * Inner loops of the plain steps. Each plug-in has them in TypeScript; a backend may bring faster ones, which do the same
 * operations on every entry in the same order, so that the numbers are the same to the last bit. Shapes and equations are
 * those of the plain loops: `src/core/linearMaps.ts`, `models/neurons/spiking.ts`, `models/readouts`,
 * `models/signals`, `models/traces`, `src/backends/reference`.
 */
export interface Loops {
  /** Zeroed numbers that the loops of this backend can work on; plain memory elsewhere. */
  scratch(length: number): Real;
  integrateSubtract(
    v: Real,
    z: Real,
    current: Real,
    at: number,
    prev: number,
    decay: number,
    gain: number,
    vTh: number,
    n: number,
  ): void;
  integrateToZero(
    v: Real,
    z: Real,
    current: Real,
    at: number,
    prev: number,
    decay: number,
    gain: number,
    n: number,
  ): void;
  triangle(
    psi: Real,
    refractory: Real,
    v: Real,
    threshold: Real,
    row: number,
    at: number,
    height: number,
    width: number,
    n: number,
  ): void;
  emit(
    z: Real,
    refractory: Real,
    v: Real,
    threshold: Real,
    to: number,
    at: number,
    nRef: number,
    orEqual: boolean,
    n: number,
  ): void;
  runningTerm(
    rateTerm: Real,
    fBar: Real,
    z: Real,
    row: number,
    at: number,
    from: number,
    strength: number,
    target: number,
    rate: number,
    n: number,
  ): void;
  read(
    y: Real,
    u: Real,
    z: Real,
    wOut: Real,
    bOut: Real,
    to: number,
    at: number,
    from: number,
    decay: number,
    gain: number,
    n: number,
    nOut: number,
  ): void;
  addError(grad: Real, f: Real, error: Real, at: number, row: number, n: number, nOut: number): void;
  project(signal: Real, B: Real, error: Real, to: number, from: number, n: number, nOut: number): void;
  gatedSignal: Meet;
  ungatedSignal: Meet;
  addCurrent(current: Real, w: Real, p: Real, projection: Projection, from: number): void;
  predict: typeof predict;
  addOuter: typeof addOuter;
  pullBack: typeof pullBack;
  filter(f: Real, x: Real, at: number, from: number, decay: number, gain: number, n: number): void;
  addTimes(grad: Real, eps: Real, d: Real, projection: Projection, nStream: number): void;
  eligibilityLif(e: Real, eps: Real, psi: Real, projection: Projection, syn: number, at: number, row: number): void;
  eligibilityPostThenFilter(
    e: Real,
    pulse: Real,
    psi: Real,
    projection: Projection,
    syn: number,
    row: number,
    decay: number,
  ): void;
  addFiltered(
    grad: Real,
    eBar: Real,
    e: Real,
    signal: Real,
    rateTerm: Real,
    projection: Projection,
    syn: number,
    row: number,
    rateRow: number,
    kappa: number,
    gain: number,
  ): void;
  addUnfiltered(
    grad: Real,
    e: Real,
    signal: Real,
    rateTerm: Real,
    projection: Projection,
    syn: number,
    row: number,
    rateRow: number,
    gain: number,
  ): void;
  take(w: Real, step: Real): void;
  multiply(x: Real, factor: number): void;
  /** Plain SGD of one block of weights: w -= (step scale) rate, step <- 0. */
  descend(w: Real, step: Real, scale: number, rate: number): void;
}

/** A learning signal and a rate term meet psi.   d: [self] at `to`; psi: at `at`; L: at `row`; R: at `rateRow` */
export type Meet = (
  d: Real,
  psi: Real,
  signal: Real,
  rateTerm: Real,
  to: number,
  at: number,
  row: number,
  rateRow: number,
  gain: number,
  n: number,
) => void;

/** What a plug-in is handed: the loops that its backend has. */
export type FastLoops = Partial<Loops>;

/** Work space of a bound part, where its backend's loops can reach it. */
export function scratchOf(loops: FastLoops | undefined): (length: number) => Real {
  return loops?.scratch ?? ((length) => new Float64Array(length));
}
