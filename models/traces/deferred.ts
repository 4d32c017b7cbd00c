import type { Real } from '../../src/core/layout.ts';
import type { TraceBinding, TraceContext } from '../../src/core/plugins.ts';
import { bindBackward, filterBack } from './backward.ts';
import { addRows } from './kernels.ts';

/**
 * The deferred execution of the eligibility trace. Traces are linear in the presynaptic spikes with coefficients of the
 * postsynaptic neuron, so instead of filtering traces forwards the signal is filtered backwards, and each spike adds one
 * row to the gradient. Exact where weights change between trials only and traces start at 0 in each.
 *
 *     t = steps-1 .. 0:   S(t) = gain L(t) + kappa S(t+1)          the readout's filter, transposed
 *                         dz   = S(t) + R(t) - resetGain D(t+1)    R: rate term; the last only with the reset in the trace
 *                         D(t) = what one unit of input at t owes, by the neuron's own dynamics (backward.ts)
 *                         grad_i += zeta p_i(t) D(t)
 */
export function bindDeferred(binding: TraceBinding, context: TraceContext, resetGain: number): (steps: number) => void {
  const { sizes, trial, projections, gradient } = binding;
  const { rec: n, in: nIn, step: stride, history, stream: nStream } = sizes;
  const { filter, borderSpikes, neuron } = context;
  const { gain } = neuron;
  const filtered = new Float64Array(n);
  const back = bindBackward(neuron, trial.psi, n, resetGain);
  const { credit, drive } = back;
  const { in: fromInput, rec: recurrent } = projections;
  return (steps) => {
    for (let b = 0; b < nStream; b++) {
      filtered.fill(0);
      back.start();
      for (let t = steps - 1; t >= 0; t--) {
        const row = (b * stride + t) * n;
        filterBack(filtered, trial.signal, row, filter.decay, filter.gain, n);
        addRateTerm(credit, filtered, trial.rateTerm, row, n);
        back.step(row);
        if (t === 0 && borderSpikes === 'drop') continue;
        addRows(gradient.wIn, trial.x, drive, fromInput.rowStart, fromInput.post, (b * stride + t) * nIn, gain, nIn);
        const before = (b * (history + stride) + t) * n;
        addRows(gradient.wRec, trial.z, drive, recurrent.rowStart, recurrent.post, before, gain, n);
      }
    }
  };
}

/** credit = S + R.   credit, S (filtered): [rec]; R: row at `row` */
function addRateTerm(credit: Real, filtered: Real, rateTerm: Real, row: number, n: number): void {
  for (let j = 0; j < n; j++) credit[j] = filtered[j] + rateTerm[row + j];
}
