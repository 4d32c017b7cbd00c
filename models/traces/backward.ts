import type { Real } from '../../src/core/layout.ts';
import type { EligibilityDynamics } from '../../src/core/plugins.ts';

/**
 * Kernels that go back in time, for one stream at one step: shared by the deferred trace and by backpropagation through
 * time. `credit` is what the spike (or rate) of this step owes through everything but its own neuron's memory; D is
 * what one unit of input owes. [rec] each; rows of whole-time arrays start at `row`.
 */

/** S[t] = gain L[t] + kappa S[t+1].   S: [rec]; L: row at `row` */
export function filterBack(filtered: Real, signal: Real, row: number, kappa: number, gain: number, n: number): void {
  for (let j = 0; j < n; j++) filtered[j] = gain * signal[row + j] + kappa * filtered[j];
}

/**
 * dz = credit - resetGain D[t+1];  lambda is what the adaptation still owes:
 * D[t] = psi (dz - adaptBeta lambda) + alpha D[t+1];  lambda <- psi dz + (rho - adaptBeta psi) lambda.
 * D (drive), lambda (owed), credit, strength (adaptBeta): [rec]; psi: row at `row`
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

/** c[t] = credit + decay c[t+1];  D[t] = psi c[t].   D (drive), c (owed), credit: [rec]; psi: row at `row` */
function backRate(drive: Real, owed: Real, credit: Real, psi: Real, row: number, decay: number, n: number): void {
  for (let j = 0; j < n; j++) {
    owed[j] = credit[j] + decay * owed[j];
    drive[j] = psi[row + j] * owed[j];
  }
}

/** One neuron population on its way back through a trial. */
export interface BackwardNeurons {
  /** What each neuron's activity of this step owes, but for its own memory: to be written before `step`. [rec] */
  readonly credit: Real;
  /** D: what one unit of summed input owes, of the step taken last. [rec] */
  readonly drive: Real;
  /** Nothing is owed by what comes later. */
  start(): void;
  /** From step t+1 to t, whose row of psi begins at `row`. */
  step(row: number): void;
}

export function bindBackward(
  { form, decay, adaptation }: EligibilityDynamics,
  psi: Real,
  n: number,
  resetGain: number,
): BackwardNeurons {
  const credit = new Float64Array(n);
  const owed = new Float64Array(n);
  const drive = new Float64Array(n);
  const strength = adaptation?.strength ?? new Float64Array(n);
  const rho = adaptation?.decay ?? 0;
  return {
    credit,
    drive,
    start() {
      owed.fill(0);
      drive.fill(0);
    },
    step:
      form === 'filter-then-post'
        ? (row) => backMembrane(drive, owed, credit, psi, strength, row, decay, rho, resetGain, n)
        : (row) => backRate(drive, owed, credit, psi, row, decay, n),
  };
}
