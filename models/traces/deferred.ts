import { inputGain } from '../../src/core/dynamics.ts';
import type { Real } from '../../src/core/layout.ts';
import type { TraceBinding, TraceContext } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
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
export function bindDeferred(binding: TraceBinding, context: TraceContext, attached: boolean): (steps: number) => void {
  const { sizes, pre, delay, psi, signal, rateTerm, projection, gradient } = binding;
  const { pre: nPre, post: n, stream: nStream } = sizes;
  const { filter, borderSpikes, neuron } = context;
  const gain = inputGain(neuron);
  const filtered = new Float64Array(n);
  const back = bindBackward(neuron, psi.data, n, attached);
  const { credit, drive } = back;
  const { rowStart, post } = projection;
  return (steps) => {
    for (let b = 0; b < nStream; b++) {
      filtered.fill(0);
      back.start();
      for (let t = steps - 1; t >= 0; t--) {
        filterBack(filtered, signal.data, 0, rowAt(signal, b, t), filter.decay, filter.gain, n);
        addRateTerm(credit, filtered, rateTerm.data, rowAt(rateTerm, b, t), n);
        back.step(rowAt(psi, b, t));
        if (t === 0 && borderSpikes === 'drop') continue;
        addRows(gradient, pre.data, drive, rowStart, post, rowAt(pre, b, t - delay), gain, nPre);
      }
    }
  };
}

/** credit = S + R.   credit, S (filtered): [self]; R: row at `row` */
function addRateTerm(credit: Real, filtered: Real, rateTerm: Real, row: number, n: number): void {
  for (let j = 0; j < n; j++) credit[j] = filtered[j] + rateTerm[row + j];
}
