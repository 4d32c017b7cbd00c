import { z } from 'zod';
import { resets } from '../../src/core/dynamics.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { NeuronDynamics } from '../../src/core/plugins.ts';

export const resetParam = z
  .enum(['attached', 'detached'])
  .default('detached')
  .describe("whether credit goes through the neuron's own reset");

/**
 * Whether credit goes through the neurons' own reset.
 * @throws UnsupportedError for an attached reset that subtracts nothing: its derivative is not part of the neuron's dynamics
 */
export function isAttached(reset: 'attached' | 'detached', neurons: readonly NeuronDynamics[]): boolean {
  if (reset === 'detached') return false;
  if (neurons.every(resets)) return true;
  throw new UnsupportedError('rule: reset "attached" needs neurons whose reset subtracts the threshold');
}
