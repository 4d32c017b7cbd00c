import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';

const params = z.strictObject({ name: z.literal('rate-term-only') });

/**
 * Control with matched rates: the firing-rate term moves recurrent and input weights, the error does not; the readout
 * learns. What a rule reaches beyond it is not owed to activity at a better level. With `rateTerm.strength` 0 it is the
 * readout-only control.
 */
export const rateTermOnly: Rule<z.infer<typeof params>> = {
  name: 'rate-term-only',
  source: 'control',
  summary: 'firing-rate term alone, plastic readout',
  params,
  parts: () => ({
    trace: { kind: 'eligibility' },
    signal: { kind: 'broadcast', feedback: 'random', scale: 0 },
  }),
};
