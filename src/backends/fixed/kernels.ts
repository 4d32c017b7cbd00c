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
