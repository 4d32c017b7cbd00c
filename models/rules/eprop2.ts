import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { learnedSignalParams } from '../direct/learnedSignal.ts';

const params = z.strictObject({ name: z.literal('e-prop-2'), ...learnedSignalParams });

/**
 * e-prop 2: learning to learn. A spiking module beside the network makes its learning signals. After one trial each stream gets weights
 * of its own, and the loss is that of a second trial with them; initial weights, readouts and the module learn from it in an outer loop.
 *
 *     W'_ij = W_ij - rate sum_t L_j(t) e_ij(t)
 *
 * Equations of the outer gradient in `models/direct/learnedSignal.ts`.
 *
 * Bellec, Scherr et al. 2019 (arXiv 1901.09049).
 */
export const eprop2: Rule<z.infer<typeof params>> = {
  name: 'e-prop-2',
  source: 'Bellec, Scherr et al. 2019, arXiv 1901.09049',
  summary: 'learning signals from a spiking module, learned in an outer loop',
  params,
  parts: ({ name: _, ...given }) => ({ direct: { kind: 'learned-signal', ...given } }),
};
