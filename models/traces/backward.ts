import type { Real } from '../../src/core/layout.ts';
import type { LinearDynamics, NeuronDynamics } from '../../src/core/plugins.ts';

/**
 * Kernels that go back in time, for one stream at one step: shared by the deferred trace and by backpropagation through
 * time. `credit` is what the spike (or rate) of this step owes through everything but its own neuron's memory; D is
 * what one unit of input owes. [self] each; rows of whole-time arrays start at `row`.
 */

/** S[t] = gain L[t] + kappa S[t+1].   S: n numbers from `at`; L: row at `row` */
export function filterBack(
  filtered: Real,
  signal: Real,
  at: number,
  row: number,
  kappa: number,
  gain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) filtered[at + j] = gain * signal[row + j] + kappa * filtered[at + j];
}

/**
 * dz = credit - resetGain D[t+1];  lambda is what the adaptation still owes:
 * D[t] = psi (dz - adaptBeta lambda) + alpha D[t+1];  lambda <- psi dz + (rho - adaptBeta psi) lambda.
 * D (drive), lambda (owed), credit, strength (adaptBeta): [self]; psi: row at `row`
 */
function backMembrane(
  drive: Real,
  owed: Real,
  credit: Real,
  psi: Real,
  strength: Real,
  row: number,
  decay: number,
  rho: number,
  resetGain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const slope = psi[row + j];
    const dz = credit[j] - resetGain * drive[j];
    const lambda = owed[j];
    owed[j] = slope * dz + (rho - strength[j] * slope) * lambda;
    drive[j] = slope * (dz - strength[j] * lambda) + decay * drive[j];
  }
}

/** c[t] = credit + decay c[t+1];  D[t] = psi c[t].   D (drive), c (owed), credit: [self]; psi: row at `row` */
function backRate(drive: Real, owed: Real, credit: Real, psi: Real, row: number, decay: number, n: number): void {
  for (let j = 0; j < n; j++) {
    owed[j] = credit[j] + decay * owed[j];
    drive[j] = psi[row + j] * owed[j];
  }
}

/**
 * The same by matrices:   dz = credit + (own - reset) . lambda;   lambda <- transition^T lambda + read f dz;   D = g input . lambda,
 * with f, g of `LinearDynamics`.   lambda (owed): [self][m]
 */
function backLinear(
  drive: Real,
  owed: Real,
  next: Real,
  credit: Real,
  psi: Real,
  { states: m, gate, transition, input, own, reset, read }: LinearDynamics,
  row: number,
  attached: 0 | 1,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const at = j * m;
    let dz = credit[j];
    for (let r = 0; r < m; r++) dz += (own[at + r] - attached * reset[at + r]) * owed[at + r];
    const slope = psi[row + j];
    const falls = gate === 'spike' ? slope * dz : dz;
    let sum = 0;
    for (let r = 0; r < m; r++) {
      let value = read[at + r] * falls;
      for (let k = 0; k < m; k++) value += transition[(at + k) * m + r] * owed[at + k];
      next[r] = value;
      sum += input[at + r] * value;
    }
    for (let r = 0; r < m; r++) owed[at + r] = next[r];
    drive[j] = gate === 'spike' ? sum : slope * sum;
  }
}

/** One neuron population on its way back through a trial. */
export interface BackwardNeurons {
  /** What each neuron's activity of this step owes, but for its own memory: to be written before `step`. [self] */
  readonly credit: Real;
  /** D: what one unit of summed input owes, of the step taken last, but for `inputGain`. [self] */
  readonly drive: Real;
  /** What the memory of each neuron owes, of the step taken last: by matrices dE/dh, [self][states]. */
  readonly owed: Real;
  /** Nothing is owed by what comes later. */
  start(): void;
  /** From step t+1 to t, whose row of psi begins at `row`. */
  step(row: number): void;
  /** What the memory of a neuron adds to its credit without the reset, of the step taken last: an adaptation that its spike raises. [self] */
  ownCredit(j: number): number;
  /** What credit loses through the reset, of the step taken last: to be subtracted from it. [self] */
  resetDebt(j: number): number;
}

/** @param attached whether credit goes through the neuron's own reset */
export function bindBackward(dynamics: NeuronDynamics, psi: Real, n: number, attached: boolean): BackwardNeurons {
  const credit = new Float64Array(n);
  const drive = new Float64Array(n);
  const owed = new Float64Array(n * (dynamics.form === 'linear' ? dynamics.states : 1));
  const common = {
    credit,
    drive,
    owed,
    start() {
      owed.fill(0);
      drive.fill(0);
    },
  };
  if (dynamics.form === 'linear') {
    const { states: m, own, reset } = dynamics;
    const next = new Float64Array(m);
    return {
      ...common,
      ownCredit(j) {
        let sum = 0;
        for (let r = 0; r < m; r++) sum += own[j * m + r] * owed[j * m + r];
        return sum;
      },
      step: (row) => backLinear(drive, owed, next, credit, psi, dynamics, row, attached ? 1 : 0, n),
      resetDebt(j) {
        let sum = 0;
        for (let r = 0; r < m && attached; r++) sum += reset[j * m + r] * owed[j * m + r];
        return sum;
      },
    };
  }
  const { form, decay, adaptation } = dynamics;
  const resetGain = attached ? dynamics.resetGain : 0;
  const strength = adaptation?.strength ?? new Float64Array(n);
  const rho = adaptation?.decay ?? 0;
  return {
    ...common,
    ownCredit: form === 'filter-then-post' ? (j) => -strength[j] * owed[j] : () => 0,
    step:
      form === 'filter-then-post'
        ? (row) => backMembrane(drive, owed, credit, psi, strength, row, decay, rho, resetGain, n)
        : (row) => backRate(drive, owed, credit, psi, row, decay, n),
    resetDebt: (j) => resetGain * drive[j],
  };
}
