import { z } from 'zod';
import type { PluginChoice, Rule } from '../../src/core/plugins.ts';

const choice = z.looseObject({ kind: z.string() }).transform((value) => value as PluginChoice);
const params = z.strictObject({
  name: z.literal('factored'),
  trace: choice.describe('a trace and its parameters, see `spiketrace list traces`'),
  signal: choice.describe('a learning signal and its parameters, see `spiketrace list signals`'),
});

/** Any trace with any signal: dW_ij = - eta sum_t trace_ij(t) signal_j(t). */
export const factored: Rule<z.infer<typeof params>> = {
  name: 'factored',
  source: 'user-defined',
  summary: 'any trace times any signal, named in the configuration',
  params,
  parts: ({ trace, signal }) => ({ trace, signal }),
};
