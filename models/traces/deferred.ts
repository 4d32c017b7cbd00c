import type { Real } from '../../src/core/layout.ts';
import type { TraceBinding, TraceContext } from '../../src/core/plugins.ts';
import { addRows } from './kernels.ts';

/**
 * The deferred execution of the eligibility trace. Traces are linear in the presynaptic spikes with coefficients of the
 * postsynaptic neuron, so instead of filtering traces forwards the signal is filtered backwards, and each spike adds one
 * row to the gradient. Exact where weights change between trials only and traces start at 0 in each.
 *
 *     t = steps-1 .. 0:   S(t) = gain L(t) + kappa S(t+1)          the readout's filter, transposed
 *                         dz   = S(t) + R(t) - resetGain D(t+1)    R: rate term; the last only with the reset in the trace
 *                         D(t) = what one unit of input at t owes, by the neuron's own dynamics (kernels below)
 *                         grad_i += zeta p_i(t) D(t)
 */
export function bindDeferred(binding: TraceBinding, context: TraceContext, resetGain: number): (steps: number) => void {
  const { sizes, trial, projections, gradient } = binding;
  const { rec: n, in: nIn, step: stride, history, stream: nStream } = sizes;
  const { form, decay, gain, adaptation } = context.neuron;
  const { filter, borderSpikes } = context;
  const strength = adaptation?.strength ?? new Float64Array(n);
  const rho = adaptation?.decay ?? 0;
  const filtered = new Float64Array(n);
  const owed = new Float64Array(n);
  const drive = new Float64Array(n);
  const { in: fromInput, rec: recurrent } = projections;
  return (steps) => {
    for (let b = 0; b < nStream; b++) {
      filtered.fill(0);
      owed.fill(0);
      drive.fill(0);
      for (let t = steps - 1; t >= 0; t--) {
        const row = (b * stride + t) * n;
        filterBack(filtered, trial.signal, row, filter.decay, filter.gain, n);
        if (form === 'filter-then-post') {
          backMembrane(drive, owed, filtered, trial.rateTerm, trial.psi, strength, row, decay, rho, resetGain, n);
        } else {
          backRate(drive, owed, filtered, trial.rateTerm, trial.psi, row, decay, n);
        }
        if (t === 0 && borderSpikes === 'drop') continue;
        addRows(gradient.wIn, trial.x, drive, fromInput.rowStart, fromInput.post, (b * stride + t) * nIn, gain, nIn);
        const before = (b * (history + stride) + t) * n;
        addRows(gradient.wRec, trial.z, drive, recurrent.rowStart, recurrent.post, before, gain, n);
      }
    }
  };
}

/** S[t] = gain L[t] + kappa S[t+1].   S: [rec]; L: row at `row` */
function filterBack(filtered: Real, signal: Real, row: number, kappa: number, gain: number, n: number): void {
  for (let j = 0; j < n; j++) filtered[j] = gain * signal[row + j] + kappa * filtered[j];
}

/**
 * dz = S + R - resetGain D[t+1];  lambda is what the adaptation still owes:
 * D[t] = psi (dz - adaptBeta lambda) + alpha D[t+1];  lambda <- psi dz + (rho - adaptBeta psi) lambda.
 * D (drive), lambda (owed), S (filtered), strength (adaptBeta): [rec]; R, psi: row at `row`
 */
function backMembrane(
  drive: Real,
  owed: Real,
  filtered: Real,
  rateTerm: Real,
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
    const dz = filtered[j] + rateTerm[row + j] - resetGain * drive[j];
    const lambda = owed[j];
    owed[j] = slope * dz + (rho - strength[j] * slope) * lambda;
    drive[j] = slope * (dz - strength[j] * lambda) + decay * drive[j];
  }
}

/** c[t] = S + R + decay c[t+1];  D[t] = psi c[t].   D (drive), c (owed), S (filtered): [rec]; R, psi: row at `row` */
function backRate(
  drive: Real,
  owed: Real,
  filtered: Real,
  rateTerm: Real,
  psi: Real,
  row: number,
  decay: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    owed[j] = filtered[j] + rateTerm[row + j] + decay * owed[j];
    drive[j] = psi[row + j] * owed[j];
  }
}
