import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';

const params = z.strictObject({ name: z.literal('readout-only') });

/**
 * Control: recurrent and input weights stay as they are drawn, only the readout learns (delta rule). What it reaches is
 * the memory that a random network has for free.
 */
export const readoutOnly: Rule<z.infer<typeof params>> = {
  name: 'readout-only',
  source: 'control',
  summary: 'frozen network, plastic readout',
  params,
  parts: () => null,
};
