import { z } from 'zod';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { EligibilityDynamics } from '../../src/core/plugins.ts';

export const resetParam = z
  .enum(['attached', 'detached'])
  .default('detached')
  .describe("whether credit goes through the neuron's own reset");

/**
 * What a spike takes off its own membrane, as far as credit goes through it.
 * @throws UnsupportedError for an attached reset that subtracts nothing: its derivative is not part of the neuron's dynamics
 */
export function resetGainOf(reset: 'attached' | 'detached', { resetGain }: EligibilityDynamics): number {
  if (reset === 'detached') return 0;
  if (resetGain === 0) {
    throw new UnsupportedError('rule: reset "attached" needs a neuron whose reset subtracts the threshold');
  }
  return resetGain;
}
