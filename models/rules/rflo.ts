import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { decaySchema } from '../../src/core/schema.ts';
import { broadcastOf, broadcastParams } from '../signals/broadcast.ts';

const params = z.strictObject({
  name: z.literal('rflo'),
  ...broadcastParams,
  leak: decaySchema
    .nullable()
    .default(null)
    .describe("spiking neurons: decay of the trace; null: the readout's. The trace of a rate neuron has its leak"),
});

/**
 * Random-feedback local online learning: the influence of a synapse on its own neuron, leaking as the neuron does,
 * times a fixed random projection of the error.
 *
 *     p_ij(t) = (1 - 1/tau) p_ij(t-1) + (1/tau) phi'(u_j(t)) r_i(t-1),      dW_ij = - eta sum_t p_ij(t) sum_k B_jk error_k(t)
 *
 * Murray 2019 (eLife 8:e43299). Dropped against real-time recurrent learning: the influence of a weight by way of other
 * neurons; W_out in the feedback. With a readout that filters, the trace of a rate neuron is filtered likewise. For
 * spiking neurons psi stands for phi', the trace has a leak of its own and the membrane none: e-prop 1 of a network
 * whose only memory is its output filter, times 1 - leak.
 */
export const rflo: Rule<z.infer<typeof params>> = {
  name: 'rflo',
  source: 'Murray 2019, eLife 8:e43299',
  summary: 'leaky trace after the derivative, random feedback',
  params,
  exact: { params: { feedback: 'symmetric' }, recurrent: false },
  parts: (p) => ({
    trace: { kind: 'eligibility', form: 'post-then-filter', leak: p.leak },
    signal: broadcastOf(p),
  }),
};
