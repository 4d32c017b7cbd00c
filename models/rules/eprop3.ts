import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { count } from '../../src/core/schema.ts';
import { windowParams } from '../signals/window.ts';

const params = z.strictObject({
  name: z.literal('e-prop-3'),
  window: count.default(20).describe('steps of a window'),
  ...windowParams,
  traces: z
    .enum(['kept', 'none'])
    .default('kept')
    .describe('eligibility traces that run on across windows; none: only what arrives within a window is credited'),
  reset: z.enum(['attached', 'detached']).default('attached').describe("credit through the neuron's own reset"),
});

/**
 * e-prop 3: backpropagation within windows, synthetic gradients at their ends, and eligibility traces that carry credit back
 * across them.
 *
 *     dW_ij = - eta sum_t L_j(t) e_ij(t)                    `kept`
 *     dW_ij = - eta sum_t zeta p_i(t) gv_j(t)               `none`: Jaderberg et al. 2017
 *
 * `predicts: nothing` leaves the synthetic gradients out: windows and traces, or with `traces: none` truncated backpropagation.
 * `hidden` puts tanh units between the features and what is predicted.
 * One window as long as the trial is backpropagation through time. Equations in `models/signals/window.ts`.
 *
 * Bellec et al. 2019 (arXiv 1901.09049), as recalled; Jaderberg et al. 2017 (arXiv 1608.05343).
 */
export const eprop3: Rule<z.infer<typeof params>> = {
  name: 'e-prop-3',
  source: 'Bellec et al. 2019, arXiv 1901.09049; Jaderberg et al. 2017, arXiv 1608.05343',
  summary: 'backpropagation in windows, synthetic gradients, traces across',
  params,
  parts: ({ window, predicts, rate, normalised, hidden, traces, reset }) => ({
    trace:
      traces === 'kept' ? { kind: 'eligibility' } : { kind: 'eligibility', gate: 'none', presynapticFilter: false },
    signal: {
      kind: 'window',
      steps: window,
      predicts,
      rate,
      normalised,
      hidden,
      reset,
      credit: traces === 'kept' ? 'activity' : 'membrane',
    },
  }),
};
